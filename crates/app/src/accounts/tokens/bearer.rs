//! Whom an access token speaks for. Its signature is checked without the ledger, its session with it: one that ended is
//! over at once, not when the token is.

use chrono::{DateTime, Utc};
use tenantry_domain::{
    accounts::{session::LAST_USED_RESOLUTION, tokens::TOKEN_SESSIONS},
    ids::SessionId,
};
use tenantry_postgres::accounts::sessions;

use super::{
    super::UserSession,
    claims::{self, AccessClaims, TokenType},
};
use crate::{App, error::Fault};

/// A session that a program holds, and until when its present token is good.
#[derive(Debug, Clone)]
pub struct BearerSession {
    /// The session.
    pub session: UserSession,
    /// When the token expires.
    pub token_expires_at: DateTime<Utc>,
}

/// The session behind an access token for the API; `None` for any other token, and when either has ended. Its use is
/// written down now and then.
///
/// # Errors
/// The ledger's.
pub async fn find_bearer_session(app: &App, token: &str) -> Result<Option<BearerSession>, Fault> {
    let audience = app.settings.api_audience();
    let claims: Option<AccessClaims> = claims::check(app, TokenType::Access, Some(&audience), token).await?;
    let Some(claims) = claims else { return Ok(None) };
    let Some(token_expires_at) = DateTime::from_timestamp(claims.exp, 0) else {
        return Ok(None);
    };
    let session = find_token_session(app, claims.sid).await?;
    Ok(session
        .filter(|session| session.user == claims.sub)
        .map(|session| BearerSession {
            session,
            token_expires_at,
        }))
}

/// The session of a program, if it has not ended.
///
/// # Errors
/// The ledger's.
pub async fn find_token_session(app: &App, id: SessionId) -> Result<Option<UserSession>, Fault> {
    let now = app.clock.now();
    let mut tx = app.database.system("find the session of an access token").await?;
    let live = sessions::find_live_token(&mut tx, id, now, now - TOKEN_SESSIONS.idle).await?;
    let Some(live) = live else { return Ok(None) };
    let mut last_used_at = live.last_used_at;
    if now - last_used_at >= LAST_USED_RESOLUTION {
        sessions::touch(&mut tx, live.id, now).await?;
        last_used_at = now;
    }
    tx.commit().await?;
    Ok(Some(UserSession::from_live(live, TOKEN_SESSIONS, last_used_at)))
}
