//! Rows of `tenants`.

use chrono::{DateTime, Utc};
use sqlx::{Executor, FromRow, Postgres, Row, postgres::PgRow, types::Json};
use tenantry_domain::{
    billing::subscription::Access,
    ids::{ClusterId, OrganizationId, PlanVersionId, SubscriptionId, TenantId},
    provisioning::{
        DesiredState, StateReason, TenantState,
        convergence::{Activity, NextStep, Observed, Situation},
    },
};
use uuid::Uuid;

use crate::DatabaseError;

/// A tenant as the ledger knows it.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Its identifier.
    pub id: TenantId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What pays for it; an operator's tenant has none.
    pub subscription: Option<SubscriptionId>,
    /// Key of its product.
    pub product: String,
    /// Where it runs.
    pub cluster: ClusterId,
    /// The label of its host.
    pub name: String,
    /// Its host, while it has one.
    pub host: Option<String>,
    /// Its namespace.
    pub namespace: String,
    /// Its Helm release.
    pub release: String,
    /// What is wanted.
    pub desired: DesiredState,
    /// What is.
    pub state: TenantState,
    /// Why.
    pub state_reason: Option<StateReason>,
    /// The plan that it should have.
    pub plan_wanted: PlanVersionId,
    /// The plan that it was made by.
    pub plan_applied: Option<PlanVersionId>,
    /// How many attempts at making or removing it have failed in a row.
    pub attempt: i32,
    /// When the next attempt starts by itself.
    pub retry_at: Option<DateTime<Utc>>,
    /// When it was named.
    pub created_at: DateTime<Utc>,
}

impl FromRow<'_, PgRow> for Tenant {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let word = |column: &str| row.try_get::<String, _>(column);
        let decoded = |error: tenantry_domain::provisioning::state::UnknownState| sqlx::Error::Decode(error.into());
        Ok(Self {
            id: TenantId::from_uuid(row.try_get("id")?),
            organization: OrganizationId::from_uuid(row.try_get("organization_id")?),
            subscription: row
                .try_get::<Option<Uuid>, _>("subscription_id")?
                .map(SubscriptionId::from_uuid),
            product: word("product")?,
            cluster: ClusterId::from_uuid(row.try_get("cluster_id")?),
            name: word("name")?,
            host: row.try_get("host")?,
            namespace: word("namespace")?,
            release: word("release")?,
            desired: word("desired")?.parse().map_err(decoded)?,
            state: word("state")?.parse().map_err(decoded)?,
            state_reason: row
                .try_get::<Option<Json<StateReason>>, _>("state_reason")?
                .map(|reason| reason.0),
            plan_wanted: PlanVersionId::from_uuid(row.try_get("plan_version_wanted")?),
            plan_applied: row
                .try_get::<Option<Uuid>, _>("plan_version_applied")?
                .map(PlanVersionId::from_uuid),
            attempt: row.try_get("attempt")?,
            retry_at: row.try_get("retry_at")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

/// A tenant to be named.
#[derive(Debug, Clone)]
pub struct NewTenant<'a> {
    /// Its identifier.
    pub id: TenantId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Key of its product.
    pub product: &'a str,
    /// The plan that it should have.
    pub plan_version: PlanVersionId,
    /// Where it will run.
    pub cluster: ClusterId,
    /// The label of its host.
    pub name: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its Helm release.
    pub release: &'a str,
}

/// Writes a tenant in state `pending`.
///
/// # Errors
/// When the product or plan does not exist, or the database fails.
pub async fn insert<'c>(tx: impl Executor<'c, Database = Postgres>, new: &NewTenant<'_>) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into tenants (id, organization_id, product, cluster_id, name, namespace, release, plan_version_wanted) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .persistent(false)
    .bind(new.id.uuid())
    .bind(new.organization.uuid())
    .bind(new.product)
    .bind(new.cluster.uuid())
    .bind(new.name)
    .bind(new.namespace)
    .bind(new.release)
    .bind(new.plan_version.uuid())
    .execute(tx)
    .await?;
    Ok(())
}

/// One tenant that the scope sees.
///
/// # Errors
/// When the database fails.
pub async fn find<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    id: TenantId,
) -> Result<Option<Tenant>, DatabaseError> {
    let found = sqlx::query_as(
        "select t.*, d.host from tenants t left join domains d on d.tenant_id = t.id where t.id = $1 \
         order by d.created_at limit 1",
    )
    .persistent(false)
    .bind(id.uuid())
    .fetch_optional(tx)
    .await?;
    Ok(found)
}

