//! People, as those see them who run this installation. Every look at them is written down.

mod end_session;
mod get;
mod list;
mod list_sessions;
mod view_as;

use tenantry_app::accounts::Caretaker;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{AppState, ClientAddress, Operator};

/// All endpoints of this part.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::operator_list_users))
        .routes(routes!(get::operator_get_user))
        .routes(routes!(list_sessions::operator_list_user_sessions))
        .routes(routes!(end_session::operator_end_user_session))
        .routes(routes!(view_as::operator_view_as))
}

/// The operator, as the log names whoever looks.
pub(super) fn caretaker<R>(operator: &Operator<R>, ClientAddress(address): ClientAddress) -> Caretaker {
    Caretaker::Operator {
        id: operator.session.operator,
        address,
    }
}
