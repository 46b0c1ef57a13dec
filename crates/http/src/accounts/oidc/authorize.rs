//! A product sends a browser here; whoever is signed in goes back with a code.
//!
//! Until client and address are known to belong together, nothing is sent anywhere: the person sees a page of ours. After
//! that every refusal goes to the product, as it expects.

use axum::{
    extract::{Request, State},
    response::Response,
};
use chrono::{DateTime, Utc};
use tenantry_app::{
    accounts::{self, AuthorizeError, Client, CodeRequest, RedirectKind, UserSession, find_client, find_redirect},
    error::Fault,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    discovery::SCOPES,
    page,
    parameters::{Parameters, Unreadable},
    redirect,
};
use crate::{AppState, ClientAddress, Problem, cookie::SessionCookie};

const BROKEN: &str = "This link does not work";
/// Added when somebody is sent to sign in although they are signed in: what was proven before then does not count.
const PROVEN_SINCE: &str = "proven_since";
const MAX_NONCE_BYTES: usize = 500;

/// How a product asks who somebody is. What is not named here is not looked at.
#[derive(Debug, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct AuthorizeParameters {
    /// `code`.
    #[param(example = "code")]
    pub response_type: String,
    /// The client: the product's key.
    #[param(example = "collection")]
    pub client_id: String,
    /// Where to go back to: an address that the client registered, letter by letter.
    #[param(example = "https://collection.example.com/auth/callback")]
    pub redirect_uri: String,
    /// `openid`, and `profile`, `email` as needed.
    #[param(example = "openid profile email")]
    pub scope: String,
    /// Given back with the code.
    #[param(example = "af0ifjsldkj")]
    pub state: Option<String>,
    /// Given back in the ID token. A client with a secret that sends no `code_challenge` has to send it.
    #[param(example = "n-0S6_WzA2Mj", max_length = 500)]
    #[schema(max_length = 500)]
    pub nonce: Option<String>,
    /// What `code_verifier` has to fit. Clients without a secret have to send it.
    #[param(
        example = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        min_length = 43,
        max_length = 43
    )]
    #[schema(min_length = 43, max_length = 43)]
    pub code_challenge: Option<String>,
    /// `S256`, with a `code_challenge`.
    #[param(example = "S256")]
    pub code_challenge_method: Option<String>,
    /// On whose behalf, by id or slug.
    #[param(example = "museum-of-examples")]
    pub organization: Option<String>,
    /// `none` asks nobody, `login` asks in any case.
    #[param(example = "none")]
    pub prompt: Option<String>,
    /// For how many seconds a proof of who somebody is counts.
    #[param(example = "3600")]
    pub max_age: Option<String>,
}

/// Signs a person in to a product.
///
/// Send the browser here. Whoever is not signed in at Tenantry does that first and comes back. Once client and address are
/// known to belong together, every refusal goes to that address, too (`error`, `error_description`).
#[utoipa::path(
    get, path = "/oauth/authorize", tag = "single-sign-on", params(AuthorizeParameters),
    responses(
        (status = 303, description = "On to our log-in page, or back to the product with `code`, or with `error`", headers(("Location" = String, description = "Where the browser goes on to."))),
        (status = 400, description = "A page of ours: nobody knows the client, or the address is not registered", body = String, content_type = "text/html"),
    )
)]
pub(super) async fn authorize(
    state: State<AppState>,
    address: ClientAddress,
    request: Request,
) -> Result<Response, Problem> {
    answer(state, address, request).await
}

/// The same by a form.
#[utoipa::path(
    post, path = "/oauth/authorize", tag = "single-sign-on",
    request_body(content = AuthorizeParameters, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "On to our log-in page, or back to the product with `code`, or with `error`", headers(("Location" = String, description = "Where the browser goes on to."))),
        (status = 400, description = "A page of ours: nobody knows the client, or the address is not registered", body = String, content_type = "text/html"),
    )
)]
pub(super) async fn authorize_by_form(
    state: State<AppState>,
    address: ClientAddress,
    request: Request,
) -> Result<Response, Problem> {
    answer(state, address, request).await
}