/// One tenant, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn lock<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    id: TenantId,
) -> Result<Option<Tenant>, DatabaseError> {
    let found = sqlx::query_as(
        "select t.*, (select d.host from domains d where d.tenant_id = t.id order by d.created_at limit 1) as host \
         from tenants t where t.id = $1 for update of t",
    )
    .persistent(false)
    .bind(id.uuid())
    .fetch_optional(tx)
    .await?;
    Ok(found)
}

/// What the tenant's contract gives; nothing without one.
///
/// # Errors
/// When the database fails.
pub async fn access<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    id: TenantId,
) -> Result<Option<Access>, DatabaseError> {
    let access: Option<String> = sqlx::query_scalar(
        "select e.access from tenants t join entitlements e \
           on e.organization_id = t.organization_id and e.subscription_id = t.subscription_id where t.id = $1",
    )
    .persistent(false)
    .bind(id.uuid())
    .fetch_optional(tx)
    .await?;
    Ok(access.as_deref().and_then(Access::from_text))
}

/// Tenants by id, namespace, host or the label of the host, whichever the text is; newest first.
///
/// # Errors
/// When the database fails.
pub async fn search<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    id: Option<TenantId>,
    text: &str,
) -> Result<Vec<Tenant>, DatabaseError> {
    let found = sqlx::query_as(
        "select t.*, d.host from tenants t left join domains d on d.tenant_id = t.id \
         where t.id = $1 or t.namespace = $2 or d.host = $2 or t.name = $2 \
         order by t.created_at desc, t.id desc limit 20",
    )
    .persistent(false)
    .bind(id.map(TenantId::uuid))
    .bind(text)
    .fetch_all(tx)
    .await?;
    Ok(found)
}

/// Which part of a list of tenants is wanted.
#[derive(Debug, Clone, Default)]
pub struct TenantFilter {
    /// Only this state.
    pub state: Option<TenantState>,
    /// Part of the name, host, namespace or organization's name.
    pub search: Option<String>,
    /// Only those that come after this one: its time and id.
    pub after: Option<(DateTime<Utc>, uuid::Uuid)>,
    /// At most so many.
    pub limit: i64,
}

/// The tenants that the scope sees, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    filter: &TenantFilter,
) -> Result<Vec<Tenant>, DatabaseError> {
    let (after_at, after_id) = filter.after.unzip();
    let found = sqlx::query_as(
        "select t.*, d.host from tenants t \
         join organizations o on o.id = t.organization_id \
         left join lateral (select host from domains where tenant_id = t.id order by created_at limit 1) d on true \
         where ($1::text is null or t.state = $1) \
           and ($2::text is null or t.name ilike $2 or d.host ilike $2 or t.namespace ilike $2 or o.name ilike $2) \
           and ($3::timestamptz is null or (t.created_at, t.id) < ($3, $4)) \
         order by t.created_at desc, t.id desc limit $5",
    )
    .persistent(false)
    .bind(filter.state.map(TenantState::as_str))
    .bind(filter.search.as_deref().map(containing))
    .bind(after_at)
    .bind(after_id)
    .bind(filter.limit)
    .fetch_all(tx)
    .await?;
    Ok(found)
}

/// A pattern for `like` that means the text itself, anywhere.
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// Moves a tenant. The caller has the move from [`TenantState`]; the database refuses an illegal one too.
///
/// # Errors
/// When the move is illegal or the database fails.
pub async fn set_state<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    id: TenantId,
    state: TenantState,
    reason: Option<&StateReason>,
) -> Result<(), DatabaseError> {
    sqlx::query("update tenants set state = $2, state_reason = $3 where id = $1")
        .persistent(false)
        .bind(id.uuid())
        .bind(state.as_str())
        .bind(reason.map(Json))
        .execute(tx)
        .await?;
    Ok(())
}

