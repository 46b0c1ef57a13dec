//! A product signs its person out of Tenantry, too (OpenID Connect RP-Initiated Logout 1.0).

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, header};
use tenantry_app::accounts::{
    LogoutHint, RedirectKind, UserSession, Visitor, end_hinted_session, find_client, find_redirect, find_session,
    read_hint,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    page,
    parameters::{Parameters, Unreadable},
    redirect,
};
use crate::{AppState, ClientAddress, Problem, cookie::SessionCookie};

const NOT_DONE: &str = "You are not signed out";
const PATH: &str = "/oauth/end-session";

/// What a product sends along.
#[derive(Debug, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct EndSessionParameters {
    /// The ID token of the sign-in. It may have expired, but not be older than a session may be.
    #[param(example = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjIwMjYtMDUifQ.eyJzaWQiOiJzZXNfMDFqZCJ9.c2lnbmF0dXJl")]
    pub id_token_hint: String,
    /// The client, if it names itself beside its token.
    #[param(example = "collection")]
    pub client_id: Option<String>,
    /// Where the browser goes on to: an address that the client registered.
    #[param(example = "https://collection.example.com/")]
    pub post_logout_redirect_uri: Option<String>,
    /// Given back at that address.
    #[param(example = "af0ifjsldkj")]
    pub state: Option<String>,
}

/// Ends the session at Tenantry that a product's person came from.
///
/// Send the browser here. `POST` keeps the ID token out of addresses and so out of logs.
#[utoipa::path(
    get, path = "/oauth/end-session", tag = "single-sign-on", params(EndSessionParameters),
    responses(
        (status = 200, description = "A page of ours: somebody else is signed in here, and is asked first", body = String, content_type = "text/html"),
        (status = 303, description = "The session has ended; `Location` is the registered address, or our log-in page", headers(("Location" = String, description = "Where the browser goes on to."))),
        (status = 400, description = "A page of ours: the hint is missing or not good, or the address is not registered", body = String, content_type = "text/html"),
    )
)]
pub(super) async fn end_single_sign_on(
    state: State<AppState>,
    address: ClientAddress,
    request: Request,
) -> Result<Response, Problem> {
    end(state, address, request).await
}

/// The same by a form, which is preferred.
#[utoipa::path(
    post, path = "/oauth/end-session", tag = "single-sign-on",
    request_body(content = EndSessionParameters, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "A page of ours: somebody else is signed in here, and is asked first", body = String, content_type = "text/html"),
        (status = 303, description = "The session has ended; `Location` is the registered address, or our log-in page", headers(("Location" = String, description = "Where the browser goes on to."))),
        (status = 400, description = "A page of ours: the hint is missing or not good, or the address is not registered", body = String, content_type = "text/html"),
    )
)]
pub(super) async fn end_single_sign_on_by_form(
    state: State<AppState>,
    address: ClientAddress,
    request: Request,
) -> Result<Response, Problem> {
    end(state, address, request).await
}

async fn end(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    request: Request,
) -> Result<Response, Problem> {
    let cookie = SessionCookie::User.read(request.headers());
    let is_confirmed = *request.method() == Method::POST && is_from_our_page(&state, request.headers());
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
            "The product did not show whom it wants to sign out, or it was too long ago. Go to Tenantry and choose \
             Sign out there.",
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
    let present = match &cookie {
        Some(secret) => find_session(&state.app, secret).await?,
        None => None,
    };
    if let Some(other) = present.as_ref().filter(|session| session.user != hint.user)
        && !is_confirmed
    {
        return ask(&state, &parameters, &hint, other, &target).await;
    }
    let visitor = Visitor {
        address,
        device,
        ..Visitor::default()
    };
    end_hinted_session(&state.app, &hint, &visitor).await?;
    let given_back: Vec<(&str, &str)> = parameters
        .get("post_logout_redirect_uri")
        .and(parameters.get("state"))
        .map(|state| ("state", state))
        .into_iter()
        .collect();
    let mut response = redirect::to(&target, &given_back);
    if present.is_some_and(|session| session.id == hint.session) {
        response
            .headers_mut()
            .append(header::SET_COOKIE, SessionCookie::User.clear());
    }
    Ok(response)
}

/// Only the page with the question sends its form from here.
fn is_from_our_page(state: &AppState, headers: &HeaderMap) -> bool {
    headers
        .get(header::ORIGIN)
        .is_some_and(|origin| origin.as_bytes() == state.origin.as_bytes())
}

/// Whoever is signed in here is not whom the product means: an old link, or somebody else's, must do nothing by itself.
async fn ask(
    state: &AppState,
    parameters: &Parameters,
    hint: &LogoutHint,
    present: &UserSession,
    target: &str,
) -> Result<Response, Problem> {
    let client = find_client(&state.app, &hint.client_id).await?;
    let product = client.as_ref().map_or("A product", |client| client.name());
    let fields: Vec<(&str, &str)> = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"]
        .into_iter()
        .filter_map(|name| Some((name, parameters.get(name)?)))
        .collect();
    let question = page::Question {
        heading: "Sign somebody else out?",
        paragraphs: &[
            &format!("{product} wants to end a session at Tenantry that is not yours."),
            &format!("You are signed in as {}, and stay signed in.", present.email),
        ],
        button: "End the other session",
        action: PATH,
        fields: &fields,
        leads_to: target,
        leave: "Leave everything as it is",
    };
    Ok(question.into_response())
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
