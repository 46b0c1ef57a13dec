//! A product exchanges the code that a browser brought, and later what it got for it.

use std::net::IpAddr;

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tenantry_app::accounts::{self, Client, ExchangeError, RedeemError, Redemption, TokenRateError};
use utoipa::ToSchema;

use super::{
    client_authentication::authenticate,
    discovery::TOKEN_EXCHANGE,
    error::{OAuthError, OAuthProblem},
    parameters::{Parameters, Unreadable},
};
use crate::{AppState, ClientAddress, rate_limit::RateLimit};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// A code, or an access token that is exchanged for a product token.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum TokenRequest {
    /// The code that a browser brought.
    Code(CodeForm),
    /// What such a code gave.
    Exchange(ExchangeForm),
}

/// The code that a browser brought.
#[derive(Debug, Serialize, ToSchema)]
pub struct CodeForm {
    /// `authorization_code`.
    #[schema(example = "authorization_code")]
    pub grant_type: String,
    /// The code.
    #[schema(example = "Jx1kEY0mYzK9s2n8vQ4tB7cW3aL6dH5fR0gU1iO2pTs")]
    pub code: String,
    /// Where the browser came back to.
    pub redirect_uri: String,
    /// What the challenge was made from, where there was one.
    pub code_verifier: Option<String>,
    /// The client, unless the header names it.
    pub client_id: Option<String>,
    /// Its secret, unless the header shows it or it has none.
    pub client_secret: Option<String>,
}

/// What a code gave, to be exchanged for a token that says what this person may do (RFC 8693).
#[derive(Debug, Serialize, ToSchema)]
pub struct ExchangeForm {
    /// `urn:ietf:params:oauth:grant-type:token-exchange`.
    #[schema(example = "urn:ietf:params:oauth:grant-type:token-exchange")]
    pub grant_type: String,
    /// The access token of the sign-in.
    pub subject_token: String,
    /// `urn:ietf:params:oauth:token-type:access_token`.
    #[schema(example = "urn:ietf:params:oauth:token-type:access_token")]
    pub subject_token_type: String,
    /// The same, or `urn:ietf:params:oauth:token-type:jwt`.
    #[schema(example = "urn:ietf:params:oauth:token-type:access_token")]
    pub requested_token_type: Option<String>,
    /// The client itself.
    #[schema(example = "collection")]
    pub audience: Option<String>,
    /// On whose behalf, by id or slug, where that is not known yet.
    #[schema(example = "museum-of-examples")]
    pub organization: Option<String>,
    /// The client, unless the header names it.
    pub client_id: Option<String>,
    /// Its secret, unless the header shows it or it has none.
    pub client_secret: Option<String>,
}

/// What a product gets.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenAnswer {
    /// For a code: opens userinfo, and is exchanged. For such a token: the product token.
    pub access_token: String,
    /// `Bearer`.
    #[schema(value_type = String, example = "Bearer")]
    pub token_type: &'static str,
    /// For how many seconds it is good.
    #[schema(example = 900)]
    pub expires_in: i64,
    /// Says who signed in; for a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjIwMjYtMDUifQ.eyJzdWIiOiJ1c3JfMDFqZCJ9.c2lnbmF0dXJl")]
    pub id_token: Option<String>,
    /// What the product learns; for a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// What `access_token` is; for a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "urn:ietf:params:oauth:token-type:access_token")]
    pub issued_token_type: Option<&'static str>,
}

/// Exchanges a code for tokens, or an access token for a product token.
#[utoipa::path(
    post, path = "/oauth/token", tag = "single-sign-on", security((), ("client" = [])),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The tokens", body = TokenAnswer),
        (status = 400, description = "`invalid_request`, `invalid_grant`, `unsupported_grant_type`, `invalid_target`, `access_denied`", body = OAuthProblem),
        (status = 401, description = "`invalid_client`", body = OAuthProblem),
        (status = 429, description = "`temporarily_unavailable`: too many tokens were asked for", body = OAuthProblem),
        (status = 500, description = "`server_error`", body = OAuthProblem),
        (status = 503, description = "`temporarily_unavailable`", body = OAuthProblem),
    )
)]
pub(super) async fn token(State(state): State<AppState>, address: ClientAddress, request: Request) -> Response {
    counted(&state, address, request)
        .await
        .unwrap_or_else(IntoResponse::into_response)
}

