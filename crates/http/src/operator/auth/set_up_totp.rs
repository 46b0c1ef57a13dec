//! The authenticator app of an operator who has none learns its secret.

use axum::extract::State;
use garde::Validate;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tenantry_app::accounts::{self, OpaqueToken, SetUpOperatorError};
use utoipa::ToSchema;

use crate::{
    AppState, Problem, ValidJson,
    accounts::{
        login_second_factor::{challenge, refusal},
        second_factor::TotpSetupView,
        visitor::AtTheDoor,
    },
    idempotency::ShownOnce,
    operator::operators::problems,
};

/// A challenge, and what the operator was handed by whoever reset the second factor that they had.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChallengeRequest {
    /// The token of the challenge.
    #[garde(skip)]
    #[schema(value_type = String, max_length = 200, example = "Jx1kEY0mYzK9s2n8vQ4tB7cW3aL6dH5fR0gU1iO2pTs")]
    pub challenge: SecretString,
    /// What stands behind the `#` of the link. An operator who never had a second factor needs none.
    #[garde(skip)]
    #[schema(value_type = Option<String>, max_length = 200, example = "Jx1kEY0mYzK9s2n8vQ4tB7cW3aL6dH5fR0gU1iO2pTs")]
    pub link: Option<SecretString>,
}

/// Makes a secret for the app of an operator who has no second factor yet.
#[utoipa::path(
    post, path = "/auth/second-factor/totp", tag = "operator", request_body = ChallengeRequest,
    responses(
        (status = 200, description = "The secret", body = TotpSetupView),
        (status = 403, description = "`enrolment_link_required`: the second factor was reset, and the link is missing, wrong or older than a day", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`challenge_expired`: over, or there is a second factor, which is asked for", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_set_up_totp(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<ChallengeRequest>,
) -> Result<ShownOnce<TotpSetupView>, Problem> {
    let challenge = challenge(&request.challenge)?;
    let link = request
        .link
        .as_ref()
        .and_then(|text| OpaqueToken::decode(text.expose_secret()));
    let setup = accounts::set_up_operator_totp(&state.app, &challenge, link.as_ref(), &visitor)
        .await
        .map_err(|error| match error {
            SetUpOperatorError::LinkRequired => Problem::of(problems::ENROLMENT_LINK_REQUIRED),
            SetUpOperatorError::Challenge(error) => refusal(error),
        })?;
    Ok(ShownOnce(TotpSetupView::new(&setup)?))
}
