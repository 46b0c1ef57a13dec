//! One attempt to buy, as the page that waits for the payment asks for it.

use axum::{Json, extract::State};
use tenantry_app::billing::checkout;
use tenantry_domain::ids::CheckoutId;

use super::views::Checkout;
use crate::{AppState, Authorized, PathId, Problem, authorization::permission::BillingRead};

/// One checkout. It is paid when the payment provider has told us so, never because a browser came back.
#[utoipa::path(
    get, path = "/organizations/{organization}/checkouts/{checkout}", tag = "billing", security(("session" = [])),
    responses((status = 200, description = "The checkout", body = Checkout))
)]
pub(super) async fn get_checkout(
    State(state): State<AppState>,
    caller: Authorized<BillingRead>,
    PathId(id): PathId<CheckoutId>,
) -> Result<Json<Checkout>, Problem> {
    Ok(Json(checkout::get(&state.app, caller.organization(), id).await?.into()))
}
