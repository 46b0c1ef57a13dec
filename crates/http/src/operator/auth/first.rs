//! The first operator of an installation introduces themselves, by the link that starting the server printed.

use axum::{Json, extract::State};
use garde::Validate;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tenantry_app::accounts::{self, FirstOperatorError, OpaqueToken};
use tenantry_domain::accounts::Password;
use utoipa::ToSchema;

use super::login::{OperatorSignInAnswer, sign_in};
use crate::{
    AppState, Problem, ValidJson,
    accounts::{mail_on_its_way::address, problems, register::weak_password, visitor::AtTheDoor},
    body::rules,
    rate_limit::RateLimit,
};

/// The link's token, and who the first operator is.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstOperatorRequest {
    /// What stands behind the `#` of the link.
    #[garde(skip)]
    #[schema(value_type = String, max_length = 200, example = "Jx1kEY0mYzK9s2n8vQ4tB7cW3aL6dH5fR0gU1iO2pTs")]
    pub token: SecretString,
    /// The address to sign in with.
    #[garde(custom(rules::email))]
    #[schema(format = "email", max_length = 254, example = "root@example.org")]
    pub email: String,
    /// Hard to guess; the password-strength endpoint says how hard.
    #[garde(custom(rules::new_password))]
    #[schema(value_type = String, format = "password", min_length = 10, max_length = 1024)]
    pub password: SecretString,
}

/// Makes the first operator, an admin, and begins their sign-in.
///
/// Works while the installation has no operator: `tenantry serve` prints a link at its start then, and `tenantry operator
/// link` another one.
#[utoipa::path(
    post, path = "/auth/first", tag = "operator", request_body = FirstOperatorRequest,
    responses(
        (status = 200, description = "Made; a second factor is to be set up", body = OperatorSignInAnswer),
        (status = 404, description = "`link_unknown`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`link_expired`: used, older than a day, or there is an operator by now", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_first(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<FirstOperatorRequest>,
) -> Result<(RateLimit, Json<OperatorSignInAnswer>), Problem> {
    let token =
        OpaqueToken::decode(request.token.expose_secret()).ok_or_else(|| Problem::of(problems::LINK_UNKNOWN))?;
    let email = address(&request.email)?;
    let password = Password::choose(&request.password)
        .map_err(|error| Problem::field("/password", error.code(), error.to_string()))?;
    accounts::create_first_operator(&state.app, &token, &email, password.clone(), &visitor)
        .await
        .map_err(|error| match error {
            FirstOperatorError::Expired => Problem::of(problems::LINK_EXPIRED),
            FirstOperatorError::Unknown => Problem::of(problems::LINK_UNKNOWN),
            FirstOperatorError::WeakPassword(strength) => weak_password("/password", &strength),
            FirstOperatorError::Fault(fault) => fault.into(),
        })?;
    // From here on it is a sign-in like any other.
    sign_in(&state, &email, password, &visitor).await
}
