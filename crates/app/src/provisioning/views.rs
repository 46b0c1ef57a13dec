//! Tenants and operations as lists and pages show them.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_domain::{
    ids::{OperationId, OrganizationId, SubscriptionId, TenantId},
    provisioning::{DesiredState, StateReason, TenantState},
};
use tenantry_operations::Failure;
use tenantry_postgres::{
    DatabaseError, SystemTx,
    provisioning::{
        blueprints,
        operations::{self, OperationRow},
        overview as figures,
        tenants::{self, Tenant, TenantFilter},
    },
};

use super::reader::Reader;
use crate::{App, error::Fault};

/// A tenant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TenantView {
    /// Its identifier.
    pub id: TenantId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What pays for it.
    pub subscription: Option<SubscriptionId>,
    /// The label of its host.
    pub name: String,
    /// Its host, while it has one.
    pub host: Option<String>,
    /// Where it answers.
    pub url: Option<String>,
    /// Key of its product.
    pub product: String,
    /// Key of its plan.
    pub plan: String,
    /// What is.
    pub state: TenantState,
    /// What is wanted.
    pub desired: DesiredState,
    /// Why it stands there.
    pub state_reason: Option<StateReason>,
    /// Its namespace.
    pub namespace: String,
    /// Its Helm release.
    pub release: String,
    /// When the next attempt starts by itself.
    pub retry_at: Option<DateTime<Utc>>,
    /// When it was named.
    pub created_at: DateTime<Utc>,
    /// Its latest operations, newest first; only on the page of one tenant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<OperationSummary>,
}

/// An operation in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OperationSummary {
    /// Its identifier.
    pub id: OperationId,
    /// Whose tenant.
    pub organization: OrganizationId,
    /// On which tenant.
    pub tenant: TenantId,
    /// Which kind.
    pub kind: String,
    /// Where it stands.
    pub state: String,
    /// Why it was queued.
    pub cause: String,
    /// Who wanted it.
    pub actor: String,
    /// Why it went back or is stuck.
    pub failure: Option<Failure>,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// When its first step began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl OperationSummary {
    /// Whether it has not ended: it is at work, or waits for a person.
    #[must_use]
    pub fn is_current(&self) -> bool {
        !matches!(self.state.as_str(), "done" | "undone")
    }
}

impl From<OperationRow> for OperationSummary {
    fn from(row: OperationRow) -> Self {
        Self {
            id: row.id,
            organization: row.organization,
            tenant: row.tenant,
            kind: row.kind,
            state: row.state,
            cause: row.cause,
            actor: row.actor,
            failure: row.error.and_then(|error| serde_json::from_value(error).ok()),
            created_at: row.created_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
        }
    }
}

fn tenant_view(app: &App, row: Tenant, plans: &HashMap<tenantry_domain::ids::PlanVersionId, String>) -> TenantView {
    TenantView {
        id: row.id,
        organization: row.organization,
        subscription: row.subscription,
        url: row.host.as_deref().map(|host| app.settings.tenant_url(host)),
        name: row.name,
        host: row.host,
        product: row.product,
        plan: plans.get(&row.plan_wanted).cloned().unwrap_or_default(),
        state: row.state,
        desired: row.desired,
        state_reason: row.state_reason,
        namespace: row.namespace,
        release: row.release,
        retry_at: row.retry_at,
        created_at: row.created_at,
        operations: Vec::new(),
    }
}

async fn tenant_views(app: &App, tx: &mut SystemTx, rows: Vec<Tenant>) -> Result<Vec<TenantView>, DatabaseError> {
    let versions: Vec<_> = rows.iter().map(|row| row.plan_wanted).collect();
    let plans = blueprints::plan_keys(tx, &versions).await?;
    Ok(rows.into_iter().map(|row| tenant_view(app, row, &plans)).collect())
}

/// The tenants that the reader may see, newest first.
///
/// # Errors
/// When the ledger does not answer.
pub async fn list_tenants(app: &App, reader: Reader, filter: &TenantFilter) -> Result<Vec<TenantView>, Fault> {
    let rows = match reader {
        Reader::Organization(organization) => {
            let mut tx = app.database.read_organization(organization).await?;
            let rows = tenants::list(&mut tx, filter).await?;
            tx.commit().await?;
            rows
        }
        Reader::Operator => {
            let mut tx = app.database.read_system("list tenants for an operator").await?;
            let rows = tenants::list(&mut tx, filter).await?;
            tx.commit().await?;
            rows
        }
    };
    // The catalog is nobody's secret; the rows were read in the caller's scope.
    let mut tx = app.database.read_system("name the plans of tenants").await?;
    let views = tenant_views(app, &mut tx, rows).await?;
    tx.commit().await?;
    Ok(views)
}

