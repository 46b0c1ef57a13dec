//! Somebody signs up.

use axum::{
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
};
use garde::Validate;
use http::header::SET_COOKIE;
use secrecy::SecretString;
use serde::Deserialize;
use tenantry_app::accounts::{self, SignUp, SignUpError, Strength};
use tenantry_domain::{accounts::Password, display_name::DisplayName};
use utoipa::ToSchema;

use super::{
    mail_on_its_way::{Empty, MailOnItsWay, address},
    visitor::AtTheDoor,
};
use crate::{
    AppState, Problem, ValidJson,
    body::rules,
    cookie::SessionCookie,
    problem::{FieldProblem, kinds},
    rate_limit,
};

/// A new account and its organization.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterRequest {
    /// Where the link for confirming goes.
    #[garde(custom(rules::email))]
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    pub email: String,
    /// Hard to guess; the password-strength endpoint says how hard.
    #[garde(custom(rules::new_password))]
    #[schema(value_type = String, format = "password", min_length = 10, max_length = 1024)]
    pub password: SecretString,
    /// The person's name.
    #[garde(custom(rules::display_name))]
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    pub name: String,
    /// The organization that is created with the account.
    #[garde(custom(rules::display_name))]
    #[schema(min_length = 1, max_length = 200, example = "Museum of Examples")]
    pub organization_name: String,
}

/// Signs up.
///
/// The answer is the same whether the address has an account or not; the mail tells its owner more. The cookie that comes
/// with it says, when the link is confirmed, that it was this browser that signed up.
#[utoipa::path(
    post, path = "/auth/register", tag = "accounts", request_body = RegisterRequest,
    responses(
        (status = 202, description = "A mail is on its way", body = Empty),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn register(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<RegisterRequest>,
) -> Result<Response, Problem> {
    let sign_up = SignUp {
        email: address(&request.email)?,
        password: Password::choose(&request.password)
            .map_err(|error| Problem::field("/password", error.code(), error.to_string()))?,
        name: name("/name", &request.name)?,
        organization_name: name("/organization_name", &request.organization_name)?,
    };
    let (browser, left) = accounts::sign_up(&state.app, sign_up, &visitor)
        .await
        .map_err(|error| match error {
            SignUpError::WeakPassword(strength) => weak_password("/password", &strength),
            SignUpError::TooManyAttempts(allowance) => rate_limit::used_up(allowance),
            SignUpError::Fault(fault) => fault.into(),
        })?;
    let cookie = SessionCookie::SignUp.set(&browser.secret, browser.expires_at, state.app.clock.now());
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), MailOnItsWay(left)).into_response())
}

fn name(pointer: &str, text: &str) -> Result<DisplayName, Problem> {
    DisplayName::parse(text).map_err(|error| Problem::field(pointer, error.code(), error.to_string()))
}

/// The new password is guessed too soon, and why.
pub(crate) fn weak_password(pointer: &str, strength: &Strength) -> Problem {
    Problem::of(kinds::VALIDATION_FAILED).with_errors(vec![FieldProblem {
        pointer: pointer.to_owned(),
        code: "password_too_weak".to_owned(),
        detail: strength.reasons.join(" "),
    }])
}
