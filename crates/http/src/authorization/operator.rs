//! A person who runs this installation, by their own cookie.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::request::Parts;
use tenantry_app::{
    accounts::{self, OpaqueToken, OperatorSession},
    error::Fault,
    provisioning::Reader,
};
use tenantry_domain::{accounts::OperatorRole, ids::SessionId};

use super::Authority;
use crate::{
    AppState,
    cookie::SessionCookie,
    csrf,
    idempotency::Replay,
    problem::{Problem, kinds},
};

/// The least role that a handler asks for.
pub trait MinimumRole: Send + Sync + 'static {
    /// That role.
    const ROLE: OperatorRole;
}

macro_rules! minimum_roles {
    ($($name:ident),+) => {
        $(
            #[doc = concat!("Asks for [`OperatorRole::", stringify!($name), "`] or more.")]
            #[derive(Debug, Clone, Copy)]
            pub struct $name;

            impl MinimumRole for $name {
                const ROLE: OperatorRole = OperatorRole::$name;
            }
        )+
    };
}

minimum_roles!(Viewer, Support, Admin);

/// A signed-in operator with role `R` or more. An unsafe call has shown that it comes from our own page.
#[derive(Debug, Clone)]
pub struct Operator<R = Viewer> {
    /// The session and whose it is.
    pub session: OperatorSession,
    secret: OpaqueToken,
    role: PhantomData<R>,
}

impl<R> Operator<R> {
    /// The token that unsafe calls of this session must carry.
    #[must_use]
    pub fn csrf_token(&self) -> String {
        csrf::token(&self.secret)
    }

    /// The operator, as the audit log and operations name them.
    #[must_use]
    pub fn actor(&self) -> String {
        self.session.operator.to_string()
    }
}

impl<R: MinimumRole> Authority for Operator<R> {
    fn reader(&self) -> Reader {
        Reader::Operator
    }

    fn session(&self) -> SessionId {
        self.session.id
    }

    async fn still_holds(&self, state: &AppState) -> Result<bool, Fault> {
        let session = accounts::find_operator_session(&state.app, &self.secret).await?;
        Ok(session.is_some_and(|session| session.role >= R::ROLE))
    }
}

impl<R: MinimumRole> Operator<R> {
    /// Who asks, and whether they may.
    pub(crate) async fn authenticate(parts: &Parts, state: &AppState) -> Result<Self, Problem> {
        let unauthenticated = || Problem::of(kinds::UNAUTHENTICATED);
        let secret = SessionCookie::Operator
            .read(&parts.headers)
            .ok_or_else(unauthenticated)?;
        let session = accounts::find_operator_session(&state.app, &secret)
            .await?
            .ok_or_else(unauthenticated)?;
        csrf::check(state, parts, &secret)?;
        if session.role < R::ROLE {
            return Err(Problem::new(
                kinds::ROLE_TOO_SMALL,
                format!("This takes the role {}; yours is {}.", R::ROLE, session.role),
            ));
        }
        Ok(Self {
            session,
            secret,
            role: PhantomData,
        })
    }
}

impl<R: MinimumRole> FromRequestParts<AppState> for Operator<R> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let operator = Self::authenticate(parts, state).await?;
        Replay::stop(parts)?;
        Ok(operator)
    }
}
