//! A product signs its person out of Tenantry, too (OpenID Connect RP-Initiated Logout 1.0).

use axum::{
    extract::{Request, State},
    response::Response,
};
use http::header;
use tenantry_app::accounts::{
    LogoutHint, RedirectKind, Visitor, end_hinted_session, find_client, find_redirect, find_session, read_hint,
};

use super::{
    page,
    parameters::{Parameters, Unreadable},
    redirect,
};
use crate::{AppState, ClientAddress, Problem, cookie::SessionCookie};

const NOT_DONE: &str = "You are not signed out";

/// `GET` and `POST /oauth/end-session`.
pub(super) async fn end_session(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    request: Request,
) -> Result<Response, Problem> {
    let cookie = SessionCookie::User.read(request.headers());
    let device = request
        .headers()
        .get(header::USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let parameters = match Parameters::read(request).await {
        Ok(parameters) if parameters.repeated().is_none() => parameters,
        Ok(_) | Err(Unreadable(_)) => return Ok(page::refusal(NOT_DONE, "What the product sent cannot be read.")),
    };
    // Without a hint anybody could have sent the browser here.
    let Some(hint) = hint(&state, &parameters).await? else {
        return Ok(page::refusal(
            NOT_DONE,
            "The product did not show whom it wants to sign out. Go to Tenantry and choose Sign out there.",
        ));
    };
    let target = match parameters.get("post_logout_redirect_uri") {
        None => state.app.settings.link("/login"),
        Some(wanted) => match registered(&state, &hint, wanted).await? {
            true => wanted.to_owned(),
            false => {
                return Ok(page::refusal(
                    NOT_DONE,
                    "The product wants to send you to an address that it has not registered.",
                ));
            }
        },
    };
    let is_this_browsers = match &cookie {
        Some(secret) => find_session(&state.app, secret)
            .await?
            .is_some_and(|session| session.id == hint.session),
        None => false,
    };
    end_hinted_session(
        &state.app,
        &hint,
        &Visitor {
            address,
            device,
            ..Visitor::default()
        },
    )
    .await?;
    let given_back: Vec<(&str, &str)> = parameters
        .get("post_logout_redirect_uri")
        .and(parameters.get("state"))
        .map(|state| ("state", state))
        .into_iter()
        .collect();
    let mut response = redirect::to(&target, &given_back);
    if is_this_browsers {
        response
            .headers_mut()
            .append(header::SET_COOKIE, SessionCookie::User.clear());
    }
    Ok(response)
}

async fn hint(state: &AppState, parameters: &Parameters) -> Result<Option<LogoutHint>, Problem> {
    let Some(token) = parameters.get("id_token_hint") else {
        return Ok(None);
    };
    let hint = read_hint(&state.app, token).await?;
    let named = parameters.get("client_id");
    Ok(hint.filter(|hint| named.is_none_or(|named| named == hint.client_id)))
}

async fn registered(state: &AppState, hint: &LogoutHint, address: &str) -> Result<bool, Problem> {
    let Some(client) = find_client(&state.app, &hint.client_id).await? else {
        return Ok(false);
    };
    Ok(find_redirect(&state.app, &client, RedirectKind::SignOut, address)
        .await?
        .is_some())
}