/// Looks at who asks, which counts the request, and then at what is asked.
async fn counted(
    state: &AppState,
    ClientAddress(address): ClientAddress,
    request: Request,
) -> Result<Response, OAuthError> {
    let headers = request.headers().clone();
    let form = Parameters::read(request)
        .await
        .map_err(|Unreadable(why)| OAuthError::invalid_request(why))?;
    if let Some(name) = form.repeated() {
        return Err(OAuthError::invalid_request(format!("{} stands twice", printable(name))));
    }
    let client = authenticate(state, &headers, &form).await;
    let left = accounts::admit_token_request(&state.app, client.as_ref().ok(), address)
        .await
        .map_err(|error| match error {
            TokenRateError::TooManyRequests(allowance) => OAuthError::too_many_requests(allowance),
            TokenRateError::Fault(fault) => fault.into(),
        })?;
    let granted = match client {
        Ok(client) => grant(state, &client, &form, address).await,
        Err(error) => Err(error),
    };
    let response = granted.unwrap_or_else(IntoResponse::into_response);
    Ok((RateLimit(left), response).into_response())
}

async fn grant(
    state: &AppState,
    client: &Client,
    form: &Parameters,
    address: Option<IpAddr>,
) -> Result<Response, OAuthError> {
    match required(form, "grant_type")? {
        "authorization_code" => redeem(state, client, form, address).await,
        TOKEN_EXCHANGE => exchange(state, client, form, address).await,
        _ => Err(OAuthError::new(
            "unsupported_grant_type",
            "what is exchanged here is an authorization_code, or a token by RFC 8693",
        )),
    }
}

async fn redeem(
    state: &AppState,
    client: &Client,
    form: &Parameters,
    address: Option<IpAddr>,
) -> Result<Response, OAuthError> {
    let redemption = Redemption {
        client,
        code: required(form, "code")?,
        redirect_uri: required(form, "redirect_uri")?,
        code_verifier: match client.is_confidential() {
            true => form.get("code_verifier"),
            false => Some(required(form, "code_verifier")?),
        },
        address,
    };
    let tokens = accounts::redeem(&state.app, &redemption)
        .await
        .map_err(|error| match error {
            RedeemError::InvalidGrant => OAuthError::new("invalid_grant", error.to_string()),
            RedeemError::Fault(fault) => fault.into(),
        })?;
    Ok(Json(TokenAnswer {
        access_token: tokens.access_token,
        token_type: "Bearer",
        expires_in: tokens.expires_in,
        id_token: Some(tokens.id_token),
        scope: Some(tokens.scope),
        issued_token_type: None,
    })
    .into_response())
}

async fn exchange(
    state: &AppState,
    client: &Client,
    form: &Parameters,
    address: Option<IpAddr>,
) -> Result<Response, OAuthError> {
    if required(form, "subject_token_type")? != ACCESS_TOKEN {
        return Err(OAuthError::invalid_request(format!(
            "subject_token_type is {ACCESS_TOKEN}"
        )));
    }
    if form.get("actor_token").is_some() {
        return Err(OAuthError::invalid_request(
            "nobody acts for somebody else here: leave actor_token away",
        ));
    }
    if form
        .get("requested_token_type")
        .is_some_and(|kind| ![ACCESS_TOKEN, JWT].contains(&kind))
    {
        return Err(OAuthError::invalid_request(format!(
            "requested_token_type is {ACCESS_TOKEN}"
        )));
    }
    if form.get("resource").is_some() || form.get("audience").is_some_and(|audience| audience != client.id()) {
        return Err(OAuthError::new(
            "invalid_target",
            "a client gets tokens for itself: audience is its own client_id",
        ));
    }
    let token = accounts::exchange(
        &state.app,
        client,
        required(form, "subject_token")?,
        form.get("organization"),
        address,
    )
    .await
    .map_err(|error| match error {
        ExchangeError::InvalidSubject => OAuthError::new("invalid_grant", error.to_string()),
        ExchangeError::Ambiguous => OAuthError::invalid_request(error.to_string()),
        ExchangeError::Denied(_) => OAuthError::new("access_denied", error.to_string()),
        ExchangeError::Fault(fault) => fault.into(),
    })?;
    Ok(Json(TokenAnswer {
        access_token: token.token,
        token_type: "Bearer",
        expires_in: token.expires_in,
        id_token: None,
        scope: None,
        issued_token_type: Some(ACCESS_TOKEN),
    })
    .into_response())
}

fn required<'a>(form: &'a Parameters, name: &str) -> Result<&'a str, OAuthError> {
    form.get(name)
        .ok_or_else(|| OAuthError::invalid_request(format!("{name} is missing")))
}

/// A name from outside, fit for an error's text (RFC 6749, section 5.2).
fn printable(name: &str) -> String {
    name.chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
        .take(50)
        .collect()
}
