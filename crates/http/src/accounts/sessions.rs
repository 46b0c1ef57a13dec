//! `/me/sessions`: where one is signed in.

pub mod end;
pub mod end_others;
pub mod list;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// All endpoints of this part.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_sessions))
        .routes(routes!(end::end_session))
        .routes(routes!(end_others::end_other_sessions))
}
