//! The fence of each object at the provider: what was asked for earlier never overwrites what was asked for later.

use chrono::{DateTime, Utc};
use tenantry_domain::ids::OrganizationId;

use crate::{DatabaseError, SystemTx};

/// Takes the next number for a fetch of this object. To be committed before the object is asked for.
///
/// # Errors
/// The database.
pub async fn take_fetch_no(tx: &mut SystemTx, object_id: &str) -> Result<i64, DatabaseError> {
    Ok(sqlx::query_scalar(
        "insert into stripe_objects (object_id, next_fetch_no) values ($1, 1) \
         on conflict (object_id) do update set next_fetch_no = stripe_objects.next_fetch_no + 1 \
         returning next_fetch_no",
    )
    .bind(object_id)
    .fetch_one(&mut *tx)
    .await?)
}

/// Locks the objects until the transaction ends, and says for each whether an answer with that number may still be
/// applied. Objects are locked in the order of their identifiers, so that two settlements never wait for each other.
///
/// # Errors
/// The database.
pub async fn lock(tx: &mut SystemTx, fetched: &[(String, i64)]) -> Result<Vec<String>, DatabaseError> {
    let (ids, numbers): (Vec<&str>, Vec<i64>) = fetched.iter().map(|(id, number)| (id.as_str(), *number)).unzip();
    Ok(sqlx::query_scalar(
        "with locked as ( \
             select object_id, applied_fetch_no from stripe_objects where object_id = any($1) \
             order by object_id for update) \
         select l.object_id from locked l join unnest($1::text[], $2::bigint[]) as f (object_id, fetch_no) \
             on f.object_id = l.object_id and f.fetch_no > l.applied_fetch_no",
    )
    .bind(ids)
    .bind(numbers)
    .fetch_all(&mut *tx)
    .await?)
}

/// Notes that the answers with these numbers were applied.
///
/// # Errors
/// The database.
pub async fn set_applied(
    tx: &mut SystemTx,
    fetched: &[(String, i64)],
    organization: Option<OrganizationId>,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let (ids, numbers): (Vec<&str>, Vec<i64>) = fetched.iter().map(|(id, number)| (id.as_str(), *number)).unzip();
    sqlx::query(
        "update stripe_objects o set applied_fetch_no = f.fetch_no, applied_at = $3, \
             organization_id = coalesce(o.organization_id, $4) \
         from unnest($1::text[], $2::bigint[]) as f (object_id, fetch_no) \
         where f.object_id = o.object_id and f.fetch_no > o.applied_fetch_no",
    )
    .bind(ids)
    .bind(numbers)
    .bind(now)
    .bind(organization.map(OrganizationId::uuid))
    .execute(&mut *tx)
    .await?;
    Ok(())
}
