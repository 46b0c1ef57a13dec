//! Operators look after people: find them, see their sessions, end one. Whoever looks at personal data is written down,
//! in the transaction that reads it.

use chrono::{DateTime, Utc};
use serde_json::json;
use tenantry_domain::{
    accounts::session,
    ids::{SessionId, UserId},
};
use tenantry_postgres::accounts::{
    user_directory::{self, UserDetailRow, UserOrganizationRow, UserRow},
    user_sessions::{self, UserSessionRow},
};
use uuid::Uuid;

use super::{Caretaker, own_sessions::idle_since};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// A person in the operators' list.
pub type UserSummary = UserRow;
/// A session of a person, as operators see it.
pub type UserSessionSummary = UserSessionRow;

/// Organizations that a person's page names; the count says how many there are.
const NAMED_ORGANIZATIONS: i64 = 100;

/// One person, and what they belong to.
#[derive(Debug, Clone)]
pub struct UserDetail {
    /// The person.
    pub user: UserDetailRow,
    /// Their first hundred organizations by name.
    pub organizations: Vec<UserOrganizationRow>,
}

/// Part of a list.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// When the last item of the page before was made, and its id.
    pub after: Option<(DateTime<Utc>, Uuid)>,
    /// How many at most.
    pub limit: i64,
}

/// People, newest first. An id is found by itself; of words, each must begin a word of the name or address.
///
/// # Errors
/// The database's.
pub async fn list_users(
    app: &App,
    search: Option<&str>,
    slice: Slice,
    by: Caretaker,
) -> Result<Vec<UserSummary>, Fault> {
    let mut tx = app.database.system("an operator looks for people").await?;
    let rows = match search.and_then(|text| text.parse::<UserId>().ok()) {
        Some(id) => user_directory::find(&mut tx, id)
            .await?
            .map(|detail| detail.summary)
            .into_iter()
            .collect(),
        None => user_directory::list(&mut tx, search, slice.after, slice.limit).await?,
    };
    // Whom they saw, never what they typed: that may be an address.
    let seen: Vec<String> = rows.iter().map(|row| UserId::from_uuid(row.id).to_string()).collect();
    let act = Act::new("users.listed", by)
        .address(by.address())
        .body(json!({ "users": seen, "searched": search.is_some() }));
    audit::record(app, &mut tx, act).await?;
    tx.commit().await?;
    Ok(rows)
}

/// One person; `None` when there is none, or they have deleted their account.
///
/// # Errors
/// The database's.
pub async fn find_user(app: &App, user: UserId, by: Caretaker) -> Result<Option<UserDetail>, Fault> {
    let mut tx = app.database.system("an operator looks at a person").await?;
    let Some(found) = user_directory::find(&mut tx, user).await? else {
        return Ok(None);
    };
    let organizations = user_directory::organizations(&mut tx, user, NAMED_ORGANIZATIONS).await?;
    let act = Act::new("user.viewed", by)
        .user(user)
        .address(by.address())
        .target(user);
    audit::record(app, &mut tx, act).await?;
    tx.commit().await?;
    Ok(Some(UserDetail {
        user: found,
        organizations,
    }))
}

/// The person whom an id or an address names.
///
/// # Errors
/// The database's.
pub async fn find_user_id(app: &App, text: &str) -> Result<Option<UserId>, Fault> {
    let mut tx = app.database.read_system("find a person by id or address").await?;
    if let Ok(id) = text.parse() {
        return Ok(user_directory::find(&mut tx, id).await?.map(|_| id));
    }
    let Ok(email) = tenantry_domain::accounts::Email::parse(text) else {
        return Ok(None);
    };
    Ok(user_directory::find_by_email(&mut tx, email.as_str()).await?)
}

/// Sessions of a person that have not ended, newest first; `None` when there is no such person.
///
/// # Errors
/// The database's.
pub async fn list_user_sessions(
    app: &App,
    user: UserId,
    slice: Slice,
    by: Caretaker,
) -> Result<Option<Vec<UserSessionSummary>>, Fault> {
    let now = app.clock.now();
    let mut tx = app.database.system("an operator looks at a person's sessions").await?;
    if user_directory::find(&mut tx, user).await?.is_none() {
        return Ok(None);
    }
    let mut rows = user_sessions::list(&mut tx, user, now, idle_since(now), slice.after, slice.limit).await?;
    for row in &mut rows {
        row.expires_at = session::limits_of(&row.kind).ends_at(row.last_used_at, row.expires_at);
    }
    let act = Act::new("user.sessions_viewed", by)
        .user(user)
        .address(by.address())
        .target(user);
    audit::record(app, &mut tx, act).await?;
    tx.commit().await?;
    Ok(Some(rows))
}

/// Ends one session of a person; `false` when they have no such session.
///
/// # Errors
/// The database's.
pub async fn end_user_session(app: &App, user: UserId, session: SessionId, by: Caretaker) -> Result<bool, Fault> {
    let mut tx = app.database.system("an operator ends a person's session").await?;
    if !user_sessions::end(&mut tx, user, session, app.clock.now()).await? {
        return Ok(false);
    }
    let act = Act::new("session.ended", by)
        .user(user)
        .address(by.address())
        .target(session);
    audit::record(app, &mut tx, act).await?;
    tx.commit().await?;
    Ok(true)
}

/// Ends all sessions of a person, in browsers and programs; says how many.
///
/// # Errors
/// The database's.
pub async fn end_user_sessions(app: &App, user: UserId, by: Caretaker) -> Result<usize, Fault> {
    let mut tx = app.database.system("an operator ends a person's sessions").await?;
    let ended = user_sessions::end_all(&mut tx, user, app.clock.now()).await?;
    for session in &ended {
        let act = Act::new("session.ended", by)
            .user(user)
            .address(by.address())
            .target(session);
        audit::record(app, &mut tx, act).await?;
    }
    tx.commit().await?;
    Ok(ended.len())
}
