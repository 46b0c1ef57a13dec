//! Sessions of users, found by the hash of their secret.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use tenantry_domain::ids::{OperatorId, SessionId, UserId};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx, UserTx};

/// A session to begin.
#[derive(Debug, Clone)]
pub struct NewSession<'a> {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// SHA-256 of the secret that the browser keeps.
    pub secret_hash: &'a [u8; 32],
    /// What the browser says it is.
    pub device: &'a str,
    /// Where it signed in from.
    pub address: Option<IpAddr>,
    /// Whether a second factor was shown.
    pub by_second_factor: bool,
    /// Now.
    pub created_at: DateTime<Utc>,
    /// Its end, however much it is used.
    pub expires_at: DateTime<Utc>,
}

/// A session that has not ended, and whose it is.
#[derive(Debug, Clone)]
pub struct LiveSession {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// The user's address.
    pub email: String,
    /// The user's name.
    pub name: String,
    /// When it was used last, as far as written down.
    pub last_used_at: DateTime<Utc>,
    /// When its person last proved who they are.
    pub proved_at: DateTime<Utc>,
    /// Whether the user has a second factor.
    pub second_factor: bool,
    /// Whether a second factor was shown in this session.
    pub by_second_factor: bool,
    /// Its end, however much it is used.
    pub expires_at: DateTime<Utc>,
    /// The operator who looks through it, if it is not the user's own.
    pub impersonation: Option<Impersonation>,
}

/// Who looks through somebody else's session, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impersonation {
    /// The operator.
    pub operator: OperatorId,
    /// The operator's address.
    pub operator_email: String,
    /// In the operator's words.
    pub reason: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    user_id: Uuid,
    email_normalized: String,
    name: String,
    last_used_at: DateTime<Utc>,
    proved_at: DateTime<Utc>,
    second_factor: bool,
    by_second_factor: bool,
    expires_at: DateTime<Utc>,
    impersonator_id: Option<Uuid>,
    impersonator_email: Option<String>,
    impersonation_reason: Option<String>,
}

impl From<Row> for LiveSession {
    fn from(row: Row) -> Self {
        Self {
            id: SessionId::from_uuid(row.id),
            user: UserId::from_uuid(row.user_id),
            email: row.email_normalized,
            name: row.name,
            last_used_at: row.last_used_at,
            proved_at: row.proved_at,
            second_factor: row.second_factor,
            by_second_factor: row.by_second_factor,
            expires_at: row.expires_at,
            impersonation: impersonation(row.impersonator_id, row.impersonator_email, row.impersonation_reason),
        }
    }
}

/// Begins a session.
///
/// # Errors
/// The database's.
pub async fn insert(tx: &mut SystemTx, session: &NewSession<'_>) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into sessions
             (id, user_id, secret_hash, device, address, created_at, last_used_at, proved_at, expires_at, mfa_at)
         values ($1, $2, $3, $4, $5::text::inet, $6, $6, $6, $7, case when $8 then $6::timestamptz end)",
    )
    .bind(session.id.uuid())
    .bind(session.user.uuid())
    .bind(session.secret_hash.as_slice())
    .bind(session.device)
    .bind(session.address.map(|address| address.to_string()))
    .bind(session.created_at)
    .bind(session.expires_at)
    .bind(session.by_second_factor)
    .execute(tx)
    .await?;
    Ok(())
}

