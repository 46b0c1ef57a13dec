//! What a product's library asks first: where everything is, and what is understood here.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use serde::Serialize;
use utoipa::ToSchema;

use super::jwks::CACHED;
use crate::AppState;

/// What a product may ask to learn.
pub(super) const SCOPES: [&str; 3] = ["openid", "profile", "email"];
/// RFC 8693.
pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// The provider's description (OpenID Connect Discovery 1.0).
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderDescription {
    /// Who signs; exactly what stands in `iss`.
    #[schema(example = "https://tenantry.example.com")]
    pub issuer: String,
    /// Where browsers are sent to sign in.
    #[schema(example = "https://tenantry.example.com/oauth/authorize")]
    pub authorization_endpoint: String,
    /// Where codes and tokens are exchanged.
    #[schema(example = "https://tenantry.example.com/oauth/token")]
    pub token_endpoint: String,
    /// Who signed in.
    #[schema(example = "https://tenantry.example.com/oauth/userinfo")]
    pub userinfo_endpoint: String,
    /// The public keys.
    #[schema(example = "https://tenantry.example.com/.well-known/jwks.json")]
    pub jwks_uri: String,
    /// Where browsers are sent to sign out.
    #[schema(example = "https://tenantry.example.com/oauth/end-session")]
    pub end_session_endpoint: String,
    /// What a product may ask to learn.
    #[schema(value_type = Vec<String>, example = json!(["openid", "profile", "email"]))]
    pub scopes_supported: [&'static str; 3],
    /// The code flow alone.
    #[schema(value_type = Vec<String>, example = json!(["code"]))]
    pub response_types_supported: [&'static str; 1],
    /// How codes come back.
    #[schema(value_type = Vec<String>, example = json!(["query"]))]
    pub response_modes_supported: [&'static str; 1],
    /// What is exchanged for tokens.
    #[schema(value_type = Vec<String>, example = json!(["authorization_code", "urn:ietf:params:oauth:grant-type:token-exchange"]))]
    pub grant_types_supported: [&'static str; 2],
    /// Everybody has one `sub` for all products.
    #[schema(value_type = Vec<String>, example = json!(["public"]))]
    pub subject_types_supported: [&'static str; 1],
    /// What ID tokens are signed with.
    #[schema(value_type = Vec<String>, example = json!(["RS256"]))]
    pub id_token_signing_alg_values_supported: [&'static str; 1],
    /// How a client shows who it is.
    #[schema(value_type = Vec<String>, example = json!(["client_secret_basic", "client_secret_post", "none"]))]
    pub token_endpoint_auth_methods_supported: [&'static str; 3],
    /// How a client proves that a code is its own.
    #[schema(value_type = Vec<String>, example = json!(["S256"]))]
    pub code_challenge_methods_supported: [&'static str; 1],
    /// Whether people are asked.
    #[schema(value_type = Vec<String>, example = json!(["none", "login"]))]
    pub prompt_values_supported: [&'static str; 2],
    /// What ID tokens and userinfo may say.
    #[schema(value_type = Vec<String>, example = json!(["iss", "aud", "sub", "sid", "name", "email"]))]
    pub claims_supported: &'static [&'static str],
    /// Never.
    pub claims_parameter_supported: bool,
    /// Never.
    pub request_parameter_supported: bool,
    /// Never.
    pub request_uri_parameter_supported: bool,
    /// Always (RFC 9207).
    pub authorization_response_iss_parameter_supported: bool,
}

/// Says where everything is that single sign-on needs, and what is understood here.
#[utoipa::path(
    get, path = "/.well-known/openid-configuration", tag = "single-sign-on",
    responses((status = 200, description = "The description; keep it for an hour", body = ProviderDescription))
)]
pub(super) async fn openid_configuration(State(state): State<AppState>) -> Response {
    let settings = &state.app.settings;
    let description = ProviderDescription {
        issuer: settings.issuer(),
        authorization_endpoint: settings.link("/oauth/authorize"),
        token_endpoint: settings.link("/oauth/token"),
        userinfo_endpoint: settings.link("/oauth/userinfo"),
        jwks_uri: settings.link("/.well-known/jwks.json"),
        end_session_endpoint: settings.link("/oauth/end-session"),
        scopes_supported: SCOPES,
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: ["authorization_code", TOKEN_EXCHANGE],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none"],
        code_challenge_methods_supported: ["S256"],
        prompt_values_supported: ["none", "login"],
        claims_supported: &[
            "iss",
            "aud",
            "sub",
            "sid",
            "iat",
            "exp",
            "auth_time",
            "nonce",
            "at_hash",
            "amr",
            "organization",
            "tenant",
            "name",
            "locale",
            "zoneinfo",
            "email",
            "email_verified",
        ],
        claims_parameter_supported: false,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        authorization_response_iss_parameter_supported: true,
    };
    ([(header::CACHE_CONTROL, CACHED)], Json(description)).into_response()
}
