//! Every customer's operations.

pub mod get;
pub mod list;
pub mod retry;
pub mod stream;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// All endpoints of this part.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::operator_list_operations))
        .routes(routes!(get::operator_get_operation))
        .routes(routes!(stream::operator_stream_operation))
        .routes(routes!(retry::operator_retry_operation))
}
