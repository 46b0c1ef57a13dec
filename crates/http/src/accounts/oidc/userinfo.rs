//! Who signed in, for the product that they signed in to.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::Method;
use serde::Serialize;
use tenantry_app::accounts::{self, UserInfo};
use utoipa::ToSchema;

use super::{
    error::{OAuthError, OAuthProblem},
    parameters::{Parameters, Unreadable},
};
use crate::{
    AppState,
    authorization::{Bearer, bearer},
};

/// Who signed in, as far as the scope reaches.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserInfoView {
    /// The person; never changes.
    #[schema(example = "usr_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub sub: String,
    /// What they are called (`profile`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Ada Lovelace")]
    pub name: Option<String>,
    /// Their language (`profile`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "en")]
    pub locale: Option<String>,
    /// Their time zone (`profile`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Europe/Berlin")]
    pub zoneinfo: Option<String>,
    /// Their address (`email`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ada@example.org")]
    pub email: Option<String>,
    /// Always true (`email`): no account is live before its address is proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
}

/// The access token, for whoever cannot set a header.
#[derive(Debug, ToSchema)]
pub struct UserInfoForm {
    /// The access token of the sign-in.
    pub access_token: Option<String>,
}

/// Says who signed in.
#[utoipa::path(
    get, path = "/oauth/userinfo", tag = "single-sign-on", security(("product" = [])),
    responses(
        (status = 200, description = "The person", body = UserInfoView),
        (status = 401, description = "`invalid_token`: not good any more, or not for this", body = OAuthProblem),
        (status = 500, description = "`server_error`", body = OAuthProblem),
        (status = 503, description = "`temporarily_unavailable`", body = OAuthProblem),
    )
)]
pub(super) async fn userinfo(state: State<AppState>, request: Request) -> Response {
    respond(state, request).await
}

/// The same by `POST`, with the token in the header or in a form.
#[utoipa::path(
    post, path = "/oauth/userinfo", tag = "single-sign-on", security(("product" = [])),
    request_body(content = UserInfoForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The person", body = UserInfoView),
        (status = 400, description = "`invalid_request`: without a token in the header, the body is a form", body = OAuthProblem),
        (status = 401, description = "`invalid_token`: not good any more, or not for this", body = OAuthProblem),
        (status = 500, description = "`server_error`", body = OAuthProblem),
        (status = 503, description = "`temporarily_unavailable`", body = OAuthProblem),
    )
)]
pub(super) async fn userinfo_by_post(state: State<AppState>, request: Request) -> Response {
    respond(state, request).await
}

async fn respond(State(state): State<AppState>, request: Request) -> Response {
    match answer(&state, request).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn answer(state: &AppState, request: Request) -> Result<Response, OAuthError> {
    let headers = request.headers().clone();
    let has_form = request.method() == Method::POST && !matches!(bearer(&headers), Bearer::Token(_));
    let form = if has_form {
        Parameters::read(request)
            .await
            .map_err(|Unreadable(why)| OAuthError::invalid_request(why))?
    } else {
        Parameters::default()
    };
    let token = match bearer(&headers) {
        Bearer::Token(token) => Some(token),
        Bearer::Malformed => None,
        Bearer::None => form.get("access_token"),
    };
    let Some(token) = token else {
        return Err(OAuthError::invalid_token());
    };
    let (user, person): (_, UserInfo) = accounts::userinfo(&state.app, token)
        .await?
        .ok_or_else(OAuthError::invalid_token)?;
    Ok(Json(UserInfoView {
        sub: user.to_string(),
        name: person.name,
        locale: person.locale,
        zoneinfo: person.zoneinfo,
        email: person.email,
        email_verified: person.email_verified,
    })
    .into_response())
}
