use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::operation::Operation;

/// An operation to be queued.
#[derive(Debug, Clone)]
pub struct NewOperation {
    pub id: Uuid,
    pub scope: Uuid,
    pub subject: Uuid,
    pub kind: &'static str,
    pub params: Value,
    pub cause: String,
    pub actor: String,
    pub trace_id: Option<String>,
    pub wake_at: Option<DateTime<Utc>>,
    pub deadline_at: Option<DateTime<Utc>>,
}

impl NewOperation {
    /// `cause` says why, `actor` who; both are shown to operators and not interpreted.
    pub fn of<O: Operation>(
        scope: Uuid,
        subject: Uuid,
        params: &O::Params,
        cause: impl Into<String>,
        actor: impl Into<String>,
    ) -> Result<Self, EnqueueError> {
        Ok(Self {
            id: Uuid::now_v7(),
            scope,
            subject,
            kind: O::KIND,
            params: serde_json::to_value(params)?,
            cause: cause.into(),
            actor: actor.into(),
            trace_id: None,
            wake_at: None,
            deadline_at: None,
        })
    }

    /// The W3C `traceparent` under which its spans are to appear.
    #[must_use]
    pub fn trace_id(mut self, trace_id: Option<String>) -> Self {
        self.trace_id = trace_id;
        self
    }

    /// Not before this time.
    #[must_use]
    pub fn wake_at(mut self, wake_at: DateTime<Utc>) -> Self {
        self.wake_at = Some(wake_at);
        self
    }

    /// Gives up and unwinds when it has not finished by then.
    #[must_use]
    pub fn deadline_at(mut self, deadline_at: DateTime<Utc>) -> Self {
        self.deadline_at = Some(deadline_at);
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    Queued(Uuid),
    /// Another operation on this subject has not ended; nothing was written.
    AlreadyRunning(Uuid),
}

#[derive(Debug, thiserror::Error)]
pub enum EnqueueError {
    #[error("the parameters cannot be written as JSON")]
    Params(#[from] serde_json::Error),
    #[error("the operation could not be queued")]
    Database(#[from] sqlx::Error),
    /// Another one kept appearing and vanishing, or is not visible in this transaction.
    #[error("another operation on this subject is in the way and cannot be seen")]
    Contended,
}

/// Queues an operation in the caller's transaction: it runs if and only if that commits.
pub async fn enqueue(tx: &mut PgConnection, new: NewOperation) -> Result<Enqueued, EnqueueError> {
    // The one in the way may have ended, or appeared, after this statement's snapshot: look again then.
    for _ in 0..3 {
        let found: Option<(Uuid, bool)> = sqlx::query_as(
            "with queued as ( \
                 insert into operations \
                     (id, organization_id, tenant_id, kind, params, state, cause, actor, trace_id, wake_at, deadline_at) \
                 values ($1, $2, $3, $4, $5, 'queued', $6, $7, $8, coalesce($9, clock_timestamp()), $10) \
                 on conflict do nothing \
                 returning id \
             ) \
             select id, true from queued \
             union all \
             select id, false from operations where tenant_id = $3 and state not in ('done', 'undone') \
             limit 1",
        )
        .persistent(false)
        .bind(new.id)
        .bind(new.scope)
        .bind(new.subject)
        .bind(new.kind)
        .bind(&new.params)
        .bind(&new.cause)
        .bind(&new.actor)
        .bind(&new.trace_id)
        .bind(new.wake_at)
        .bind(new.deadline_at)
        .fetch_optional(&mut *tx)
        .await?;
        match found {
            Some((id, true)) => return Ok(Enqueued::Queued(id)),
            Some((id, false)) => return Ok(Enqueued::AlreadyRunning(id)),
            None => {}
        }
    }
    Err(EnqueueError::Contended)
}

#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    #[error("the operation is not stuck")]
    NotStuck,
    #[error("the operation could not be changed")]
    Database(#[from] sqlx::Error),
}

/// Resumes a stuck operation where it stopped, with all its tries given back.
pub async fn retry(tx: &mut PgConnection, operation: Uuid) -> Result<(), RetryError> {
    // `cause` is what had started the unwinding. Without it the operation was stuck before it had to go back, so it
    // goes on forward.
    let changed = sqlx::query(
        "update operations \
         set state = case when error ? 'cause' then 'undoing' when started_at is null then 'queued' else 'waiting' end, \
             error = error -> 'cause', attempt = attempt + 1, wake_at = clock_timestamp(), lease_until = null \
         where id = $1 and state = 'stuck'",
    )
    .persistent(false)
    .bind(operation)
    .execute(tx)
    .await?
    .rows_affected();
    if changed == 1 {
        Ok(())
    } else {
        Err(RetryError::NotStuck)
    }
}

/// Ends a stuck operation as it is, because a person has cleaned up by hand or another operation will. Its hooks do not
/// run: whoever calls this moves their own tables in the same transaction.
pub async fn abandon(tx: &mut PgConnection, operation: Uuid) -> Result<(), RetryError> {
    let changed = sqlx::query(
        "update operations set state = 'undone', ended_at = clock_timestamp(), lease_until = null \
         where id = $1 and state = 'stuck'",
    )
    .persistent(false)
    .bind(operation)
    .execute(tx)
    .await?
    .rows_affected();
    if changed == 1 {
        Ok(())
    } else {
        Err(RetryError::NotStuck)
    }
}

/// Ends the pauses of operations on these subjects, because what they wait for may have happened. One that a worker holds
/// does not sleep when its step then says *not yet*. Waking what needs no waking is harmless.
pub async fn wake(tx: &mut PgConnection, subjects: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "with asleep as ( \
             select id from operations \
             where tenant_id = any($1) and state in ('running', 'waiting', 'undoing') \
                 and case when lease_until is null then wake_at > clock_timestamp() else not woken end \
             order by id for no key update \
         ) \
         update operations o \
         set woken = o.lease_until is not null, \
             wake_at = case when o.lease_until is null then clock_timestamp() else o.wake_at end \
         from asleep where o.id = asleep.id",
    )
    .persistent(false)
    .bind(subjects)
    .execute(tx)
    .await?;
    Ok(())
}
