//! A member of the organization that the address names, with the permissions that the handler's type asks for.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::request::Parts;
use tenantry_app::{
    accounts::UserSession,
    error::Fault,
    organizations::{self, Membership, OrganizationKey},
    provisioning::Reader,
};
use tenantry_domain::ids::{OrganizationId, SessionId, UserId};

use super::{Authority, Permissions, SignedIn};
use crate::{
    AppState, OrganizationRef, PathId,
    accounts::problems::{SECOND_FACTOR_REQUIRED, STEP_UP_REQUIRED},
    idempotency::Replay,
    problem::{Problem, kinds},
};

/// A member who may do `P`. It holds no transaction: the use case that is handed the organization opens one in its scope.
#[derive(Debug, Clone)]
pub struct Authorized<P> {
    /// The session.
    pub signed_in: SignedIn,
    /// The organization and the caller's role in it.
    pub membership: Membership,
    permissions: PhantomData<P>,
}

impl<P> Authorized<P> {
    /// The organization.
    #[must_use]
    pub fn organization(&self) -> OrganizationId {
        self.membership.organization
    }

    /// As whom the caller reads.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::Organization(self.organization())
    }

    /// The caller.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.signed_in.session.user
    }

    /// The caller, as the audit log and operations name them.
    #[must_use]
    pub fn actor(&self) -> String {
        self.user().to_string()
    }
}

impl<P: Permissions> Authority for Authorized<P> {
    fn reader(&self) -> Reader {
        self.reader()
    }

    fn session(&self) -> SessionId {
        self.signed_in.session.id
    }

    async fn still_holds(&self, state: &AppState) -> Result<bool, Fault> {
        let Some(session) = self.signed_in.look_again(state).await? else {
            return Ok(false);
        };
        let key = OrganizationKey::Id(self.organization());
        let membership = organizations::find_membership(&state.app, session.user, &key).await?;
        Ok(membership.is_some_and(|now| {
            !lacks_second_factor(state, &session, &now)
                && P::REQUIRED.iter().all(|permission| now.role.may(*permission))
        }))
    }
}

/// Whether the organization lets the caller in no more until they have a second factor, and have shown it in this session.
fn lacks_second_factor(state: &AppState, session: &UserSession, membership: &Membership) -> bool {
    let required = membership
        .second_factor_required_from
        .is_some_and(|from| from <= state.app.clock.now());
    required && !session.meets_second_factor_demand()
}

/// An organization that is not the caller's is not found; a role that is too small is told so.
impl<P: Permissions> FromRequestParts<AppState> for Authorized<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let signed_in = SignedIn::authenticate(parts, state).await?;
        let PathId(named) = PathId::<OrganizationRef>::from_request_parts(parts, state).await?;
        let key = match named {
            OrganizationRef::Id(id) => OrganizationKey::Id(id),
            OrganizationRef::Slug(slug) => OrganizationKey::Slug(slug),
        };
        let membership = organizations::find_membership(&state.app, signed_in.session.user, &key)
            .await?
            .ok_or_else(|| Problem::of(kinds::NOT_FOUND))?;
        if lacks_second_factor(state, &signed_in.session, &membership) {
            if signed_in.session.second_factor {
                return Err(Problem::new(
                    STEP_UP_REQUIRED,
                    format!(
                        "{} lets nobody in without a second factor, and this session was begun without yours. Send a code of \
                         it to /auth/step-up, then repeat the call.",
                        membership.name
                    ),
                ));
            }
            return Err(Problem::new(
                SECOND_FACTOR_REQUIRED,
                format!(
                    "{} lets nobody in without a second factor. Set one up at /me/second-factor/totp.",
                    membership.name
                ),
            ));
        }
        if let Some(missing) = P::REQUIRED.iter().find(|permission| !membership.role.may(**permission)) {
            return Err(Problem::new(
                kinds::PERMISSION_MISSING,
                format!(
                    "Your role, {}, does not hold {missing}. {}",
                    membership.role,
                    kinds::PERMISSION_MISSING.advice
                ),
            ));
        }
        Replay::stop(parts)?;
        Ok(Self {
            signed_in,
            membership,
            permissions: PhantomData,
        })
    }
}
