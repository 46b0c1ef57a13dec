//! Writes what was decided.

use serde_json::json;
use tenantry_domain::{
    billing::{
        checkout::CheckoutState,
        settle::{Change, NewContract},
    },
    ids::{CheckoutId, SubscriptionId, TenantId},
};
use tenantry_postgres::{
    DatabaseError, SystemTx,
    billing::{checkouts, subscriptions},
    provisioning::{domains, tenants},
};
use uuid::Uuid;

use super::super::{BillingFault, cancel, checkout::expire, sales};
use crate::{
    App,
    audit::{self, Act},
    provisioning::{self, StartError},
};

/// Who acts here, in the audit log and on operations.
const ACTOR: &str = "stripe";

/// Makes all changes in the caller's transaction: all of them, or none.
pub(super) async fn changes(
    tx: &mut SystemTx,
    app: &App,
    changes: &[Change],
    trace: Option<&str>,
) -> Result<(), BillingFault> {
    let now = app.clock.now();
    for change in changes {
        match change {
            Change::OpenContract(new) => open_contract(tx, app, new, trace).await?,
            Change::UpdateContract {
                contract,
                price,
                plan_version,
                state,
                entitlement,
            } => {
                subscriptions::update(tx, *contract, *price, *plan_version, state, entitlement, now).await?;
            }
            Change::SettleCheckout {
                checkout,
                state,
                failure,
                refund_of,
            } => {
                checkouts::settle(tx, *checkout, *state, failure.as_ref(), refund_of.as_deref(), now).await?;
                let refund_needed = refund_of.is_some();
                tracing::info!(%checkout, state = state.as_str(), refund_needed, "a checkout ended");
                note_checkout(tx, app, *checkout, *state, refund_needed).await?;
                if refund_needed {
                    sales::report_refund(tx, app, *checkout, trace).await?;
                }
            }
            Change::NoteRefund { checkout } => {
                checkouts::set_refunded(tx, *checkout, now).await?;
                sales::confirm_refund(tx, app, *checkout, ACTOR, trace).await?;
            }
            Change::KeepName { tenant } => domains::keep(&mut *tx, *tenant).await?,
            Change::ReleaseTenant { tenant } => provisioning::discard_pending(tx, *tenant).await?,
            Change::StartProvision { tenant } => start_provision(tx, app, *tenant, trace).await?,
            Change::WantTenant { tenant, desired } => {
                tenants::set_desired(&mut *tx, *tenant, *desired).await?;
                provisioning::look_again(tx, *tenant, trace).await?;
            }
            Change::TellPayer { provider_id, invoice } => {
                sales::tell_payer(tx, app, provider_id, invoice, trace).await?;
            }
            Change::CancelAtProvider { provider_id } => cancel::enqueue(tx, provider_id, trace).await?,
        }
    }
    Ok(())
}

async fn open_contract(
    tx: &mut SystemTx,
    app: &App,
    new: &NewContract,
    trace: Option<&str>,
) -> Result<(), BillingFault> {
    let id = SubscriptionId::from_uuid(Uuid::now_v7());
    subscriptions::open(tx, id, new, app.clock.now()).await?;
    if let Some(tenant) = new.tenant {
        domains::keep(&mut *tx, tenant).await?;
        expire::close_others(tx, tenant, new.checkout, app.clock.now(), trace).await?;
    }
    let act = Act::new("subscription.started", ACTOR)
        .organization(new.organization)
        .target(id)
        .body(json!({ "checkout": new.checkout, "product": new.product, "status": new.state.status }));
    audit::record(app, tx, act).await?;
    Ok(())
}

async fn note_checkout(
    tx: &mut SystemTx,
    app: &App,
    checkout: CheckoutId,
    state: CheckoutState,
    refund_needed: bool,
) -> Result<(), BillingFault> {
    let row = checkouts::find(&mut *tx, checkout)
        .await?
        .ok_or(DatabaseError::NotFound)?;
    let organization = tenantry_domain::ids::OrganizationId::from_uuid(row.organization_id);
    let act = Act::new("checkout.ended", ACTOR)
        .organization(organization)
        .target(checkout)
        .body(json!({ "state": state, "refund_needed": refund_needed }));
    audit::record(app, tx, act).await?;
    Ok(())
}

async fn start_provision(
    tx: &mut SystemTx,
    app: &App,
    tenant: TenantId,
    trace: Option<&str>,
) -> Result<(), BillingFault> {
    match provisioning::start_provision(tx, app, tenant, "it was paid for", ACTOR, trace).await {
        Ok(_) => Ok(()),
        Err(StartError::Fault(fault)) => Err(fault.into()),
        // The tenant moved between the decision and now; the next look decides anew.
        Err(other) => {
            tracing::warn!(%tenant, reason = %other, "a tenant that is paid for cannot be started now");
            Err(BillingFault::Overtaken)
        }
    }
}
