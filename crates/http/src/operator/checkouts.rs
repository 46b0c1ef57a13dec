//! Every customer's attempts to buy.

pub mod refund;

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_app::billing::sales::{self, Sale};
use tenantry_domain::ids::{CheckoutId, OrganizationId, TenantId};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    AppState, Operator, Paging, Problem, ValidQuery,
    billing::views::{CheckoutFailure, Money},
    page_of,
    provisioning::views::OrganizationReference,
};

page_of!(
    OperatorCheckoutPage,
    OperatorCheckout,
    "One page of attempts to buy, newest first."
);

/// Where an attempt to buy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperatorCheckoutState {
    /// The payment page may still be used.
    Open,
    /// It was paid for.
    Paid,
    /// The page was closed or ran out.
    Expired,
    /// It went wrong.
    Failed,
}

impl OperatorCheckoutState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }
}

/// An attempt to buy, as operators see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorCheckout {
    /// The checkout.
    pub id: String,
    /// Who buys.
    pub organization: OrganizationReference,
    /// The tenant that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// What that tenant is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_name: Option<String>,
    /// The product's key.
    #[schema(example = "collection")]
    pub product: String,
    /// The plan's key.
    #[schema(example = "starter")]
    pub plan: String,
    /// The price's key.
    #[schema(example = "collection_starter_month_eur")]
    pub price: String,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub state: OperatorCheckoutState,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<CheckoutFailure>,
    /// Whether a payment on it is to go back.
    pub refund_needed: bool,
    /// When a payment on it had gone back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refunded_at: Option<DateTime<Utc>>,
    /// The payment provider's identifier of its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stripe_session_id: Option<String>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
}

impl From<Sale> for OperatorCheckout {
    fn from(sale: Sale) -> Self {
        let state = match sale.state.as_str() {
            "paid" => OperatorCheckoutState::Paid,
            "expired" => OperatorCheckoutState::Expired,
            "failed" => OperatorCheckoutState::Failed,
            _ => OperatorCheckoutState::Open,
        };
        Self {
            id: CheckoutId::from_uuid(sale.id).to_string(),
            organization: OrganizationReference {
                id: OrganizationId::from_uuid(sale.organization_id).to_string(),
                slug: sale.organization_slug,
                name: sale.organization_name,
            },
            tenant_id: sale.tenant_id.map(|id| TenantId::from_uuid(id).to_string()),
            tenant_name: sale.tenant_name,
            product: sale.product,
            plan: sale.plan,
            price: sale.price,
            amount: Money {
                amount_minor: sale.amount_minor,
                currency: sale.currency,
            },
            state,
            failure: sale.failure.map(|failure| CheckoutFailure {
                code: failure.0.code,
                detail: failure.0.detail,
            }),
            refund_needed: sale.refund_needed,
            refunded_at: sale.refunded_at,
            stripe_session_id: sale.stripe_session_id,
            created_at: sale.created_at,
        }
    }
}

/// Which checkouts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OperatorCheckoutParameters {
    /// Only those in this state.
    pub(crate) state: Option<OperatorCheckoutState>,
    /// Only those whose payment is, or is not, to go back.
    pub(crate) refund_needed: Option<bool>,
}

/// All endpoints of this part.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(operator_list_checkouts))
        .routes(routes!(refund::operator_refund_checkout))
}

/// Lists attempts to buy, newest first.
#[utoipa::path(
    get, path = "/checkouts", tag = "operator", security(("operator" = [])),
    params(crate::pagination::PageParameters, OperatorCheckoutParameters),
    responses((status = 200, description = "One page", body = OperatorCheckoutPage))
)]
async fn operator_list_checkouts(
    State(state): State<AppState>,
    _operator: Operator,
    paging: Paging,
    ValidQuery(parameters): ValidQuery<OperatorCheckoutParameters>,
) -> Result<Json<OperatorCheckoutPage>, Problem> {
    let list = format!("checkouts {parameters:?}");
    let after = paging.after::<(DateTime<Utc>, Uuid)>(&state, &list)?;
    let wanted = parameters.state.map(OperatorCheckoutState::as_str);
    let rows = sales::list(&state.app, wanted, parameters.refund_needed, after, paging.fetch()).await?;
    let (rows, next_cursor) = paging.finish(&state, &list, rows, |row| (row.created_at, row.id));
    Ok(Json(OperatorCheckoutPage {
        items: rows.into_iter().map(OperatorCheckout::from).collect(),
        next_cursor,
    }))
}
