//! Tenants and the operations that change them.

pub mod check_name;
pub mod get_operation;
pub mod get_tenant;
pub mod list_tenants;
pub mod problems;
pub(crate) mod slots;
pub(crate) mod stream;
pub mod stream_operation;
pub mod views;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// All endpoints of this area.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(check_name::check_tenant_name))
        .routes(routes!(list_tenants::list_tenants))
        .routes(routes!(get_tenant::get_tenant))
        .routes(routes!(get_operation::get_operation))
        .routes(routes!(stream_operation::stream_operation))
}
