//! Users look at their sessions and end them.

use chrono::{DateTime, Utc};
use tenantry_domain::{
    accounts::{
        session::{self, USER_SESSIONS},
        tokens::TOKEN_SESSIONS,
    },
    ids::SessionId,
};
use tenantry_postgres::accounts::sessions::{self, IdleSince, ListedSession};

use super::{UserSession, Visitor};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// A session in a list.
pub type SessionSummary = ListedSession;

/// The user's sessions that have not ended, newest first, from `after` on.
///
/// # Errors
/// The database's.
pub async fn list_sessions(
    app: &App,
    session: &UserSession,
    after: Option<SessionId>,
    limit: i64,
) -> Result<Vec<SessionSummary>, Fault> {
    let now = app.clock.now();
    let mut tx = app.database.user(session.user).await?;
    let mut listed = sessions::list_live(&mut tx, session.user, now, idle_since(now), after, limit).await?;
    for session in &mut listed {
        session.expires_at = session::limits_of(&session.kind).ends_at(session.last_used_at, session.expires_at);
    }
    Ok(listed)
}

/// What lists show is what still opens something.
pub(super) fn idle_since(now: DateTime<Utc>) -> IdleSince {
    IdleSince {
        browsers: now - USER_SESSIONS.idle,
        programs: now - TOKEN_SESSIONS.idle,
    }
}

/// Ends one of the user's sessions, also the present one; `false` when it is not theirs.
///
/// # Errors
/// The database's.
pub async fn end_session(app: &App, session: &UserSession, id: SessionId, visitor: &Visitor) -> Result<bool, Fault> {
    let mut tx = app.database.user(session.user).await?;
    if !sessions::end_own(&mut tx, session.user, id, app.clock.now()).await? {
        return Ok(false);
    }
    let act = Act::new("session.ended", session.user)
        .user(session.user)
        .address(visitor.address);
    audit::record(app, &mut tx, act.target(id)).await?;
    tx.commit().await?;
    Ok(true)
}

/// Ends all of the user's sessions but the present one.
///
/// # Errors
/// The database's.
pub async fn end_other_sessions(app: &App, session: &UserSession, visitor: &Visitor) -> Result<(), Fault> {
    let mut tx = app.database.user(session.user).await?;
    sessions::end_all(&mut tx, session.user, Some(session.id), app.clock.now()).await?;
    let act = Act::new("sessions.others_ended", session.user)
        .user(session.user)
        .address(visitor.address);
    audit::record(app, &mut tx, act.target(session.id)).await?;
    Ok(tx.commit().await?)
}
