//! Somebody calls an attempt to buy off.

use tenantry_domain::{
    billing::checkout::CheckoutState,
    ids::{CheckoutId, OrganizationId},
};
use tenantry_postgres::{DatabaseError, billing::checkouts};

use super::{
    super::BillingFault,
    CheckoutView,
    page::{self, Closed},
};
use crate::{
    App,
    audit::{self, Act},
};

/// Closes the payment page and gives the name back. An attempt that has ended, or that somebody has paid for in this
/// moment, is shown as it is.
///
/// # Errors
/// `NotFound` when the organization has no such checkout; the provider's or the ledger's.
pub async fn cancel(
    app: &App,
    organization: OrganizationId,
    checkout: CheckoutId,
    actor: &str,
    trace: Option<&str>,
) -> Result<CheckoutView, BillingFault> {
    let view = super::get(app, organization, checkout).await?;
    if view.details.state != CheckoutState::Open.as_str() {
        return Ok(view);
    }
    let mut tx = app.database.organization(organization).await?;
    let row = checkouts::find(&mut tx, checkout)
        .await?
        .ok_or(DatabaseError::NotFound)?;
    let act = Act::new("checkout.cancelled", actor)
        .organization(organization)
        .target(checkout);
    audit::record(app, &mut tx, act).await?;
    tx.commit().await?;
    match page::find(app, &row).await? {
        Some(session) => {
            let closed = page::close(app, checkout, &session).await?;
            page::settle(app, &session, trace).await?;
            if closed == Closed::UsedBefore {
                tracing::info!(%checkout, "somebody paid while the checkout was being called off");
            }
        }
        None => {
            page::end_without_page(app, checkout, CheckoutState::Expired, None, trace).await?;
        }
    }
    Ok(super::get(app, organization, checkout).await?)
}
