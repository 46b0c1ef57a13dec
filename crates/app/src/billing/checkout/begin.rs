//! Somebody presses *Buy*: the name is reserved, the checkout written, and a payment page opened for it.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde_json::json;
use tenantry_domain::{
    billing::{
        PaymentError,
        catalog::{Delivery, PlanTerms},
        checkout::{CheckoutFailure, CheckoutState},
        provider::{AfterFailure, References, SessionRequest},
    },
    ids::{CheckoutId, OrganizationId, PlanVersionId, PriceId, TenantId, UserId},
    provisioning::HostLabel,
};
use tenantry_operations::jobs;
use tenantry_postgres::{
    DatabaseError, SystemTx,
    billing::{
        catalog::{self, PricedPlanRow},
        checkouts::{self, CheckoutRow, NewCheckout},
        customers,
    },
};
use uuid::Uuid;

use super::{
    super::{
        BillingFault,
        calls::{self, Intent, Write},
        customers as customer,
    },
    expire,
    page::{self, Closed},
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
    provisioning::{CheckNameError, CreatePendingError, NewTenant, create_pending},
};

/// How long a page may be paid on. The provider takes no less than half an hour.
const OPEN_FOR: TimeDelta = TimeDelta::hours(1);
/// A name outlives its page by this much, so that a payment in the last second finds it although the provider cannot
/// be reached for a while. It is given back as soon as the provider says that the page is closed.
const NAME_GRACE: TimeDelta = TimeDelta::hours(24);

/// What somebody wants to buy.
#[derive(Debug, Clone)]
pub struct BeginCheckout<'a> {
    /// The checkout's identifier: beginning the same one again goes on with it.
    pub id: CheckoutId,
    /// Who buys.
    pub organization: OrganizationId,
    /// The organization's present slug, for the links back.
    pub slug: &'a str,
    /// Who pressed the button.
    pub user: Option<UserId>,
    /// The lookup key of a price.
    pub price: &'a str,
    /// What the tenant is to be called.
    pub tenant_name: &'a str,
    /// The trace that follows the purchase.
    pub trace: Option<&'a str>,
}

