//! An operator signs in: with a password, which opens nothing by itself.

use axum::{Json, extract::State};
use garde::Validate;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tenantry_app::accounts::{self, OperatorSignIn, Visitor};
use tenantry_domain::accounts::{Email, Password};
use utoipa::ToSchema;

use crate::{
    AppState, Problem, ValidJson,
    accounts::{
        login::{ChallengeView, credentials, refusal},
        visitor::AtTheDoor,
    },
    body::rules,
    rate_limit::RateLimit,
};

/// An operator's address and password.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OperatorLoginRequest {
    /// The operator's address.
    #[garde(custom(rules::email))]
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    pub email: String,
    /// The operator's password.
    #[garde(custom(rules::password))]
    #[schema(value_type = String, format = "password", max_length = 1024)]
    pub password: SecretString,
}

/// What is asked for after the password.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum OperatorSignInAnswer {
    /// A code of the second factor.
    SecondFactor {
        /// What the code is sent with.
        challenge: ChallengeView,
    },
    /// That a second factor is set up: nobody gets in without one.
    SetUpSecondFactor {
        /// What it is set up with.
        challenge: ChallengeView,
    },
}

impl From<OperatorSignIn> for OperatorSignInAnswer {
    fn from(step: OperatorSignIn) -> Self {
        match step {
            OperatorSignIn::SecondFactor(challenge) => Self::SecondFactor {
                challenge: challenge.into(),
            },
            OperatorSignIn::SetUpSecondFactor(challenge) => Self::SetUpSecondFactor {
                challenge: challenge.into(),
            },
        }
    }
}

/// Looks at an operator's password and says what is asked for next.
#[utoipa::path(
    post, path = "/auth/login", tag = "operator", request_body = OperatorLoginRequest,
    responses(
        (status = 200, description = "The password was right; a second factor is asked for, or is to be set up", body = OperatorSignInAnswer),
        (status = 401, description = "`invalid_credentials`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_login(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<OperatorLoginRequest>,
) -> Result<(RateLimit, Json<OperatorSignInAnswer>), Problem> {
    let (email, password) = credentials(&request.email, &request.password)?;
    sign_in(&state, &email, password, &visitor).await
}

/// What every sign-in of an operator goes through.
pub(super) async fn sign_in(
    state: &AppState,
    email: &Email,
    password: Password,
    visitor: &Visitor,
) -> Result<(RateLimit, Json<OperatorSignInAnswer>), Problem> {
    let (step, left) = accounts::sign_in_operator(&state.app, email, password, visitor)
        .await
        .map_err(refusal)?;
    Ok((RateLimit(left), Json(step.into())))
}
