//! The link in the sign-up's mail is confirmed: by POST, since programs that look after mail follow links by GET.

use axum::{extract::State, response::Response};
use garde::Validate;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tenantry_app::accounts::{self, ConfirmError, OpaqueToken};
use utoipa::ToSchema;

use super::{
    problems,
    session::{SessionView, begin},
    visitor::AtTheDoor,
};
use crate::{AppState, Problem, ValidJson};

/// The token behind the `#` of the link.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyEmailRequest {
    /// The token.
    #[garde(skip)]
    #[schema(value_type = String, max_length = 200)]
    pub token: SecretString,
}

/// Confirms a sign-up and signs its person in.
#[utoipa::path(
    post, path = "/auth/verify-email", tag = "accounts", request_body = VerifyEmailRequest,
    responses(
        (status = 200, description = "The account is live; the cookie is set", body = SessionView),
        (status = 404, description = "`link_unknown`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`link_expired`: used, too old, or another link of the same address was used", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn verify_email(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<VerifyEmailRequest>,
) -> Result<Response, Problem> {
    let token =
        OpaqueToken::decode(request.token.expose_secret()).ok_or_else(|| Problem::of(problems::LINK_UNKNOWN))?;
    let started = accounts::confirm(&state.app, &token, &visitor)
        .await
        .map_err(|error| match error {
            ConfirmError::Expired => Problem::of(problems::LINK_EXPIRED),
            ConfirmError::Unknown => Problem::of(problems::LINK_UNKNOWN),
            ConfirmError::Fault(fault) => fault.into(),
        })?;
    begin(&state, &started).await
}