/// Why there is no payment page.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// Nothing is sold under this key.
    #[error("nothing is sold under the price {0}")]
    PriceUnknown(String),
    /// It is in the catalog, and the payment provider does not have it yet.
    #[error("the price {0} cannot be paid yet: the catalog is being applied")]
    PriceNotReady(String),
    /// It is not delivered as a tenant of its own.
    #[error("{0} is not bought with a name of its own")]
    NotDedicated(String),
    /// The name cannot be used.
    #[error(transparent)]
    Name(#[from] CheckNameError),
    /// The same was paid for a moment ago.
    #[error("this was bought already")]
    AlreadyBought {
        /// In which checkout.
        checkout: CheckoutId,
    },
    /// Too many purchases of this organization wait for their payment.
    #[error("{MAX_OPEN} purchases of this organization wait for their payment")]
    TooManyOpen,
    /// Somebody of the same organization began the same purchase meanwhile; theirs counts.
    #[error("another attempt at the same purchase was begun meanwhile")]
    Superseded,
    /// The payment provider.
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// Ours.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<DatabaseError> for BeginError {
    fn from(error: DatabaseError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<BillingFault> for BeginError {
    fn from(error: BillingFault) -> Self {
        match error {
            BillingFault::Payment(error) => Self::Payment(error),
            BillingFault::Overtaken => Self::Superseded,
            BillingFault::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// Each open checkout keeps a name from everybody else, for nothing.
pub const MAX_OPEN: i64 = 5;

/// Whoever loses so often against others who press the same button is told so.
const MAX_ROUNDS: usize = 5;

/// Opens a payment page, after closing the one that the same purchase had.
///
/// # Errors
/// What is wrong with the wish, or the payment provider's answer. In the latter case the checkout stays: pressing the
/// button again takes its place, and if nobody does it runs out.
pub async fn begin(app: &App, request: &BeginCheckout<'_>) -> Result<CheckoutId, BeginError> {
    if let Some(row) = find_begun(app, request).await? {
        return go_on(app, request, &row).await;
    }
    let name = HostLabel::parse(request.tenant_name).map_err(CheckNameError::from)?;
    for _ in 0..MAX_ROUNDS {
        let mut tx = app.database.read_system("find a price and what is open for it").await?;
        let price = find_price(&mut tx, request.price).await?;
        let open =
            checkouts::find_open_for_name(&mut tx, request.organization, &price.plan.product, name.as_str()).await?;
        tx.commit().await?;
        if let Some(open) = &open {
            close_before(app, request.organization, open, request.trace).await?;
        }
        let closed = open.and_then(|open| open.stripe_session_id);

        let now = app.clock.now();
        let begun = Begun {
            id: request.id,
            // Whole seconds, as the provider keeps them: a repeated request is then the same request.
            expires_at: (now + OPEN_FOR)
                .duration_trunc(TimeDelta::seconds(1))
                .unwrap_or(now + OPEN_FOR),
            price,
        };
        if let Some(tenant) = record(app, request, &begun, &name, closed.as_deref()).await? {
            return open_recorded(app, request, &begun, tenant).await;
        }
    }
    Err(BeginError::Superseded)
}

/// What an earlier attempt of the same call has written.
async fn find_begun(app: &App, request: &BeginCheckout<'_>) -> Result<Option<CheckoutRow>, BeginError> {
    let mut tx = app.database.read_system("find what an earlier attempt began").await?;
    let row = checkouts::find(&mut tx, request.id).await?;
    tx.commit().await?;
    Ok(row.filter(|row| row.organization_id == request.organization.uuid()))
}

/// The earlier attempt died, perhaps before its page was open.
async fn go_on(app: &App, request: &BeginCheckout<'_>, row: &CheckoutRow) -> Result<CheckoutId, BeginError> {
    let tenant = row.tenant_id.map(TenantId::from_uuid);
    let Some(tenant) = tenant.filter(|_| row.is_open() && row.stripe_session_id.is_none()) else {
        return Ok(request.id);
    };
    let mut tx = app.database.read_system("find a price").await?;
    let price = find_price(&mut tx, request.price).await?;
    tx.commit().await?;
    let begun = Begun {
        id: request.id,
        expires_at: row.expires_at,
        price,
    };
    open_recorded(app, request, &begun, tenant).await
}

async fn open_recorded(
    app: &App,
    request: &BeginCheckout<'_>,
    begun: &Begun,
    tenant: TenantId,
) -> Result<CheckoutId, BeginError> {
    match open_page(app, request, begun, tenant).await {
        Ok(()) => Ok(begun.id),
        Err(BeginError::Payment(error)) => {
            if error.after_failure() == AfterFailure::GiveUp {
                give_up(app, begun.id, &error, request.trace).await?;
            }
            Err(BeginError::Payment(error))
        }
        Err(error) => Err(error),
    }
}

struct Begun {
    id: CheckoutId,
    expires_at: DateTime<Utc>,
    price: PayablePrice,
}

/// A price that the payment provider has, too.
struct PayablePrice {
    plan: PricedPlanRow,
    stripe_price_id: String,
}

async fn find_price(tx: &mut SystemTx, lookup_key: &str) -> Result<PayablePrice, BeginError> {
    let price = catalog::find_price_on_sale(tx, lookup_key)
        .await?
        .ok_or_else(|| BeginError::PriceUnknown(lookup_key.to_owned()))?;
    if Delivery::from_text(&price.delivery) != Some(Delivery::Dedicated) {
        return Err(BeginError::NotDedicated(price.product));
    }
    let Some(stripe_price_id) = price.stripe_price_id.clone() else {
        return Err(BeginError::PriceNotReady(lookup_key.to_owned()));
    };
    Ok(PayablePrice {
        plan: price,
        stripe_price_id,
    })
}

/// Closes the page of an attempt that this one replaces. If somebody has paid on it, that was the purchase.
async fn close_before(
    app: &App,
    organization: OrganizationId,
    open: &CheckoutRow,
    trace: Option<&str>,
) -> Result<(), BeginError> {
    let checkout = CheckoutId::from_uuid(open.id);
    let Some(session) = &open.stripe_session_id else {
        return Ok(());
    };
    match page::close(app, checkout, session).await? {
        Closed::Yes => Ok(()),
        Closed::UsedBefore => {
            page::settle(app, session, trace).await?;
            let state = super::get(app, organization, checkout).await?.details.state;
            // A payment that was refused after the page was left bought nothing.
            if state == CheckoutState::Open.as_str() || state == CheckoutState::Paid.as_str() {
                return Err(BeginError::AlreadyBought { checkout });
            }
            Ok(())
        }
    }
}

/// Writes the checkout and everything that it needs, in one transaction. `None`: somebody opened another page for the
/// same purchase since `closed` was closed, and that one has to be closed first.
async fn record(
    app: &App,
    request: &BeginCheckout<'_>,
    begun: &Begun,
    name: &HostLabel,
    closed: Option<&str>,
) -> Result<Option<TenantId>, BeginError> {
    let now = app.clock.now();
    let mut tx = app
        .database
        .system("begin a checkout: reserve a host across organizations, queue a job")
        .await?;
    customers::lock_purchases(&mut tx, request.organization).await?;
    let product = &begun.price.plan.product;
    let before = checkouts::find_open_for_name(&mut tx, request.organization, product, name.as_str()).await?;
    let kept = match before {
        Some(before) => {
            let id = CheckoutId::from_uuid(before.id);
            // Locked, so that its maker cannot note a page after this look: a page that is noted too late is closed by
            // its maker.
            let before = checkouts::lock(&mut tx, id).await?.filter(CheckoutRow::is_open);
            let Some(before) = before else { return Ok(None) };
            if before.stripe_session_id.is_some() && before.stripe_session_id.as_deref() != closed {
                return Ok(None);
            }
            checkouts::end_open(&mut tx, id, CheckoutState::Expired, None, now).await?;
            before.tenant_id.map(TenantId::from_uuid)
        }
        None => None,
    };
    if checkouts::count_open(&mut tx, request.organization, now).await? >= MAX_OPEN {
        return Err(BeginError::TooManyOpen);
    }
    let tenant = name_tenant(&mut tx, app, request, begun, name, kept).await?;
    let checkout = NewCheckout {
        id: begun.id,
        organization: request.organization,
        product,
        price: PriceId::from_uuid(begun.price.plan.price_id),
        tenant: Some(tenant),
        created_by: request.user,
        created_at: now,
        expires_at: begun.expires_at,
        trace_id: request.trace,
    };
    checkouts::insert(&mut tx, &checkout).await?;
    let job = expire::job(begun.id, begun.expires_at)
        .map_err(Fault::from)?
        .trace_id(request.trace.map(str::to_owned));
    jobs::enqueue(tx.connection(), job).await.map_err(DatabaseError::from)?;
    let actor = request
        .user
        .map_or_else(|| "tenantry".to_owned(), |user| user.to_string());
    let act = Act::new("checkout.begun", actor)
        .organization(request.organization)
        .target(begun.id)
        .body(json!({ "price": request.price, "tenant": tenant }));
    audit::record(app, &mut tx, act).await?;
    tx.commit().await?;
    Ok(Some(tenant))
}

/// The tenant that the attempt before has named, if it still has its name; else a new one.
async fn name_tenant(
    tx: &mut SystemTx,
    app: &App,
    request: &BeginCheckout<'_>,
    begun: &Begun,
    name: &HostLabel,
    kept: Option<TenantId>,
) -> Result<TenantId, BeginError> {
    let reserved_until = begun.expires_at + NAME_GRACE;
    // It may have been removed meanwhile, or its name may have run out and be somebody else's.
    if let Some(tenant) = kept
        && checkouts::extend_reservation(tx, tenant, reserved_until).await?
    {
        return Ok(tenant);
    }
    let new = NewTenant {
        id: TenantId::from_uuid(Uuid::now_v7()),
        organization: request.organization,
        product: &begun.price.plan.product,
        plan_version: PlanVersionId::from_uuid(begun.price.plan.plan_version_id),
        name: name.as_str(),
        reserved_until: Some(reserved_until),
    };
    create_pending(tx, app, &new).await.map_err(|error| match error {
        CreatePendingError::Name(error) => BeginError::Name(error),
        CreatePendingError::Fault(fault) => BeginError::Fault(fault),
    })
}

async fn open_page(app: &App, request: &BeginCheckout<'_>, begun: &Begun, tenant: TenantId) -> Result<(), BeginError> {
    let customer = customer::ensure(app, request.organization).await?;
    let terms: PlanTerms = serde_json::from_value(begun.price.plan.definition.clone()).map_err(Fault::from)?;
    let path = format!("/o/{}/checkouts/{}", request.slug, begun.id);
    let write = Write::Checkout(SessionRequest {
        customer,
        price: begun.price.stripe_price_id.clone(),
        trial_days: terms.trial_days,
        success_url: app.settings.link(&path),
        cancel_url: app.settings.link(&format!("{path}/cancelled")),
        expires_at: begun.expires_at,
        references: References {
            installation: Some(app.settings.installation),
            organization: Some(request.organization),
            checkout: Some(begun.id),
            tenant: Some(tenant),
        },
    });
    let intent = Intent {
        key: format!("checkout:{}:create", begun.id),
        purpose: "open a payment page",
        subject: Some(begun.id.uuid()),
        write: &write,
    };
    let written = calls::perform(app, &intent).await?;
    let session = written.session.as_ref();
    let url = session.and_then(|session| session.url.as_deref());
    let expires_at = session.and_then(|session| session.expires_at);
    let mut tx = app.database.system("note a payment page").await?;
    let is_current = checkouts::set_session(&mut tx, begun.id, &written.id, url, expires_at).await?;
    tx.commit().await?;
    if !is_current {
        page::close(app, begun.id, &written.id).await?;
        return Err(BeginError::Superseded);
    }
    Ok(())
}

/// The provider will never open this page: the checkout has failed and its name is free again.
async fn give_up(app: &App, checkout: CheckoutId, error: &PaymentError, trace: Option<&str>) -> Result<(), BeginError> {
    let failure = CheckoutFailure {
        code: error.code().to_owned(),
        detail: "The payment page could not be opened. Nothing was charged. We have been told; try again later."
            .to_owned(),
    };
    page::end_without_page(app, checkout, CheckoutState::Failed, Some(&failure), trace).await?;
    Ok(())
}
