//! What the link in the sign-up's mail would confirm, before anybody does.

use axum::{Json, extract::State};
use garde::Validate;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tenantry_app::accounts::{self, OpaqueToken};
use utoipa::ToSchema;

use super::{problems, verify_email::refusal, visitor::AtTheDoor};
use crate::{AppState, Problem, ValidJson};

/// The token behind the `#` of a link.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkRequest {
    /// The token.
    #[garde(skip)]
    #[schema(value_type = String, max_length = 200)]
    pub token: SecretString,
}

impl LinkRequest {
    /// Reads it; what is none was never sent to anybody.
    pub(super) fn token(&self) -> Result<OpaqueToken, Problem> {
        token(&self.token)
    }
}

pub(super) fn token(text: &SecretString) -> Result<OpaqueToken, Problem> {
    OpaqueToken::decode(text.expose_secret()).ok_or_else(|| Problem::of(problems::LINK_UNKNOWN))
}

/// A sign-up that waits to be confirmed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignUpLink)]
pub struct SignUpLinkView {
    /// The address that the mail was sent to.
    pub email: String,
    /// The name given at sign-up.
    #[schema(example = "Ada Lovelace")]
    pub name: String,
    /// The organization that confirming creates.
    #[schema(example = "Museum of Examples")]
    pub organization_name: String,
    /// Whether confirming asks for the password that was chosen: another browser signed up.
    pub asks_for_password: bool,
}

/// Says what the link of a sign-up would confirm. Nothing becomes live by it.
///
/// By POST, so that the token reaches no log.
#[utoipa::path(
    post, path = "/auth/verify-email/link", tag = "accounts", request_body = LinkRequest,
    responses(
        (status = 200, description = "What waits to be confirmed", body = SignUpLinkView),
        (status = 404, description = "`link_unknown`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`link_expired`: used, too old, or another link of the same address was used", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read_sign_up_link(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<LinkRequest>,
) -> Result<Json<SignUpLinkView>, Problem> {
    let link = accounts::find_sign_up(&state.app, &request.token()?, &visitor)
        .await
        .map_err(refusal)?;
    Ok(Json(SignUpLinkView {
        email: link.email,
        name: link.name,
        organization_name: link.organization_name,
        asks_for_password: link.asks_for_password,
    }))
}
