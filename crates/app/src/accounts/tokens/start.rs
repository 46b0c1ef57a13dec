//! A program signs in: a session, the first refresh token of its chain, and an access token.

use chrono::{DateTime, SubsecRound, Utc};
use tenantry_domain::{
    accounts::tokens::{ACCESS_TOKENS_LIVE, TOKEN_SESSIONS},
    ids::{SessionId, UserId},
};
use tenantry_postgres::{
    SystemTx,
    accounts::refresh_tokens::{self, NewTokenSession},
};
use uuid::Uuid;

use super::{
    super::{OpaqueToken, Visitor, devices},
    AccessClaims, TokenType, claims,
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// What a program gets.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Opens the API for a while.
    pub access_token: String,
    /// For how many seconds.
    pub expires_in: i64,
    /// Gets the next pair; good once.
    pub refresh_token: OpaqueToken,
    /// When the session ends if it is not refreshed again.
    pub refresh_token_expires_at: DateTime<Utc>,
}

/// Whose session, and when which token of its chain was made: what an access token says follows from it, so that
/// whoever asks twice for the same gets the same.
pub(super) struct Link {
    pub(super) session: SessionId,
    pub(super) user: UserId,
    pub(super) session_expires_at: DateTime<Utc>,
    pub(super) token: Uuid,
    pub(super) made_at: DateTime<Utc>,
    pub(super) refresh_token: OpaqueToken,
}

/// Signs an access token for a link of the chain.
pub(super) async fn issue(app: &App, link: Link) -> Result<Tokens, Fault> {
    let expires_at = link.made_at + ACCESS_TOKENS_LIVE;
    let claims = AccessClaims {
        iss: app.settings.issuer(),
        aud: app.settings.api_audience(),
        sub: link.user,
        sid: link.session,
        jti: link.token.simple().to_string(),
        iat: link.made_at.timestamp(),
        exp: expires_at.timestamp(),
        nbf: None,
        scope: None,
        client_id: None,
    };
    Ok(Tokens {
        access_token: claims::sign(app, TokenType::Access, &claims).await?,
        expires_in: (claims.exp - app.clock.now().timestamp()).max(0),
        refresh_token: link.refresh_token,
        refresh_token_expires_at: TOKEN_SESSIONS.ends_at(link.made_at, link.session_expires_at),
    })
}

/// Begins the session of a program whose person has proved who they are, with a second factor or without. Their owner is
/// told of each one, as of a new browser: there is nothing by which a program would be known.
pub(in crate::accounts) async fn start(
    app: &App,
    tx: &mut SystemTx,
    user: UserId,
    email: &str,
    visitor: &Visitor,
    by_second_factor: bool,
) -> Result<Tokens, Fault> {
    let now = app.clock.now().trunc_subsecs(6);
    let link = Link {
        session: SessionId::from_uuid(Uuid::now_v7()),
        user,
        session_expires_at: now + TOKEN_SESSIONS.absolute,
        token: Uuid::now_v7(),
        made_at: now,
        refresh_token: OpaqueToken::generate()?,
    };
    refresh_tokens::start(
        tx,
        &NewTokenSession {
            id: link.session,
            user,
            device: &visitor.device(),
            address: visitor.address,
            by_second_factor,
            created_at: now,
            expires_at: link.session_expires_at,
            token: link.token,
            token_hash: &link.refresh_token.hash(),
        },
    )
    .await?;
    let act = Act::new("session.started", user).user(user).address(visitor.address);
    audit::record(app, &mut *tx, act.target(link.session)).await?;
    devices::tell(app, tx, user, email, link.session, visitor).await?;
    issue(app, link).await
}