/// The session with this secret, unless it has ended, has expired, was not used since `idle_since`, or the operator who
/// looks through it may not any more.
///
/// # Errors
/// The database's.
pub async fn find_live(
    tx: &mut SystemTx,
    secret_hash: &[u8; 32],
    now: DateTime<Utc>,
    idle_since: DateTime<Utc>,
) -> Result<Option<LiveSession>, DatabaseError> {
    let row: Option<Row> = sqlx::query_as(
        "select s.id, s.user_id, u.email_normalized, u.name, s.last_used_at, s.proved_at, s.expires_at,
             exists (select from totp_factors f where f.user_id = u.id and f.confirmed_at is not null) as second_factor,
             s.mfa_at is not null as by_second_factor,
             s.impersonator_id, o.email_normalized as impersonator_email, s.impersonation_reason
         from sessions s join users u on u.id = s.user_id left join operators o on o.id = s.impersonator_id
         where s.secret_hash = $1 and s.kind = 'browser' and s.ended_at is null and s.expires_at > $2
             and s.last_used_at > $3 and u.deleted_at is null
             and (s.impersonator_id is null or (o.disabled_at is null and o.role <> 'viewer'))",
    )
    .bind(secret_hash.as_slice())
    .bind(now)
    .bind(idle_since)
    .fetch_optional(tx)
    .await?;
    Ok(row.map(LiveSession::from))
}

/// The session of a program, unless it has ended, has expired, or was not used since `idle_since`.
///
/// # Errors
/// The database's.
pub async fn find_live_token(
    tx: &mut SystemTx,
    id: SessionId,
    now: DateTime<Utc>,
    idle_since: DateTime<Utc>,
) -> Result<Option<LiveSession>, DatabaseError> {
    let row: Option<Row> = sqlx::query_as(
        "select s.id, s.user_id, u.email_normalized, u.name, s.last_used_at, s.proved_at, s.expires_at,
             exists (select from totp_factors f where f.user_id = u.id and f.confirmed_at is not null) as second_factor,
             s.mfa_at is not null as by_second_factor,
             null::uuid as impersonator_id, null::text as impersonator_email, null::text as impersonation_reason
         from sessions s join users u on u.id = s.user_id
         where s.id = $1 and s.kind = 'token' and s.ended_at is null and s.expires_at > $2
             and s.last_used_at > $3 and u.deleted_at is null",
    )
    .bind(id.uuid())
    .bind(now)
    .bind(idle_since)
    .fetch_optional(tx)
    .await?;
    Ok(row.map(LiveSession::from))
}

fn impersonation(operator: Option<Uuid>, email: Option<String>, reason: Option<String>) -> Option<Impersonation> {
    Some(Impersonation {
        operator: OperatorId::from_uuid(operator?),
        operator_email: email.unwrap_or_default(),
        reason: reason.unwrap_or_default(),
    })
}

