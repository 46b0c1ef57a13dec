//! The link in the sign-up's mail is confirmed: by POST, since programs that look after mail follow links by GET.

use axum::{
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
};
use garde::Validate;
use http::header::SET_COOKIE;
use secrecy::SecretString;
use serde::Deserialize;
use tenantry_app::accounts::{self, ConfirmError};
use tenantry_domain::accounts::Password;
use utoipa::ToSchema;

use super::{
    problems,
    session::{SessionView, begin},
    sign_up_link::token,
    visitor::AtTheDoor,
};
use crate::{
    AppState, Problem, ValidJson,
    body::rules,
    cookie::SessionCookie,
    rate_limit::{self, RateLimit},
};

/// The token behind the `#` of the link, and the password that was chosen.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyEmailRequest {
    /// The token.
    #[garde(skip)]
    #[schema(value_type = String, max_length = 200)]
    pub token: SecretString,
    /// The password that was chosen at the sign-up. The browser that signed up, which still has its cookie, needs none.
    #[garde(inner(custom(rules::password)))]
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "password", max_length = 1024)]
    pub password: Option<SecretString>,
}

/// Confirms a sign-up and signs its person in.
///
/// From another browser than the one that signed up, it takes the password that was chosen there: whoever reads a mail is
/// not always who caused it.
#[utoipa::path(
    post, path = "/auth/verify-email", tag = "accounts", request_body = VerifyEmailRequest,
    responses(
        (status = 200, description = "The account is live; the cookie is set", body = SessionView),
        (status = 404, description = "`link_unknown`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`link_expired`: used, too old, or another link of the same address was used", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`; `/password` is `required` in another browser than the one that signed up, `password_wrong` when it is not the one that was chosen", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn verify_email(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<VerifyEmailRequest>,
) -> Result<Response, Problem> {
    let token = token(&request.token)?;
    let password = request
        .password
        .as_ref()
        .map(Password::enter)
        .transpose()
        .map_err(|error| Problem::field("/password", error.code(), error.to_string()))?;
    let confirmed = accounts::confirm(&state.app, &token, password, &visitor)
        .await
        .map_err(refusal)?;
    let session = begin(&state, &confirmed.started).await?;
    let signed_up = AppendHeaders([(SET_COOKIE, SessionCookie::SignUp.clear())]);
    Ok((confirmed.left.map(RateLimit), signed_up, session).into_response())
}

pub(super) fn refusal(error: ConfirmError) -> Problem {
    match error {
        ConfirmError::Expired => Problem::of(problems::LINK_EXPIRED),
        ConfirmError::Unknown => Problem::of(problems::LINK_UNKNOWN),
        ConfirmError::PasswordRequired => Problem::field(
            "/password",
            "required",
            "Another browser signed up: enter the password that was chosen there.",
        ),
        ConfirmError::PasswordWrong(left) => Problem::field(
            "/password",
            "password_wrong",
            "This is not the password that was chosen at this sign-up. If it was not you who signed up, ignore the mail.",
        )
        .rate_limit(RateLimit(left)),
        ConfirmError::TooManyAttempts(allowance) => rate_limit::used_up(allowance),
        ConfirmError::Fault(fault) => fault.into(),
    }
}
