//! The public keys that tokens are verified with.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use serde::Serialize;
use tenantry_app::accounts;
use utoipa::ToSchema;

use crate::{AppState, Problem};

/// Keys are published a day before they sign, so an hour old is never too old.
pub(super) const CACHED: &str = "public, max-age=3600";

/// Public keys, as RFC 7517 lists them.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyList {
    /// Every key that signs, signed, or will sign soon.
    pub keys: Vec<PublicKey>,
}

/// The public half of a key. Which members stand beside its name depends on `kty`.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicKey {
    /// What the header of a token names: the key's thumbprint (RFC 7638).
    #[schema(example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
    pub kid: String,
    /// What kind of key: `OKP` for `EdDSA`, `RSA` for `RS256`.
    #[schema(example = "OKP")]
    pub kty: String,
    /// What it signs with: `RS256` ID tokens, `EdDSA` everything else.
    #[schema(example = "EdDSA")]
    pub alg: String,
    /// Always `sig`.
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    pub purpose: String,
    /// The curve of an `OKP` key.
    #[schema(example = "Ed25519")]
    pub crv: Option<String>,
    /// The public half of an `OKP` key.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    pub x: Option<String>,
    /// The modulus of an `RSA` key.
    #[schema(
        example = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs"
    )]
    pub n: Option<String>,
    /// The exponent of an `RSA` key.
    #[schema(example = "AQAB")]
    pub e: Option<String>,
}

/// Lists the public keys that tokens are verified with.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "single-sign-on",
    responses((status = 200, description = "The keys; keep them for an hour", body = KeyList))
)]
pub(super) async fn jwks(State(state): State<AppState>) -> Result<Response, Problem> {
    let keys = accounts::jwks(&state.app).await?;
    Ok(([(header::CACHE_CONTROL, CACHED)], Json(keys)).into_response())
}