/// What is wanted of a tenant from now on.
///
/// # Errors
/// When the database fails.
pub async fn set_desired<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    id: TenantId,
    desired: DesiredState,
) -> Result<(), DatabaseError> {
    sqlx::query("update tenants set desired = $2 where id = $1")
        .persistent(false)
        .bind(id.uuid())
        .bind(desired.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// It was made by the plan that it should have; failed attempts are forgotten.
///
/// # Errors
/// When the database fails.
pub async fn record_success<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    id: TenantId,
    plan: PlanVersionId,
) -> Result<(), DatabaseError> {
    sqlx::query("update tenants set plan_version_applied = $2, attempt = 0, retry_at = null where id = $1")
        .persistent(false)
        .bind(id.uuid())
        .bind(plan.uuid())
        .execute(tx)
        .await?;
    Ok(())
}

/// An attempt failed; the next one starts at `retry_at`, or when a person wants it.
///
/// # Errors
/// When the database fails.
pub async fn record_failure<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    id: TenantId,
    attempt: i32,
    retry_at: Option<DateTime<Utc>>,
) -> Result<(), DatabaseError> {
    sqlx::query("update tenants set attempt = $2, retry_at = $3 where id = $1")
        .persistent(false)
        .bind(id.uuid())
        .bind(attempt)
        .bind(retry_at)
        .execute(tx)
        .await?;
    Ok(())
}

/// The count of failed attempts begins anew, because something else is attempted.
///
/// # Errors
/// When the database fails.
pub async fn forget_failures<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    id: TenantId,
) -> Result<(), DatabaseError> {
    sqlx::query("update tenants set attempt = 0, retry_at = null where id = $1")
        .persistent(false)
        .bind(id.uuid())
        .execute(tx)
        .await?;
    Ok(())
}

/// Takes the appointment for the next attempt away, because one has begun.
///
/// # Errors
/// When the database fails.
pub async fn clear_retry<'c>(tx: impl Executor<'c, Database = Postgres>, id: TenantId) -> Result<(), DatabaseError> {
    sqlx::query("update tenants set retry_at = null where id = $1 and retry_at is not null")
        .persistent(false)
        .bind(id.uuid())
        .execute(tx)
        .await?;
    Ok(())
}

/// A tenant reduced to what a comparison with the cluster needs.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// Its identifier.
    pub id: TenantId,
    /// Its namespace.
    pub namespace: String,
    /// What is wanted.
    pub desired: DesiredState,
    /// What the ledger says is.
    pub state: TenantState,
    /// An operation is at work on it, or waits for a person.
    pub is_busy: bool,
}

impl Expectation {
    /// Whether it should be there, is not, and nobody is at work on that.
    #[must_use]
    pub fn is_missing(&self, observed: Observed) -> bool {
        let situation = Situation {
            desired: self.desired,
            state: self.state,
            observed,
            activity: if self.is_busy { Activity::AtWork } else { Activity::Idle },
            retry_at: None,
        };
        observed == Observed::Missing
            && self.state == TenantState::Active
            && situation.next_step(DateTime::UNIX_EPOCH) == NextStep::Provision
    }
}

impl FromRow<'_, PgRow> for Expectation {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let word = |column: &str| row.try_get::<String, _>(column);
        let decoded = |error: tenantry_domain::provisioning::state::UnknownState| sqlx::Error::Decode(error.into());
        Ok(Self {
            id: TenantId::from_uuid(row.try_get("id")?),
            namespace: word("namespace")?,
            desired: word("desired")?.parse().map_err(decoded)?,
            state: word("state")?.parse().map_err(decoded)?,
            is_busy: row.try_get("is_busy")?,
        })
    }
}

/// Every tenant that is not deleted.
///
/// # Errors
/// When the database fails.
pub async fn expectations<'c>(tx: impl Executor<'c, Database = Postgres>) -> Result<Vec<Expectation>, DatabaseError> {
    let rows = sqlx::query_as(
        "select t.id, t.namespace, t.desired, t.state, \
           exists (select from operations o where o.tenant_id = t.id and o.state not in ('done', 'undone')) as is_busy \
         from tenants t where t.state <> 'deleted'",
    )
    .persistent(false)
    .fetch_all(tx)
    .await?;
    Ok(rows)
}

/// Those of `ids` that the ledger knows as deleted.
///
/// # Errors
/// When the database fails.
pub async fn deleted_among<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    ids: &[TenantId],
) -> Result<Vec<TenantId>, DatabaseError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let deleted: Vec<Uuid> = sqlx::query_scalar("select id from tenants where id = any($1) and state = 'deleted'")
        .persistent(false)
        .bind(ids)
        .fetch_all(tx)
        .await?;
    Ok(deleted.into_iter().map(TenantId::from_uuid).collect())
}