async fn answer(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    request: Request,
) -> Result<Response, Problem> {
    let cookie = SessionCookie::User.read(request.headers());
    let parameters = match Parameters::read(request).await {
        Ok(parameters) => parameters,
        Err(Unreadable(_)) => return Ok(page::refusal(BROKEN, "What the product sent cannot be read.")),
    };
    let Some(client_id) = parameters.get("client_id") else {
        return Ok(page::refusal(
            BROKEN,
            "It does not say which product it comes from (client_id).",
        ));
    };
    let Some(redirect_uri) = parameters.get("redirect_uri") else {
        return Ok(page::refusal(
            BROKEN,
            "It does not say where to go back to (redirect_uri).",
        ));
    };
    let Some(client) = find_client(&state.app, client_id).await? else {
        return Ok(page::refusal(BROKEN, "No product of that name signs people in here."));
    };
    let is_ambiguous = parameters
        .repeated()
        .is_some_and(|name| matches!(name, "client_id" | "redirect_uri"));
    let found = find_redirect(&state.app, &client, RedirectKind::SignIn, redirect_uri).await?;
    let Some(target) = found.filter(|_| !is_ambiguous) else {
        return Ok(page::refusal(
            BROKEN,
            "It wants to send you to an address that the product has not registered. You may have been tricked: do not \
             follow it again, and tell the product's maker.",
        ));
    };
    let asked = Asked {
        state: &state,
        parameters: &parameters,
        client: &client,
        redirect_uri,
    };
    let wishes = match asked.wishes() {
        Ok(wishes) => wishes,
        Err(refusal) => return Ok(asked.refuse(refusal)),
    };
    let session = match &cookie {
        Some(secret) => accounts::find_session(&state.app, secret).await?,
        None => None,
    };
    let Some(session) = session else {
        return Ok(if wishes.may_ask {
            asked.sign_in(&parameters.query())
        } else {
            asked.refuse(Refusal("login_required", "nobody is signed in"))
        });
    };
    if let Some(response) = asked.sign_in_again(&wishes, &session).await? {
        return Ok(response);
    }
    let request = CodeRequest {
        client: &client,
        redirect_uri,
        redirect: target,
        code_challenge: wishes.code_challenge,
        scope: &wishes.scope,
        nonce: parameters.get("nonce"),
        organization: parameters.get("organization"),
        address,
    };
    match accounts::issue_code(&state.app, &session, &request).await {
        Ok(code) => Ok(asked.answer(&[("code", &code.encode())])),
        Err(AuthorizeError::Denied(why)) => Ok(asked.refuse(Refusal("access_denied", why))),
        Err(AuthorizeError::Fault(fault)) => Err(fault.into()),
    }
}

/// What goes back to the product instead of a code: error and description.
struct Refusal(&'static str, &'static str);

/// What the product wants, once it makes sense.
struct Wishes<'a> {
    code_challenge: Option<&'a str>,
    scope: String,
    /// Whether the person may be asked to sign in.
    may_ask: bool,
    /// Whether they have to, also when they are signed in.
    must_ask: bool,
    max_age_secs: Option<i64>,
    proven_since: Option<DateTime<Utc>>,
}

/// A request whose client and address belong together.
struct Asked<'a> {
    state: &'a AppState,
    parameters: &'a Parameters,
    client: &'a Client,
    redirect_uri: &'a str,
}

