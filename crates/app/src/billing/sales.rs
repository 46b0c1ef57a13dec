//! Every customer's checkouts, as operators see them, and the mail that says that money is to go back.

use chrono::{DateTime, Utc};
use tenantry_domain::{
    ids::{CheckoutId, OrganizationId},
    mail::Message,
    money::{Currency, Money},
};
use tenantry_postgres::{
    DatabaseError, SystemTx,
    billing::{
        customers,
        sales::{self, SaleFilter},
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
    sale.currency.parse::<Currency>().map_or_else(
        |_| sale.amount_minor.to_string(),
        |currency| {
            let amount_minor = sale.amount_minor;
            Money { amount_minor, currency }.to_string()
        },
    )
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
        plan: format!("{} {}", sale.product, sale.plan),
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
        plan: format!("{} {}", sale.product, sale.plan),
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
