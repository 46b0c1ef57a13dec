//! The record of who did what: rows are added in the transaction that does it and never changed.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgExecutor;
use tenantry_domain::ids::{AuditEventId, OrganizationId, UserId};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// One act.
#[derive(Debug, Clone)]
pub struct NewAuditEvent<'a> {
    /// Its id.
    pub id: AuditEventId,
    /// The organization that it concerns.
    pub organization: Option<OrganizationId>,
    /// The user whom it concerns.
    pub user: Option<UserId>,
    /// What was done: `session.started`.
    pub action: &'a str,
    /// Who did it: an id, or `anonymous`, or the part of the program.
    pub actor: &'a str,
    /// Where from.
    pub address: Option<IpAddr>,
    /// What it was done to.
    pub target: Option<&'a str>,
    /// The rest.
    pub body: &'a Value,
    /// When.
    pub at: DateTime<Utc>,
}

/// Writes one act down, in any scope that may see it.
///
/// # Errors
/// The database's.
pub async fn insert(executor: impl PgExecutor<'_>, event: &NewAuditEvent<'_>) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into audit_events (id, organization_id, user_id, action, actor, address, target, body, at)
         values ($1, $2, $3, $4, $5, $6::text::inet, $7, $8, $9)",
    )
    .bind(event.id.uuid())
    .bind(event.organization.map(OrganizationId::uuid))
    .bind(event.user.map(UserId::uuid))
    .bind(event.action)
    .bind(event.actor)
    .bind(event.address.map(|address| address.to_string()))
    .bind(event.target)
    .bind(event.body)
    .bind(event.at)
    .persistent(false)
    .execute(executor)
    .await?;
    Ok(())
}

/// Writes one act down in the log of each of these organizations.
///
/// # Errors
/// The database's.
pub async fn insert_in_organizations(
    tx: &mut SystemTx,
    event: &NewAuditEvent<'_>,
    organizations: &[(AuditEventId, OrganizationId)],
) -> Result<(), DatabaseError> {
    let (ids, organizations): (Vec<Uuid>, Vec<Uuid>) = organizations
        .iter()
        .map(|(id, organization)| (id.uuid(), organization.uuid()))
        .unzip();
    sqlx::query(
        "insert into audit_events (id, organization_id, user_id, action, actor, address, target, body, at)
         select l.id, l.organization_id, $3, $4, $5, $6::text::inet, $7, $8, $9
         from unnest($1::uuid[], $2::uuid[]) as l (id, organization_id)",
    )
    .bind(ids)
    .bind(organizations)
    .bind(event.user.map(UserId::uuid))
    .bind(event.action)
    .bind(event.actor)
    .bind(event.address.map(|address| address.to_string()))
    .bind(event.target)
    .bind(event.body)
    .bind(event.at)
    .execute(tx)
    .await?;
    Ok(())
}
