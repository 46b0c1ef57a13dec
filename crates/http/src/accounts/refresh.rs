//! A program gets its next pair of tokens.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use garde::Validate;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tenantry_app::accounts::{self, OpaqueToken, RefreshError, Tokens};
use utoipa::ToSchema;

use super::{problems, visitor::AtTheDoor};
use crate::{AppState, Problem, ValidJson};

/// What a program signs in with from then on.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
pub struct TokensView {
    /// Opens the API: `Authorization: Bearer …`.
    #[schema(example = "eyJhbGciOiJFZERTQSIs…")]
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// For how many seconds the access token is good.
    #[schema(example = 900)]
    pub expires_in: i64,
    /// Gets the next pair, once.
    pub refresh_token: String,
    /// When the session ends if it is not refreshed again.
    pub refresh_token_expires_at: DateTime<Utc>,
}

impl From<Tokens> for TokensView {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access_token,
            token_type: "Bearer",
            expires_in: tokens.expires_in,
            refresh_token: tokens.refresh_token.encode().to_string(),
            refresh_token_expires_at: tokens.refresh_token_expires_at,
        }
    }
}

/// The refresh token of the pair before.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// The token.
    #[garde(skip)]
    #[schema(value_type = String, max_length = 200)]
    pub refresh_token: SecretString,
}

/// Exchanges a refresh token for the next pair of tokens. Sent again within ten seconds it gets the same answer; later it
/// ends the session.
#[utoipa::path(
    post, path = "/auth/refresh", tag = "accounts", request_body = RefreshRequest,
    responses(
        (status = 200, description = "The next pair", body = TokensView),
        (status = 401, description = "`refresh_token_invalid`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn refresh(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<RefreshRequest>,
) -> Result<Json<TokensView>, Problem> {
    let invalid = || Problem::of(problems::REFRESH_TOKEN_INVALID);
    let presented = OpaqueToken::decode(request.refresh_token.expose_secret()).ok_or_else(invalid)?;
    match accounts::refresh(&state.app, &presented, &visitor).await {
        Ok(tokens) => Ok(Json(tokens.into())),
        Err(RefreshError::Invalid) => Err(invalid()),
        Err(RefreshError::Fault(fault)) => Err(fault.into()),
    }
}
