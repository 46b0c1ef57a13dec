//! What is sold, buying it, and subscriptions; and where payments enter.

pub mod begin_checkout;
pub mod cancel_checkout;
pub mod get_checkout;
pub mod list_products;
pub mod list_subscriptions;
pub mod problems;
pub mod receive_event;
pub mod views;

use axum::{Router, extract::DefaultBodyLimit, routing::post};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// All endpoints of this area.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_products::list_products))
        .routes(routes!(begin_checkout::begin_checkout))
        .routes(routes!(get_checkout::get_checkout))
        .routes(routes!(cancel_checkout::cancel_checkout))
        .routes(routes!(list_subscriptions::list_subscriptions))
}

/// What the payment provider calls; outside of `/api`, without a session.
pub fn webhook_routes() -> Router<AppState> {
    Router::new()
        .route("/webhooks/stripe", post(receive_event::receive_event))
        .layer(DefaultBodyLimit::disable())
}
