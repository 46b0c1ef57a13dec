//! What the link in the mail to an account's new address would confirm, before anybody does.

use axum::{Json, extract::State};
use serde::Serialize;
use tenantry_app::accounts;
use utoipa::ToSchema;

use super::{confirm_email::refusal, sign_up_link::LinkRequest, visitor::AtTheDoor};
use crate::{AppState, Problem, ValidJson};

/// An account that is to get another address.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NewEmailLink)]
pub struct NewEmailLinkView {
    /// Whose account it is.
    #[schema(example = "usr_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub user: String,
    /// The name of the account's person.
    #[schema(example = "Ada Lovelace")]
    pub name: String,
    /// The address that the account gets.
    pub email: String,
}

/// Says which account would get which address by a link. Nothing changes by it.
///
/// By POST, so that the token reaches no log.
#[utoipa::path(
    post, path = "/auth/confirm-email/link", tag = "accounts", request_body = LinkRequest,
    responses(
        (status = 200, description = "What waits to be confirmed", body = NewEmailLinkView),
        (status = 404, description = "`link_unknown`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`link_expired`: used, older than a day, or replaced by a newer one", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read_new_email_link(
    State(state): State<AppState>,
    _at_the_door: AtTheDoor,
    ValidJson(request): ValidJson<LinkRequest>,
) -> Result<Json<NewEmailLinkView>, Problem> {
    let link = accounts::find_new_email(&state.app, &request.token()?)
        .await
        .map_err(refusal)?;
    Ok(Json(NewEmailLinkView {
        user: link.user.to_string(),
        name: link.name,
        email: link.email,
    }))
}
