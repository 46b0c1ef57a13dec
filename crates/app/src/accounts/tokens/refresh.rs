//! A program asks for the next pair of tokens. Each refresh token is good once; shown again a little later it is answered
//! as before, and after that it ends the session, since somebody else must have it.

use chrono::{DateTime, SubsecRound, Utc};
use tenantry_domain::{
    accounts::{
        session::LAST_USED_RESOLUTION,
        tokens::{SPENT_TOKENS_REPEAT, TOKEN_SESSIONS},
    },
    ids::{SessionId, UserId},
};
use tenantry_postgres::{
    DatabaseError,
    accounts::{
        refresh_tokens::{self, RotatedRow, Rotation},
        sessions,
    },
};
use uuid::Uuid;

use super::{
    super::{OpaqueToken, Visitor},
    Tokens, installation_secret,
    start::{Link, issue},
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// Why there are no new tokens.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Unknown, spent, or of a session that has ended; which, nobody is told.
    #[error("the refresh token is not good any more")]
    Invalid,
    /// Not the program's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Spends a refresh token and returns the next pair.
///
/// # Errors
/// When the token is not good any more.
pub async fn refresh(app: &App, presented: &OpaqueToken, visitor: &Visitor) -> Result<Tokens, RefreshError> {
    let successor = installation_secret::successor(app, presented).await?;
    let now = app.clock.now().trunc_subsecs(6);
    let token = Uuid::now_v7();
    let rotation = Rotation {
        presented_hash: &presented.hash(),
        successor: token,
        successor_hash: &successor.hash(),
        now,
        idle_since: now - TOKEN_SESSIONS.idle,
        touch_before: now - LAST_USED_RESOLUTION,
    };
    let row = rotate(app, &rotation).await?.ok_or(RefreshError::Invalid)?;
    let (token, made_at) = if row.rotated {
        (token, now)
    } else if row
        .spent_at
        .is_some_and(|spent_at| now - spent_at > SPENT_TOKENS_REPEAT)
    {
        end_family(app, &row, visitor).await?;
        return Err(RefreshError::Invalid);
    } else {
        // Spent by somebody else a moment ago: what they got, this caller gets.
        find(app, rotation.successor_hash).await?.ok_or(RefreshError::Invalid)?
    };
    let link = Link {
        session: SessionId::from_uuid(row.session_id),
        user: UserId::from_uuid(row.user_id),
        session_expires_at: row.expires_at,
        token,
        made_at,
        refresh_token: successor,
    };
    Ok(issue(app, link).await?)
}

/// One statement on a direct connection: it is its own transaction, and its plan is kept. A connection that broke, perhaps
/// long before, is given up for another; whatever became of the statement on it, saying it again has the same outcome.
async fn rotate(app: &App, rotation: &Rotation<'_>) -> Result<Option<RotatedRow>, Fault> {
    match refresh_tokens::rotate(app.database.direct(), rotation).await {
        Err(DatabaseError::Unavailable(_)) => {}
        outcome => return Ok(outcome?),
    }
    let mut tx = app.database.system("token refresh: the token says whose it is").await?;
    let row = refresh_tokens::rotate(&mut tx, rotation).await?;
    tx.commit().await?;
    Ok(row)
}

/// Id and time of a token in a chain.
async fn find(app: &App, hash: &[u8; 32]) -> Result<Option<(Uuid, DateTime<Utc>)>, Fault> {
    let mut tx = app
        .database
        .read_system("token refresh again: the token says whose it is")
        .await?;
    let found = refresh_tokens::find(&mut tx, hash).await?;
    tx.commit().await?;
    Ok(found)
}

/// Whoever shows a token that was spent long ago has stolen it, or was stolen from: neither goes on.
async fn end_family(app: &App, row: &RotatedRow, visitor: &Visitor) -> Result<(), Fault> {
    let session = SessionId::from_uuid(row.session_id);
    let user = UserId::from_uuid(row.user_id);
    let mut tx = app
        .database
        .system("token refresh: a token that was spent ends its session")
        .await?;
    sessions::end(&mut tx, session, app.clock.now()).await?;
    let act = Act::new("refresh_token.reused", "anonymous")
        .user(user)
        .address(visitor.address)
        .target(session);
    audit::record(app, &mut tx, act).await?;
    Ok(tx.commit().await?)
}
