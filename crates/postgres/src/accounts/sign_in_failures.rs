//! Failed sign-ins, counted by a keyed hash of what was tried.

use chrono::{DateTime, Utc};
use tenantry_domain::accounts::throttle::Failures;

use crate::{DatabaseError, SystemTx};

type Row = (i32, DateTime<Utc>);

fn failures((count, last_at): Row) -> Failures {
    Failures {
        count: u32::try_from(count).unwrap_or_default(),
        last_at,
    }
}

/// What has failed for this subject so far. Its row is made if need be and stays locked until the transaction ends:
/// attempts that come at once are judged one after the other, the first ones too. Lock subjects in the same order always.
///
/// # Errors
/// The database's.
pub async fn lock(tx: &mut SystemTx, subject: &[u8; 32], now: DateTime<Utc>) -> Result<Failures, DatabaseError> {
    // One statement: between two, whoever succeeded might have forgotten the row.
    let row: Row = sqlx::query_as(
        "insert into sign_in_failures as f (subject, failures, last_failed_at) values ($1, 0, $2)
         on conflict (subject) do update set failures = f.failures
         returning failures, last_failed_at",
    )
    .bind(subject.as_slice())
    .bind(now)
    .fetch_one(tx)
    .await?;
    Ok(failures(row))
}

/// Counts one more failure, from one again if the last is older than `forgotten_before`.
///
/// # Errors
/// The database's.
pub async fn count(
    tx: &mut SystemTx,
    subject: &[u8; 32],
    now: DateTime<Utc>,
    forgotten_before: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into sign_in_failures as f (subject, failures, last_failed_at) values ($1, 1, $2)
         on conflict (subject) do update
         set failures = case when f.last_failed_at < $3 then 1 else least(f.failures + 1, 1000000) end,
             last_failed_at = $2",
    )
    .bind(subject.as_slice())
    .bind(now)
    .bind(forgotten_before)
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets all failures of a subject.
///
/// # Errors
/// The database's.
pub async fn forget(tx: &mut SystemTx, subject: &[u8; 32]) -> Result<(), DatabaseError> {
    sqlx::query("delete from sign_in_failures where subject = $1")
        .bind(subject.as_slice())
        .execute(tx)
        .await?;
    Ok(())
}

/// Takes one counted failure back: it was none. Returns what is left of them.
///
/// # Errors
/// The database's.
pub async fn take_back(tx: &mut SystemTx, subject: &[u8; 32]) -> Result<Option<Failures>, DatabaseError> {
    let row: Option<Row> = sqlx::query_as(
        "update sign_in_failures set failures = greatest(failures - 1, 0) where subject = $1
         returning failures, last_failed_at",
    )
    .bind(subject.as_slice())
    .fetch_optional(tx)
    .await?;
    Ok(row.map(failures))
}

/// Takes one counted failure back and ends the pause that those before it cost: the next attempt is looked at at once.
/// Returns what is left of them.
///
/// # Errors
/// The database's.
pub async fn end_pause(
    tx: &mut SystemTx,
    subject: &[u8; 32],
    failed_at: DateTime<Utc>,
) -> Result<Option<Failures>, DatabaseError> {
    let row: Option<Row> = sqlx::query_as(
        "update sign_in_failures set failures = greatest(failures - 1, 0), last_failed_at = least(last_failed_at, $2)
         where subject = $1
         returning failures, last_failed_at",
    )
    .bind(subject.as_slice())
    .bind(failed_at)
    .fetch_optional(tx)
    .await?;
    Ok(row.map(failures))
}

/// Takes a failure back that was counted at `counted_at` and never was one. The pause that it began ends with it, unless
/// somebody has failed since: the last one then counts as from `ended_at`.
///
/// # Errors
/// The database's.
pub async fn undo(
    tx: &mut SystemTx,
    subject: &[u8; 32],
    counted_at: DateTime<Utc>,
    ended_at: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "update sign_in_failures
         set failures = greatest(failures - 1, 0),
             last_failed_at = case when last_failed_at = $2 then $3 else last_failed_at end
         where subject = $1",
    )
    .bind(subject.as_slice())
    .bind(counted_at)
    .bind(ended_at)
    .execute(tx)
    .await?;
    Ok(())
}
