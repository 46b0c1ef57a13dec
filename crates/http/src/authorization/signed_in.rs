//! A person with a session.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::{Method, request::Parts};
use tenantry_app::{accounts::UserSession, error::Fault};

use super::credential::{Credential, session_of};
use crate::{
    AppState, csrf,
    idempotency::Replay,
    problem::{Problem, kinds},
};

/// A signed-in user. An unsafe call of a browser has shown that it comes from our own page, and that it is the user's own:
/// an operator who looks through the user's eyes gets no further than reading, whatever the handler is.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The session and whose it is.
    pub session: UserSession,
    credential: Credential,
}

impl SignedIn {
    /// The token that unsafe calls of this session must carry; empty for a program, which needs none.
    #[must_use]
    pub fn csrf_token(&self) -> String {
        match &self.credential {
            Credential::Cookie(secret) => csrf::token(secret),
            Credential::Bearer(_) => String::new(),
        }
    }

    /// The session as it is now, if what was shown for it is still good.
    pub(super) async fn look_again(&self, state: &AppState) -> Result<Option<UserSession>, Fault> {
        self.credential.look_again(state, &self.session).await
    }

    /// Whoever holds the session that the request carries, also an operator who only looks.
    pub(crate) async fn present(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        // Somebody before us in this request (the layer that replays answers) has already looked.
        if let Some(signed_in) = parts.extensions.get::<Self>() {
            return Ok(signed_in.clone());
        }
        let (session, credential) = session_of(state, parts).await?;
        let signed_in = Self { session, credential };
        parts.extensions.insert(signed_in.clone());
        Ok(signed_in)
    }

    /// Who asks, for whoever goes on to judge what they may do.
    pub(crate) async fn authenticate(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let signed_in = Self::present(parts, state).await?;
        let reads = matches!(parts.method, Method::GET | Method::HEAD);
        if signed_in.session.impersonation.is_some() && !reads {
            return Err(Problem::of(kinds::IMPERSONATION_READ_ONLY));
        }
        Ok(signed_in)
    }
}

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let signed_in = Self::authenticate(parts, state).await?;
        Replay::stop(parts)?;
        Ok(signed_in)
    }
}

impl OptionalFromRequestParts<AppState> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Option<Self>, Problem> {
        match Self::authenticate(parts, state).await {
            Ok(signed_in) => Ok(Some(signed_in)),
            Err(problem) if problem.kind() == kinds::UNAUTHENTICATED => Ok(None),
            Err(problem) => Err(problem),
        }
    }
}

/// Whoever ends the session that they came with: the only unsafe call that an operator in a customer's place may make.
#[derive(Debug, Clone)]
pub struct Leaving(pub SignedIn);

impl FromRequestParts<AppState> for Leaving {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        SignedIn::present(parts, state).await.map(Self)
    }
}
