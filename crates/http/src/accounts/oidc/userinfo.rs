//! Who signed in, for the product that they signed in to.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::Method;
use serde::Serialize;
use tenantry_app::accounts::{self, UserInfo};

use super::{
    error::OAuthError,
    parameters::{Parameters, Unreadable},
};
use crate::{
    AppState,
    authorization::{Bearer, bearer},
};

#[derive(Serialize)]
struct Answer {
    sub: String,
    #[serde(flatten)]
    person: UserInfo,
}

/// `GET` and `POST /oauth/userinfo`.
pub(super) async fn userinfo(State(state): State<AppState>, request: Request) -> Response {
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
    let (user, person) = accounts::userinfo(&state.app, token)
        .await?
        .ok_or_else(OAuthError::invalid_token)?;
    Ok(Json(Answer {
        sub: user.to_string(),
        person,
    })
    .into_response())
}
