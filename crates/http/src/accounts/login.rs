//! Somebody signs in with address and password.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use garde::Validate;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tenantry_app::accounts::{self, SignIn, SignInError, StartedChallenge};
use tenantry_domain::accounts::{self as domain, Allowance, Email, Password, SecondFactorMethod};
use utoipa::ToSchema;

use super::{
    mail_on_its_way::address,
    problems,
    refresh::TokensView,
    session::{self, SessionView},
    visitor::AtTheDoor,
};
use crate::{
    AppState, Problem, ValidJson,
    body::rules,
    rate_limit::{self, RateLimit},
};

/// Address and password.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// The account's address.
    #[garde(custom(rules::email))]
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    pub email: String,
    /// The account's password.
    #[garde(custom(rules::password))]
    #[schema(value_type = String, format = "password", max_length = 1024)]
    pub password: SecretString,
    /// What is wanted: a session in a cookie, or tokens for a program.
    #[garde(skip)]
    #[serde(default)]
    pub grant: Grant,
}

/// What a sign-in hands out.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LoginGrant)]
pub enum Grant {
    /// A session, in a cookie.
    #[default]
    Session,
    /// An access token and a refresh token.
    Token,
}

impl From<Grant> for domain::Grant {
    fn from(grant: Grant) -> Self {
        match grant {
            Grant::Session => Self::Browser,
            Grant::Token => Self::Token,
        }
    }
}

/// Reads an address and a password of a request whose rules have looked at both.
pub(crate) fn credentials(email: &str, password: &SecretString) -> Result<(Email, Password), Problem> {
    let email = address(email)?;
    let password =
        Password::enter(password).map_err(|error| Problem::field("/password", error.code(), error.to_string()))?;
    Ok((email, password))
}

/// How far a sign-in has come: `result` says which of the other members is there.
#[derive(Serialize, ToSchema)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum SignInAnswer {
    /// Signed in; the cookie is set.
    Session {
        /// The session.
        session: Box<SessionView>,
    },
    /// A program is signed in.
    Tokens {
        /// Its first pair.
        tokens: TokensView,
    },
    /// The password was right; a code of the second factor is still to come.
    SecondFactor {
        /// What the code is sent with.
        challenge: ChallengeView,
    },
}

/// What a code of a second factor is sent with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Challenge)]
pub struct ChallengeView {
    /// Opens nothing by itself.
    pub token: String,
    /// What may be answered: `totp` is a code of an authenticator app, `recovery_code` one from paper.
    #[schema(value_type = Vec<String>, example = json!(["totp", "recovery_code"]))]
    pub methods: [&'static str; 2],
    /// When the password is asked for again; so it is after five wrong codes.
    pub expires_at: DateTime<Utc>,
}

impl From<StartedChallenge> for ChallengeView {
    fn from(challenge: StartedChallenge) -> Self {
        Self {
            token: challenge.token.encode().to_string(),
            methods: [SecondFactorMethod::Totp, SecondFactorMethod::RecoveryCode].map(SecondFactorMethod::as_str),
            expires_at: challenge.expires_at,
        }
    }
}

pub(crate) fn refusal(error: SignInError) -> Problem {
    match error {
        SignInError::InvalidCredentials(left) => Problem::of(problems::INVALID_CREDENTIALS).rate_limit(RateLimit(left)),
        SignInError::TooManyAttempts(allowance) => rate_limit::used_up(allowance),
        SignInError::Fault(fault) => fault.into(),
    }
}

/// Answers a step of a sign-in, with cookies where it is the last one, and says how many attempts are left.
pub(super) async fn answer(state: &AppState, (step, left): (SignIn, Allowance)) -> Result<Response, Problem> {
    let left = RateLimit(left);
    match step {
        SignIn::Session(started) => {
            let session = Box::new(session::of_started(state, &started).await?);
            let cookies = session::cookies(state, &started);
            Ok((left, cookies, Json(SignInAnswer::Session { session })).into_response())
        }
        SignIn::Tokens(tokens) => {
            let tokens = TokensView::from(*tokens);
            Ok((left, Json(SignInAnswer::Tokens { tokens })).into_response())
        }
        SignIn::SecondFactor(challenge) => {
            let challenge = challenge.into();
            Ok((left, Json(SignInAnswer::SecondFactor { challenge })).into_response())
        }
    }
}

/// Signs in, or asks for the second factor.
#[utoipa::path(
    post, path = "/auth/login", tag = "accounts", request_body = LoginRequest,
    responses(
        (status = 200, description = "Signed in, with the cookie set or with tokens; or a second factor is asked for", body = SignInAnswer),
        (status = 401, description = "`invalid_credentials`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn login(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<LoginRequest>,
) -> Result<Response, Problem> {
    let (email, password) = credentials(&request.email, &request.password)?;
    let step = accounts::sign_in(&state.app, &email, password, request.grant.into(), &visitor)
        .await
        .map_err(refusal)?;
    answer(&state, step).await
}
