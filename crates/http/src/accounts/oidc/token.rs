//! A product exchanges the code that a browser brought, and later what it got for it.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tenantry_app::accounts::{self, Client, ExchangeError, RedeemError, Redemption, TokenRateError};

use super::{
    client_authentication::authenticate,
    discovery::TOKEN_EXCHANGE,
    error::OAuthError,
    parameters::{Parameters, Unreadable},
};
use crate::{AppState, ClientAddress, rate_limit::RateLimit};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// `POST /oauth/token`.
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
        Ok(client) => grant(state, &client, &form).await,
        Err(error) => Err(error),
    };
    let response = granted.unwrap_or_else(IntoResponse::into_response);
    Ok((RateLimit(left), response).into_response())
}

async fn grant(state: &AppState, client: &Client, form: &Parameters) -> Result<Response, OAuthError> {
    match required(form, "grant_type")? {
        "authorization_code" => redeem(state, client, form).await,
        TOKEN_EXCHANGE => exchange(state, client, form).await,
        _ => Err(OAuthError::new(
            "unsupported_grant_type",
            "what is exchanged here is an authorization_code, or a token by RFC 8693",
        )),
    }
}

async fn redeem(state: &AppState, client: &Client, form: &Parameters) -> Result<Response, OAuthError> {
    let redemption = Redemption {
        client,
        code: required(form, "code")?,
        redirect_uri: required(form, "redirect_uri")?,
        code_verifier: required(form, "code_verifier")?,
    };
    let tokens = accounts::redeem(&state.app, &redemption)
        .await
        .map_err(|error| match error {
            RedeemError::InvalidGrant => OAuthError::new("invalid_grant", error.to_string()),
            RedeemError::Fault(fault) => fault.into(),
        })?;
    Ok(Json(json!({
        "access_token": tokens.access_token,
        "token_type": "Bearer",
        "expires_in": tokens.expires_in,
        "id_token": tokens.id_token,
        "scope": tokens.scope,
    }))
    .into_response())
}

async fn exchange(state: &AppState, client: &Client, form: &Parameters) -> Result<Response, OAuthError> {
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
    )
    .await
    .map_err(|error| match error {
        ExchangeError::InvalidSubject => OAuthError::new("invalid_grant", error.to_string()),
        ExchangeError::Ambiguous => OAuthError::invalid_request(error.to_string()),
        ExchangeError::Denied(_) => OAuthError::new("access_denied", error.to_string()),
        ExchangeError::Fault(fault) => fault.into(),
    })?;
    Ok(Json(json!({
        "access_token": token.token,
        "issued_token_type": ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": token.expires_in,
    }))
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
