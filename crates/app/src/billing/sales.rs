//! Every customer's checkouts, as operators see them, and the mails about money that is to go back or did not come.

use chrono::{DateTime, Utc};
use tenantry_domain::{
    billing::provider::Invoice,
    ids::{CheckoutId, OrganizationId},
    mail::Message,
    money::{Currency, Money},
};
use tenantry_postgres::{
    DatabaseError, SystemTx,
    billing::{
        customers,
        sales::{self, SaleFilter},
        subscriptions,
    },
};
use uuid::Uuid;

use crate::{
    App,
    audit::{self, Act},
    error::Fault,
    mail,
};

pub use sales::SaleRow as Sale;

/// Checkouts, newest first.
///
/// # Errors
/// The database.
pub async fn list(
    app: &App,
    state: Option<&str>,
    refund_needed: Option<bool>,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Sale>, DatabaseError> {
    let filter = SaleFilter {
        id: None,
        state,
        refund_needed,
    };
    let mut tx = app.database.read_system("an operator reads checkouts").await?;
    let sales = sales::list(&mut tx, filter, after, limit).await?;
    tx.commit().await?;
    Ok(sales)
}

/// How many payments are to go back.
///
/// # Errors
/// The database.
pub async fn count_refunds(app: &App) -> Result<i64, DatabaseError> {
    let mut tx = app.database.read_system("an operator counts refunds").await?;
    let count = sales::count_refunds(&mut tx).await?;
    tx.commit().await?;
    Ok(count)
}

/// One checkout.
///
/// # Errors
/// The database.
pub(super) async fn find(tx: &mut SystemTx, checkout: CheckoutId) -> Result<Option<Sale>, DatabaseError> {
    let filter = SaleFilter {
        id: Some(checkout),
        ..SaleFilter::default()
    };
    Ok(sales::list(tx, filter, None, 1).await?.pop())
}

fn amount_of(sale: &Sale) -> String {
    written_amount(sale.amount_minor, &sale.currency)
}

fn written_amount(amount_minor: i64, currency: &str) -> String {
    currency.parse::<Currency>().map_or_else(
        |_| amount_minor.to_string(),
        |currency| Money { amount_minor, currency }.to_string(),
    )
}

/// A plan in the words of the pages that sell it.
fn named(product: &str, plan: &str) -> String {
    format!("{product} {plan}")
}

/// The cause of the mail about an invoice that could not be collected.
pub(super) fn failed_payment(invoice: &str) -> String {
    format!("payment_failed:{invoice}")
}

/// Tells whoever pays, in the transaction that notes it, that a renewal could not be collected.
pub(super) async fn tell_payer(
    tx: &mut SystemTx,
    app: &App,
    provider_id: &str,
    invoice: &Invoice,
    trace: Option<&str>,
) -> Result<(), Fault> {
    let Some(payer) = subscriptions::find_payer(tx, provider_id).await? else {
        return Ok(());
    };
    let Some(to) = payer.email else { return Ok(()) };
    if !mail::is_wanted(tx, &to, |chosen| chosen.payment_failed).await? {
        return Ok(());
    }
    let amount = match &invoice.amount_remaining {
        Some(amount) => amount.to_string(),
        None => written_amount(
            payer.amount_minor.unwrap_or_default(),
            payer.currency.as_deref().unwrap_or_default(),
        ),
    };
    let billing = format!("/o/{}/billing", payer.organization_slug);
    let message = Message::PaymentFailed {
        amount,
        plan: named(&payer.product_name, &payer.plan_name),
        // The provider's own page takes another card.
        link: invoice.page.clone().unwrap_or_else(|| app.settings.link(&billing)),
        organization: payer.organization_name,
    };
    mail::queue_in(tx, app, trace, &failed_payment(&invoice.id), &to, message).await
}

/// Writes down that a payment has gone back, and tells whoever paid, in the transaction that takes the flag away.
pub(super) async fn confirm_refund(
    tx: &mut SystemTx,
    app: &App,
    checkout: CheckoutId,
    actor: &str,
    trace: Option<&str>,
) -> Result<(), Fault> {
    let Some(sale) = find(tx, checkout).await? else {
        return Ok(());
    };
    let organization = OrganizationId::from_uuid(sale.organization_id);
    let act = Act::new("checkout.refunded", actor)
        .organization(organization)
        .target(checkout);
    audit::record(app, &mut *tx, act).await?;
    let owner = customers::find(tx, organization)
        .await?
        .and_then(|customer| customer.email);
    let Some(to) = owner else { return Ok(()) };
    let message = Message::PaymentRefunded {
        amount: amount_of(&sale),
        plan: named(&sale.product_name, &sale.plan_name),
        link: app.settings.link(&format!("/o/{}/billing", sale.organization_slug)),
        organization: sale.organization_name,
    };
    mail::queue_in(tx, app, trace, &format!("refunded:{checkout}"), &to, message).await
}

/// Tells the operator, in the transaction that flags the checkout, that its payment is to go back.
pub(super) async fn report_refund(
    tx: &mut SystemTx,
    app: &App,
    checkout: CheckoutId,
    trace: Option<&str>,
) -> Result<(), Fault> {
    let Some(to) = app.settings.operator_email.as_deref() else {
        return Ok(());
    };
    let Some(sale) = find(tx, checkout).await? else {
        return Ok(());
    };
    let amount = amount_of(&sale);
    let message = Message::RefundNeeded {
        organization: sale.organization_name,
        plan: named(&sale.product_name, &sale.plan_name),
        amount,
        reason: sale.failure.map_or_else(
            || "This was paid for twice in one checkout.".to_owned(),
            |failure| format!("{} ({})", failure.0.detail, failure.0.code),
        ),
        page: sale.stripe_session_id.unwrap_or_default(),
        link: app.settings.operator_link("/operator/refunds"),
    };
    mail::queue_in(tx, app, trace, &format!("refund_needed:{checkout}"), to, message).await
}