/// Writes down that a session was used.
///
/// # Errors
/// The database's.
pub async fn touch(tx: &mut SystemTx, id: SessionId, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    sqlx::query("update sessions set last_used_at = $2 where id = $1 and last_used_at < $2 and ended_at is null")
        .bind(id.uuid())
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

/// Writes down that the person behind a session proved who they are.
///
/// # Errors
/// The database's.
pub async fn prove(
    tx: &mut SystemTx,
    id: SessionId,
    by_second_factor: bool,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "update sessions set proved_at = $3, mfa_at = case when $2 then $3 else mfa_at end
         where id = $1 and ended_at is null",
    )
    .bind(id.uuid())
    .bind(by_second_factor)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// What was proved in a user's other sessions counts no more: their next act that cannot be taken back, and every
/// organization that demands a second factor, asks for a proof. None looks younger than `proved_at` then.
///
/// # Errors
/// The database's.
pub async fn unprove_others(
    tx: &mut SystemTx,
    user: UserId,
    present: SessionId,
    proved_at: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "update sessions set proved_at = least(proved_at, $3), mfa_at = null
         where user_id = $1 and id <> $2 and ended_at is null",
    )
    .bind(user.uuid())
    .bind(present.uuid())
    .bind(proved_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// Since when a session must have been used to be live. Programs come back less often than people.
#[derive(Debug, Clone, Copy)]
pub struct IdleSince {
    /// In a browser.
    pub browsers: DateTime<Utc>,
    /// By a program.
    pub programs: DateTime<Utc>,
}

/// A session as its owner sees it in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSession {
    /// Its id.
    pub id: SessionId,
    /// `browser`, `token`, or `support` for an operator who looks through the user's eyes.
    pub kind: String,
    /// What the browser or program said it was. What an operator has says nothing to the user.
    pub device: String,
    /// Where it signed in from.
    pub address: Option<String>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was used last, as far as written down.
    pub last_used_at: DateTime<Utc>,
    /// Its end, however much it is used.
    pub expires_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    id: Uuid,
    kind: String,
    device: String,
    address: Option<String>,
    created_at: DateTime<Utc>,
    last_used_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// A user's sessions that have not ended, newest first, from `after` on.
///
/// # Errors
/// The database's.
pub async fn list_live(
    tx: &mut UserTx,
    user: UserId,
    now: DateTime<Utc>,
    idle_since: IdleSince,
    after: Option<SessionId>,
    limit: i64,
) -> Result<Vec<ListedSession>, DatabaseError> {
    let rows: Vec<ListedRow> = sqlx::query_as(
        "select id, case when impersonator_id is null then kind else 'support' end as kind,
             case when impersonator_id is null then device else '' end as device,
             case when impersonator_id is null then host(address) end as address, created_at, last_used_at, expires_at
         from sessions
         where user_id = $1 and ended_at is null and expires_at > $2
             and last_used_at > case kind when 'token' then $6::timestamptz else $3::timestamptz end
             and ($4::uuid is null or id < $4)
         order by id desc
         limit $5",
    )
    .bind(user.uuid())
    .bind(now)
    .bind(idle_since.browsers)
    .bind(after.map(SessionId::uuid))
    .bind(limit)
    .bind(idle_since.programs)
    .fetch_all(tx)
    .await?;
    let listed = rows.into_iter().map(|row| ListedSession {
        id: SessionId::from_uuid(row.id),
        kind: row.kind,
        device: row.device,
        address: row.address,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
    });
    Ok(listed.collect())
}

/// Ends one of a user's sessions; `false` when it is not theirs or has ended.
///
/// # Errors
/// The database's.
pub async fn end_own(tx: &mut UserTx, user: UserId, id: SessionId, now: DateTime<Utc>) -> Result<bool, DatabaseError> {
    let ended = sqlx::query("update sessions set ended_at = $3 where user_id = $1 and id = $2 and ended_at is null")
        .bind(user.uuid())
        .bind(id.uuid())
        .bind(now)
        .execute(tx)
        .await?;
    Ok(ended.rows_affected() == 1)
}

/// Ends every session of a user, but one; in the user's own scope or the system's.
///
/// # Errors
/// The database's.
pub async fn end_all(
    executor: impl PgExecutor<'_>,
    user: UserId,
    except: Option<SessionId>,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "update sessions set ended_at = $3 where user_id = $1 and ended_at is null and id is distinct from $2::uuid",
    )
    .bind(user.uuid())
    .bind(except.map(SessionId::uuid))
    .bind(now)
    .persistent(false)
    .execute(executor)
    .await?;
    Ok(())
}

/// Whether a user has or had this session, as far back as sessions are kept.
///
/// # Errors
/// The database's.
pub async fn exists(tx: &mut SystemTx, user: UserId, id: SessionId) -> Result<bool, DatabaseError> {
    Ok(
        sqlx::query_scalar("select exists (select from sessions where user_id = $1 and id = $2)")
            .bind(user.uuid())
            .bind(id.uuid())
            .fetch_one(tx)
            .await?,
    )
}

/// Ends a session, in its user's own scope or the system's; `false` when it had ended before.
///
/// # Errors
/// The database's.
pub async fn end(executor: impl PgExecutor<'_>, id: SessionId, now: DateTime<Utc>) -> Result<bool, DatabaseError> {
    let ended = sqlx::query("update sessions set ended_at = $2 where id = $1 and ended_at is null")
        .bind(id.uuid())
        .bind(now)
        .persistent(false)
        .execute(executor)
        .await?;
    Ok(ended.rows_affected() == 1)
}
