//! What a caller shows to be let in: the cookie of a browser, or the access token of a program.

use chrono::{DateTime, Utc};
use http::{HeaderMap, header, request::Parts};
use tenantry_app::{
    accounts::{self, OpaqueToken, UserSession},
    error::Fault,
};

use crate::{
    AppState,
    cookie::SessionCookie,
    csrf,
    problem::{Problem, kinds},
};

/// What a session was opened with.
#[derive(Debug, Clone)]
pub(super) enum Credential {
    /// A browser's secret.
    Cookie(OpaqueToken),
    /// A program's token, and when it expires.
    Bearer(DateTime<Utc>),
}

/// The session that a call comes with. A token decides alone: with one, no cookie is looked at, so a browser that is
/// made to send its cookie along lends nothing, and no proof is needed that the call comes from our own page.
pub(super) async fn session_of(state: &AppState, parts: &Parts) -> Result<(UserSession, Credential), Problem> {
    let unauthenticated = || Problem::of(kinds::UNAUTHENTICATED);
    match bearer(&parts.headers) {
        Bearer::Token(token) => {
            let found = accounts::find_bearer_session(&state.app, token)
                .await?
                .ok_or_else(unauthenticated)?;
            Ok((found.session, Credential::Bearer(found.token_expires_at)))
        }
        Bearer::Malformed => Err(unauthenticated()),
        Bearer::None => {
            let secret = SessionCookie::User.read(&parts.headers).ok_or_else(unauthenticated)?;
            let session = accounts::find_session(&state.app, &secret)
                .await?
                .ok_or_else(unauthenticated)?;
            csrf::check(state, parts, &secret)?;
            Ok((session, Credential::Cookie(secret)))
        }
    }
}

impl Credential {
    /// The session `session` as it is now, if it still lives.
    pub(super) async fn look_again(
        &self,
        state: &AppState,
        session: &UserSession,
    ) -> Result<Option<UserSession>, Fault> {
        match self {
            Self::Cookie(secret) => accounts::find_session(&state.app, secret).await,
            Self::Bearer(expires_at) if state.app.clock.now() < *expires_at => {
                accounts::find_token_session(&state.app, session.id).await
            }
            Self::Bearer(_) => Ok(None),
        }
    }
}

/// What the `Authorization` header holds.
pub(crate) enum Bearer<'a> {
    /// Nothing that concerns us; a proxy's own password does not.
    None,
    /// A token.
    Token(&'a str),
    /// Something that should have been one.
    Malformed,
}

/// The bearer token of a call (RFC 6750).
pub(crate) fn bearer(headers: &HeaderMap) -> Bearer<'_> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, another) = (values.next(), values.next());
    let Some(value) = value else { return Bearer::None };
    if another.is_some() {
        return Bearer::Malformed;
    }
    let Ok(text) = value.to_str() else {
        return Bearer::Malformed;
    };
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Bearer::Token(token.trim()),
        None if text.eq_ignore_ascii_case("bearer") => Bearer::Malformed,
        _ => Bearer::None,
    }
}
