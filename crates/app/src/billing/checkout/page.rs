//! Closing a payment page, so that nobody can pay on it any more.

use chrono::TimeDelta;
use tenantry_domain::{
    billing::{
        PaymentError,
        checkout::{CheckoutFailure, CheckoutState},
        provider::{EventObject, References, SessionStatus},
    },
    ids::{CheckoutId, OrganizationId, TenantId},
};
use tenantry_postgres::billing::{
    checkouts::{self, CheckoutRow},
    customers,
};

use super::super::{
    BillingFault, apply,
    calls::{self, Intent, Write},
};
use crate::{App, provisioning};

/// A page may have been made a little before the checkout's own time, as clocks differ.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(10);

/// What a page turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// Nobody can pay on it any more.
    Yes,
    /// Somebody was faster and went through it.
    UsedBefore,
}

/// Closes a page at the provider.
pub(super) async fn close(app: &App, checkout: CheckoutId, session: &str) -> Result<Closed, BillingFault> {
    let intent = Intent {
        key: format!("checkout:{checkout}:expire:{session}"),
        purpose: "close a payment page",
        subject: Some(checkout.uuid()),
        write: &Write::ExpireCheckout {
            session: session.to_owned(),
        },
    };
    match calls::perform(app, &intent).await {
        Ok(_) => Ok(Closed::Yes),
        // Only an open page can be closed, so it was used or ran out.
        Err(BillingFault::Payment(PaymentError::Invalid { .. } | PaymentError::Conflict { .. })) => {
            match app.payments.get_checkout(session).await?.status {
                SessionStatus::Complete => Ok(Closed::UsedBefore),
                SessionStatus::Expired => Ok(Closed::Yes),
                SessionStatus::Open | SessionStatus::Unknown => Err(PaymentError::Conflict {
                    code: String::new(),
                    message: "the page stays open".to_owned(),
                }
                .into()),
            }
        }
        Err(BillingFault::Payment(PaymentError::NotFound)) => Ok(Closed::Yes),
        Err(error) => Err(error),
    }
}

/// Makes the ledger follow a page.
pub(super) async fn settle(app: &App, session: &str, trace: Option<&str>) -> Result<(), BillingFault> {
    apply::settle_object(app, &EventObject::CheckoutSession(session.to_owned()), trace).await?;
    Ok(())
}

/// The page of a checkout: the one that was noted, or one that was made and whose answer never came.
pub(super) async fn find(app: &App, row: &CheckoutRow) -> Result<Option<String>, BillingFault> {
    if let Some(session) = &row.stripe_session_id {
        return Ok(Some(session.clone()));
    }
    let organization = OrganizationId::from_uuid(row.organization_id);
    let mut tx = app
        .database
        .read_system("find an organization at the payment provider")
        .await?;
    let customer = customers::find(&mut tx, organization)
        .await?
        .and_then(|customer| customer.provider_id);
    tx.commit().await?;
    let Some(customer) = customer else { return Ok(None) };
    let references = References {
        installation: Some(app.settings.installation),
        checkout: Some(CheckoutId::from_uuid(row.id)),
        ..References::default()
    };
    let found = app
        .payments
        .find_checkout(&customer, &references, row.created_at - CLOCK_SKEW)
        .await?;
    Ok(found.map(|session| session.id))
}

/// Ends an open checkout for which there is no page, and gives its name back. One that was given a page meanwhile has
/// its page closed instead, and one that has ended stays as it is.
pub(super) async fn end_without_page(
    app: &App,
    checkout: CheckoutId,
    state: CheckoutState,
    failure: Option<&CheckoutFailure>,
    trace: Option<&str>,
) -> Result<(), BillingFault> {
    let mut tx = app.database.system("end a checkout that has no page").await?;
    let Some(row) = checkouts::lock(&mut tx, checkout).await?.filter(CheckoutRow::is_open) else {
        return Ok(());
    };
    if let Some(session) = &row.stripe_session_id {
        drop(tx);
        close(app, checkout, session).await?;
        return settle(app, session, trace).await;
    }
    checkouts::end_open(&mut tx, checkout, state, failure, app.clock.now()).await?;
    if let Some(tenant) = row.tenant_id {
        provisioning::discard_pending(&mut tx, TenantId::from_uuid(tenant)).await?;
    }
    Ok(tx.commit().await?)
}
