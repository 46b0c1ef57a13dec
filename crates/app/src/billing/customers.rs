//! Organizations as customers of the payment provider: made when they buy for the first time, and told of what changes.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    billing::provider::{CustomerRequest, References},
    ids::{OrganizationId, UserId},
};
use tenantry_operations::jobs::{self, Job, JobContext, JobError, NewJob};
use tenantry_postgres::{
    DatabaseError, SystemTx,
    billing::customers::{self, CustomerRow},
};
use uuid::Uuid;

use super::{
    BillingFault,
    calls::{self, Intent, Write},
    job_error,
};
use crate::{App, error::Fault};

/// What the provider is told of an organization.
fn request(app: &App, organization: OrganizationId, row: CustomerRow) -> CustomerRequest {
    CustomerRequest {
        name: row.name,
        email: row.email,
        references: References {
            installation: Some(app.settings.installation),
            organization: Some(organization),
            ..References::default()
        },
    }
}

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
    let write = Write::Customer(request(app, organization, row));
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

/// Tells the provider how an organization is reached now.
#[derive(Debug)]
pub struct UpdateCustomer;

/// Which, and after which change: what was written after an earlier one is no answer to this one.
#[derive(Debug, Serialize, Deserialize)]
pub struct Payload {
    organization: OrganizationId,
    change: Uuid,
}

/// Queues, in the caller's transaction, that invoices of an owner's organizations go to the address that they have now.
/// One job for each organization: of two changes, the later one is written last.
pub(crate) async fn follow_owner(tx: &mut SystemTx, owner: UserId) -> Result<(), Fault> {
    for organization in customers::list_owned(tx, owner).await? {
        let payload = Payload {
            organization,
            change: Uuid::now_v7(),
        };
        let job =
            NewJob::of::<UpdateCustomer>(&payload)?.unique_key(format!("{}:{organization}", UpdateCustomer::KIND));
        jobs::enqueue(tx.connection(), job).await.map_err(DatabaseError::from)?;
    }
    Ok(())
}

#[async_trait]
impl Job for UpdateCustomer {
    const KIND: &'static str = "customer.update";
    type Context = App;
    type Payload = Payload;

    async fn run(cx: &JobContext<App>, payload: Payload) -> Result<(), JobError> {
        cx.fence().await?;
        update(cx.context(), payload).await.map_err(job_error)
    }
}

async fn update(app: &App, Payload { organization, change }: Payload) -> Result<(), BillingFault> {
    let mut tx = app
        .database
        .read_system("look at how an organization is reached")
        .await?;
    let row = customers::find(&mut tx, organization).await?;
    tx.commit().await?;
    // Whoever is no customer yet becomes one under the address of that day.
    let Some((row, customer)) = row.and_then(|row| {
        let customer = row.provider_id.clone()?;
        Some((row, customer))
    }) else {
        return Ok(());
    };
    let write = Write::UpdateCustomer {
        customer,
        request: request(app, organization, row),
    };
    let intent = Intent {
        key: format!("customer:{organization}:update:{change}"),
        purpose: "tell how an organization is reached",
        subject: Some(organization.uuid()),
        write: &write,
    };
    calls::perform(app, &intent).await.map(drop)
}