impl Asked<'_> {
    fn wishes(&self) -> Result<Wishes<'_>, Refusal> {
        let get = |name| self.parameters.get(name);
        let invalid = |why| Refusal("invalid_request", why);
        if self.parameters.repeated().is_some() {
            return Err(invalid("a parameter stands twice"));
        }
        if get("request").is_some() {
            return Err(Refusal("request_not_supported", "send the parameters themselves"));
        }
        if get("request_uri").is_some() {
            return Err(Refusal("request_uri_not_supported", "send the parameters themselves"));
        }
        if get("response_type") != Some("code") {
            return Err(Refusal("unsupported_response_type", "response_type is code"));
        }
        if get("response_mode").is_some_and(|mode| mode != "query") {
            return Err(invalid("response_mode is query"));
        }
        let asked: Vec<&str> = get("scope").unwrap_or_default().split(' ').collect();
        if !asked.contains(&"openid") {
            return Err(Refusal("invalid_scope", "scope holds openid"));
        }
        let scope: Vec<&str> = SCOPES.into_iter().filter(|known| asked.contains(known)).collect();
        let code_challenge = self.code_challenge()?;
        if get("nonce").is_some_and(|nonce| nonce.len() > MAX_NONCE_BYTES) {
            return Err(invalid("the nonce is too long"));
        }
        let prompts: Vec<&str> = get("prompt").unwrap_or_default().split_whitespace().collect();
        if prompts.contains(&"none") && prompts.len() > 1 {
            return Err(invalid("prompt is none, or something else"));
        }
        let max_age_secs = match get("max_age").map(str::parse::<i64>) {
            Some(Ok(seconds)) if seconds >= 0 => Some(seconds),
            Some(_) => return Err(invalid("max_age is a number of seconds")),
            None => None,
        };
        let now = self.state.app.clock.now();
        let proven_since = match get(PROVEN_SINCE).map(str::parse::<i64>) {
            Some(Ok(seconds)) if seconds <= now.timestamp() => DateTime::from_timestamp(seconds, 0),
            Some(_) => return Err(invalid("proven_since is a moment of the past")),
            None => None,
        };
        Ok(Wishes {
            code_challenge,
            scope: scope.join(" "),
            may_ask: !prompts.contains(&"none"),
            must_ask: prompts.contains(&"login") || prompts.contains(&"select_account"),
            max_age_secs,
            proven_since,
        })
    }

    /// What the client will prove to know. A client that will show its secret may rely on a nonce instead, which it finds
    /// again in the ID token; one without a secret has nothing else.
    fn code_challenge(&self) -> Result<Option<&str>, Refusal> {
        let get = |name| self.parameters.get(name);
        let invalid = |why| Refusal("invalid_request", why);
        let is_challenge = |text: &str| {
            text.len() == 43
                && text
                    .bytes()
                    .all(|letter| letter.is_ascii_alphanumeric() || b"-_".contains(&letter))
        };
        match (get("code_challenge"), get("code_challenge_method")) {
            (None, None) if !self.client.is_confidential() => Err(invalid(
                "PKCE is mandatory for clients without a secret: send code_challenge, with code_challenge_method S256",
            )),
            (None, None) if get("nonce").is_none() => Err(invalid(
                "send code_challenge with code_challenge_method S256 (PKCE), or a nonce at least",
            )),
            (None, None) => Ok(None),
            (Some(challenge), Some("S256")) if is_challenge(challenge) => Ok(Some(challenge)),
            (_, Some("S256")) => Err(invalid("code_challenge is 43 letters of base64url")),
            _ => Err(invalid("code_challenge_method is S256")),
        }
    }

    /// Whether what the person proved is not recent enough, and what happens then.
    async fn sign_in_again(&self, wishes: &Wishes<'_>, session: &UserSession) -> Result<Option<Response>, Fault> {
        let app = &self.state.app;
        let proved_at = accounts::authentication_time(app, session.id).await?;
        let now = app.clock.now();
        let is_too_old = match (wishes.proven_since, wishes.max_age_secs) {
            // The person was sent to sign in just now: an age of no seconds would send them there for ever.
            (Some(since), _) => proved_at.timestamp() < since.timestamp(),
            (None, Some(max_age)) => max_age == 0 || (now - proved_at).num_seconds() > max_age,
            (None, None) => false,
        };
        if !is_too_old && !wishes.must_ask {
            return Ok(None);
        }
        if !wishes.may_ask {
            let refusal = Refusal("login_required", "the person signed in too long ago");
            return Ok(Some(self.refuse(refusal)));
        }
        let since = now.timestamp().to_string();
        let query = self.parameters.query_with(&["prompt"], (PROVEN_SINCE, &since));
        Ok(Some(self.sign_in(&query)))
    }

    /// Sends the browser to the log-in page, which comes back here.
    fn sign_in(&self, query: &str) -> Response {
        let next = format!("/oauth/authorize?{query}");
        redirect::to(&self.state.app.settings.link("/login"), &[("next", &next)])
    }

    fn refuse(&self, Refusal(error, description): Refusal) -> Response {
        self.answer(&[("error", error), ("error_description", description)])
    }

    /// Sends the browser back to the product.
    fn answer(&self, parameters: &[(&str, &str)]) -> Response {
        let issuer = self.state.app.settings.issuer();
        let mut all = parameters.to_vec();
        if let Some(state) = self.parameters.get("state") {
            all.push(("state", state));
        }
        // So that an answer is not taken for another provider's (RFC 9207).
        all.push(("iss", &issuer));
        tracing::debug!(client = self.client.id(), "single sign-on answered");
        redirect::to(self.redirect_uri, &all)
    }
}
