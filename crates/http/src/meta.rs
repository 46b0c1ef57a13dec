//! What a client may know about this installation before anybody signs in.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// This installation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Meta {
    /// The product's name.
    #[schema(example = "Tenantry")]
    pub name: String,
    /// The version that answers.
    pub version: String,
    /// Whether real money moves.
    pub livemode: bool,
    /// The domain below which tenants live.
    #[schema(example = "tenants.example.net")]
    pub tenant_domain: String,
    /// Where people reach Tenantry.
    #[schema(example = "https://tenantry.example.org")]
    pub public_url: String,
}

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_meta))
}

/// About this installation.
#[utoipa::path(get, path = "/meta", tag = "meta", responses((status = 200, description = "This installation", body = Meta)))]
async fn get_meta(State(state): State<AppState>) -> Json<Meta> {
    let settings = &state.app.settings;
    Json(Meta {
        name: "Tenantry".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        livemode: settings.livemode,
        tenant_domain: settings.tenant_domain.clone(),
        public_url: settings.public_url.as_str().trim_end_matches('/').to_owned(),
    })
}