/// One tenant with its operations, if the reader may see it.
///
/// # Errors
/// When the ledger does not answer.
pub async fn find_tenant(app: &App, reader: Reader, id: TenantId) -> Result<Option<TenantView>, Fault> {
    let (row, operations) = match reader {
        Reader::Organization(organization) => {
            let mut tx = app.database.read_organization(organization).await?;
            let row = tenants::find(&mut tx, id).await?;
            (row, operations::list_of_tenant(&mut tx, id).await?)
        }
        Reader::Operator => {
            let mut tx = app.database.read_system("show a tenant to an operator").await?;
            let row = tenants::find(&mut tx, id).await?;
            (row, operations::list_of_tenant(&mut tx, id).await?)
        }
    };
    let Some(row) = row else { return Ok(None) };
    let mut tx = app.database.read_system("name the plans of tenants").await?;
    let plans = blueprints::plan_keys(&mut tx, &[row.plan_wanted]).await?;
    tx.commit().await?;
    let mut view = tenant_view(app, row, &plans);
    view.operations = operations.into_iter().map(OperationSummary::from).collect();
    Ok(Some(view))
}

/// Tenants by id, namespace, host or name, for an operator who has one of them.
///
/// # Errors
/// When the ledger does not answer.
pub async fn search_tenants(app: &App, text: &str) -> Result<Vec<TenantView>, Fault> {
    let mut tx = app.database.read_system("find a tenant for an operator").await?;
    let rows = tenants::search(&mut tx, text.parse().ok(), text).await?;
    let views = tenant_views(app, &mut tx, rows).await?;
    tx.commit().await?;
    Ok(views)
}

/// Operations of all tenants, newest first.
///
/// # Errors
/// When the ledger does not answer.
pub async fn list_operations(
    app: &App,
    state: Option<&str>,
    after: Option<(DateTime<Utc>, uuid::Uuid)>,
    limit: i64,
) -> Result<Vec<OperationSummary>, Fault> {
    let mut tx = app.database.read_system("list operations for an operator").await?;
    let rows = operations::list(&mut tx, state, after, limit).await?;
    tx.commit().await?;
    Ok(rows.into_iter().map(OperationSummary::from).collect())
}

/// The figures of the operator's first page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OverviewView {
    /// Every state, also those that no tenant is in.
    pub tenants_by_state: BTreeMap<TenantState, i64>,
    /// Operations that wait for a person.
    pub operations_stuck: i64,
    /// Operations that gave up and undid their steps.
    pub operations_failed: i64,
    /// Events of the payment provider that are not settled.
    pub inbox_pending: i64,
    /// Events that could not be applied.
    pub inbox_failed: i64,
    /// Organizations that are not being deleted.
    pub organizations: i64,
    /// Namespaces with our label that belong to no tenant which the ledger has ever known.
    pub unknown_namespaces: Vec<String>,
}

/// Counts what there is.
///
/// # Errors
/// When the ledger does not answer.
pub async fn overview(app: &App) -> Result<OverviewView, Fault> {
    let mut tx = app.database.read_system("count for the operator's overview").await?;
    let counts = figures::counts(&mut tx).await?;
    let mut tenants_by_state: BTreeMap<TenantState, i64> = TenantState::ALL.iter().map(|state| (*state, 0)).collect();
    for (state, count) in figures::tenants_by_state(&mut tx).await? {
        if let Ok(state) = state.parse() {
            tenants_by_state.insert(state, count);
        }
    }
    tx.commit().await?;
    Ok(OverviewView {
        tenants_by_state,
        operations_stuck: counts.operations_stuck,
        operations_failed: counts.operations_failed,
        inbox_pending: counts.inbox_pending,
        inbox_failed: counts.inbox_failed,
        organizations: counts.organizations,
        unknown_namespaces: counts.unknown_namespaces,
    })
}

/// An organization in the operator's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrganizationEntry {
    /// The organization.
    pub id: OrganizationId,
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Its tenants that are not deleted.
    pub tenants: i64,
}

/// Organizations, newest first; `search` is part of a name or slug.
///
/// # Errors
/// When the ledger does not answer.
pub async fn list_organizations(
    app: &App,
    search: Option<&str>,
    after: Option<(DateTime<Utc>, uuid::Uuid)>,
    limit: i64,
) -> Result<Vec<OrganizationEntry>, Fault> {
    let mut tx = app.database.read_system("list organizations for an operator").await?;
    let rows = figures::organizations(&mut tx, search, after, limit).await?;
    tx.commit().await?;
    Ok(rows
        .into_iter()
        .map(|row| OrganizationEntry {
            id: OrganizationId::from_uuid(row.id),
            slug: row.slug,
            name: row.name,
            created_at: row.created_at,
            tenants: row.tenants,
        })
        .collect())
}

/// How an organization is called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganizationName {
    /// In addresses.
    pub slug: String,
    /// By people.
    pub name: String,
}

/// How organizations are called; those that do not exist are missing.
///
/// # Errors
/// When the ledger does not answer.
pub async fn organization_names(
    app: &App,
    ids: &[OrganizationId],
) -> Result<HashMap<OrganizationId, OrganizationName>, Fault> {
    let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let mut tx = app.database.read_system("name organizations for an operator").await?;
    let rows = figures::names_of(&mut tx, &ids).await?;
    tx.commit().await?;
    Ok(rows
        .into_iter()
        .map(|(id, slug, name)| (OrganizationId::from_uuid(id), OrganizationName { slug, name }))
        .collect())
}
