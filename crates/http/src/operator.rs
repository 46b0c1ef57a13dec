//! `/operator/…`: for those who run this installation, behind a cookie of its own.

pub mod auth;
pub mod checkouts;
pub mod operations;
pub mod operators;
pub mod organizations;
pub mod overview;
pub mod stripe_events;
pub mod tenants;
pub mod users;

use utoipa_axum::router::OpenApiRouter;

use crate::AppState;

/// All endpoints for operators, below `/operator`.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(auth::routes())
        .merge(overview::routes())
        .merge(tenants::routes())
        .merge(operations::routes())
        .merge(organizations::routes())
        .merge(stripe_events::routes())
        .merge(checkouts::routes())
        .merge(users::routes())
        .merge(operators::routes())
}
