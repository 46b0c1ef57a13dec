//! The contracts of an organization.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use tenantry_app::billing::subscriptions;
use uuid::Uuid;

use super::views::Subscription;
use crate::{AppState, Authorized, Paging, Problem, authorization::permission::BillingRead, page_of};

page_of!(
    SubscriptionPage,
    Subscription,
    "One page of subscriptions, newest first."
);

/// Lists the organization's subscriptions, newest first.
#[utoipa::path(
    get, path = "/organizations/{organization}/subscriptions", tag = "billing", security(("session" = [])),
    params(crate::pagination::PageParameters),
    responses((status = 200, description = "One page", body = SubscriptionPage))
)]
pub(super) async fn list_subscriptions(
    State(state): State<AppState>,
    caller: Authorized<BillingRead>,
    paging: Paging,
) -> Result<Json<SubscriptionPage>, Problem> {
    let list = format!("subscriptions of {}", caller.organization());
    let after = paging.after::<(DateTime<Utc>, Uuid)>(&state, &list)?;
    let rows = subscriptions::list(&state.app, caller.organization(), after, paging.fetch()).await?;
    let (rows, next_cursor) = paging.finish(&state, &list, rows, |row| (row.details.created_at, row.details.id));
    let items = rows.into_iter().map(Subscription::from).collect();
    Ok(Json(SubscriptionPage { items, next_cursor }))
}
