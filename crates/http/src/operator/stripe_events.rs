//! Events of the payment provider, as they came in.

pub mod list;
pub mod replay;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// All endpoints of this part.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::operator_list_stripe_events))
        .routes(routes!(replay::operator_replay_stripe_event))
}
