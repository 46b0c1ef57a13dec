//! What a product's library asks first: where everything is, and what is understood here.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use serde_json::json;

use super::jwks::CACHED;
use crate::AppState;

/// What a product may ask to learn.
pub(super) const SCOPES: [&str; 3] = ["openid", "profile", "email"];
/// RFC 8693.
pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// The provider's description (OpenID Connect Discovery 1.0).
pub(super) async fn discovery(State(state): State<AppState>) -> Response {
    let settings = &state.app.settings;
    let document = json!({
        "issuer": settings.issuer(),
        "authorization_endpoint": settings.link("/oauth/authorize"),
        "token_endpoint": settings.link("/oauth/token"),
        "userinfo_endpoint": settings.link("/oauth/userinfo"),
        "jwks_uri": settings.link("/.well-known/jwks.json"),
        "end_session_endpoint": settings.link("/oauth/end-session"),
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", TOKEN_EXCHANGE],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login"],
        "claims_supported": [
            "iss", "aud", "sub", "sid", "iat", "exp", "auth_time", "nonce", "at_hash", "amr",
            "name", "locale", "zoneinfo", "email", "email_verified",
        ],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
    });
    ([(header::CACHE_CONTROL, CACHED)], Json(document)).into_response()
}
