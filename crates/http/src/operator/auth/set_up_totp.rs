//! The authenticator app of an operator who has none learns its secret.

use axum::extract::State;
use garde::Validate;
use secrecy::SecretString;
use serde::Deserialize;
use tenantry_app::accounts;
use utoipa::ToSchema;

use crate::{
    AppState, Problem, ValidJson,
    accounts::{
        login_second_factor::{challenge, refusal},
        second_factor::TotpSetupView,
        visitor::AtTheDoor,
    },
    idempotency::ShownOnce,
};

/// A challenge by itself.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChallengeRequest {
    /// The token of the challenge.
    #[garde(skip)]
    #[schema(value_type = String, max_length = 200, example = "Jx1kEY0mYzK9s2n8vQ4tB7cW3aL6dH5fR0gU1iO2pTs")]
    pub challenge: SecretString,
}

/// Makes a secret for the app of an operator who has no second factor yet.
#[utoipa::path(
    post, path = "/auth/second-factor/totp", tag = "operator", request_body = ChallengeRequest,
    responses(
        (status = 200, description = "The secret", body = TotpSetupView),
        (status = 410, description = "`challenge_expired`: over, or there is a second factor, which is asked for", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_set_up_totp(
    State(state): State<AppState>,
    _at_the_door: AtTheDoor,
    ValidJson(request): ValidJson<ChallengeRequest>,
) -> Result<ShownOnce<TotpSetupView>, Problem> {
    let challenge = challenge(&request.challenge)?;
    let setup = accounts::set_up_operator_totp(&state.app, &challenge)
        .await
        .map_err(refusal)?;
    Ok(ShownOnce(TotpSetupView::new(&setup)?))
}
