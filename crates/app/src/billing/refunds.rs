//! A payment that bought nothing goes back: by an operator's act here, or by hand at the payment provider.

use serde_json::json;
use tenantry_domain::{
    billing::{
        PaymentError,
        provider::{EventObject, References, RefundRequest},
    },
    ids::{CheckoutId, OrganizationId, TenantId},
};
use tenantry_postgres::{DatabaseError, SystemTx, billing::checkouts};

use super::{
    BillingFault, apply,
    calls::{self, Intent, Write},
    sales::{self, Sale},
};
use crate::{
    App,
    audit::{self, Act},
};

/// Why nothing goes back.
#[derive(Debug, thiserror::Error)]
pub enum RefundError {
    /// No such checkout.
    #[error("there is no such checkout")]
    Unknown,
    /// Nothing on it is to go back, or it has gone back.
    #[error("no payment on this checkout is to go back")]
    NotNeeded,
    /// The provider knows no payment for it.
    #[error("the payment provider knows no payment for subscription {subscription}")]
    NoPayment {
        /// The provider's identifier.
        subscription: String,
    },
    /// The provider refuses.
    #[error("the payment provider refuses: {0}")]
    Refused(PaymentError),
    /// Anything else.
    #[error(transparent)]
    Fault(#[from] BillingFault),
}

impl From<DatabaseError> for RefundError {
    fn from(error: DatabaseError) -> Self {
        Self::Fault(error.into())
    }
}

/// Sends the payment on a checkout back that bought nothing. Doing it twice sends it once.
///
/// # Errors
/// When nothing is to go back; the provider's or the ledger's, after which the same may be asked for again.
pub async fn refund(app: &App, checkout: CheckoutId, actor: &str, trace: Option<&str>) -> Result<Sale, RefundError> {
    let mut tx = app.database.system("an operator sends a payment back").await?;
    let wanted = checkouts::lock_refund(&mut tx, checkout)
        .await?
        .ok_or(RefundError::Unknown)?;
    if !wanted.refund_needed {
        // Perhaps an earlier attempt of the same call, or somebody at the provider, was faster.
        return match wanted.refunded_at {
            Some(_) => sold(&mut tx, checkout).await,
            None => Err(RefundError::NotNeeded),
        };
    }
    let act = Act::new("refund.requested", actor)
        .organization(OrganizationId::from_uuid(wanted.organization_id))
        .target(checkout)
        .body(json!({ "subscription": wanted.refund_of }));
    audit::record(app, &mut tx, act).await?;
    tx.commit().await?;

    let subscription = wanted.refund_of.ok_or(RefundError::NotNeeded)?;
    let payment = payment_of(app, &subscription)
        .await?
        .ok_or(RefundError::NoPayment { subscription })?;
    let write = Write::Refund(RefundRequest {
        payment_intent: payment.clone(),
        references: References {
            installation: Some(app.settings.installation),
            organization: Some(OrganizationId::from_uuid(wanted.organization_id)),
            checkout: Some(checkout),
            tenant: wanted.tenant_id.map(TenantId::from_uuid),
        },
    });
    let intent = Intent {
        key: format!("checkout:{checkout}:refund:{payment}"),
        purpose: "send a payment back that bought nothing",
        subject: Some(checkout.uuid()),
        write: &write,
    };
    let sent = calls::perform(app, &intent).await;
    // What the provider says now decides, whoever sent the money back.
    apply::settle_object(app, &EventObject::PaymentIntent(payment), trace).await?;
    let mut tx = app.database.system("an operator reads a checkout").await?;
    let sale = sold(&mut tx, checkout).await?;
    match sent {
        Err(BillingFault::Payment(error)) if sale.refund_needed && !error.is_temporary() => {
            Err(RefundError::Refused(error))
        }
        Err(error) if sale.refund_needed => Err(error.into()),
        _ => Ok(sale),
    }
}

/// The payment that is to go back for a subscription, if the provider knows one.
///
/// # Errors
/// The provider's.
pub(super) async fn payment_of(app: &App, subscription: &str) -> Result<Option<String>, BillingFault> {
    let subscription = app.payments.get_subscription(subscription).await?;
    match subscription.latest_invoice {
        Some(invoice) => Ok(app.payments.payment_intent_of_invoice(&invoice).await?),
        None => Ok(None),
    }
}

async fn sold(tx: &mut SystemTx, checkout: CheckoutId) -> Result<Sale, RefundError> {
    sales::find(tx, checkout).await?.ok_or(RefundError::Unknown)
}
