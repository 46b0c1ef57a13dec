//! Organizations as customers of the payment provider: made when they buy for the first time.

use tenantry_domain::{
    billing::provider::{CustomerRequest, References},
    ids::OrganizationId,
};
use tenantry_postgres::{DatabaseError, billing::customers};

use super::{
    BillingFault,
    calls::{self, Intent, Write},
};
use crate::App;

/// The provider's identifier of an organization, which is made a customer if it is none yet.
pub(super) async fn ensure(app: &App, organization: OrganizationId) -> Result<String, BillingFault> {
    let mut tx = app
        .database
        .read_system("find an organization at the payment provider")
        .await?;
    let row = customers::find(&mut tx, organization)
        .await?
        .ok_or(DatabaseError::NotFound)?;
    tx.commit().await?;
    if let Some(id) = row.provider_id {
        return Ok(id);
    }
    let write = Write::Customer(CustomerRequest {
        name: row.name,
        email: row.email,
        references: References {
            installation: Some(app.settings.installation),
            organization: Some(organization),
            ..References::default()
        },
    });
    let intent = Intent {
        key: format!("customer:{organization}"),
        purpose: "make an organization a customer",
        subject: Some(organization.uuid()),
        write: &write,
    };
    let written = calls::perform(app, &intent).await?;
    let mut tx = app.database.system("note a new customer").await?;
    let known = customers::set_provider_id(&mut tx, organization, &written.id).await?;
    tx.commit().await?;
    Ok(known)
}
