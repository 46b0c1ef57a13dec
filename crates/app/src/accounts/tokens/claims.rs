//! What tokens say, how they are signed, and when they are believed.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tenantry_domain::{
    accounts::tokens::{CLOCKS_DIFFER, SigningAlgorithm},
    ids::{SessionId, UserId},
};

use super::{KeyError, key_ring, keys};
use crate::{App, error::Fault};

/// Nothing that we sign is longer.
const MAX_TOKEN_BYTES: usize = 4096;

/// What a token is for, as its header says: no kind is taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::accounts) enum TokenType {
    /// Opens something here (RFC 9068).
    Access,
    /// Says to a product that somebody signed in.
    Id,
    /// Opens something at a product.
    Product,
}

impl TokenType {
    const fn header(self) -> &'static str {
        match self {
            Self::Access => "at+jwt",
            Self::Id => "JWT",
            Self::Product => "product+jwt",
        }
    }

    const fn algorithm(self) -> SigningAlgorithm {
        match self {
            Self::Access | Self::Product => SigningAlgorithm::EdDsa,
            Self::Id => SigningAlgorithm::Rs256,
        }
    }
}

/// The claims of an access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::accounts) struct AccessClaims {
    /// This installation.
    pub(in crate::accounts) iss: String,
    /// Where it is good: the API, or one client.
    pub(in crate::accounts) aud: String,
    /// Whose.
    pub(in crate::accounts) sub: UserId,
    /// The session that it ends with.
    pub(in crate::accounts) sid: SessionId,
    /// Names this token.
    pub(in crate::accounts) jti: String,
    /// Signed at, in seconds since 1970.
    pub(in crate::accounts) iat: i64,
    /// Good until.
    pub(in crate::accounts) exp: i64,
    /// Good from; only others' tokens have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::accounts) nbf: Option<i64>,
    /// What the person agreed that a client learns; tokens for the API have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::accounts) scope: Option<String>,
    /// The client that it was given to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::accounts) client_id: Option<String>,
}

/// What is checked of every token.
pub(in crate::accounts) trait CheckedClaims {
    /// Signed at, good from, good until.
    fn times(&self) -> (i64, Option<i64>, i64);
}

impl CheckedClaims for AccessClaims {
    fn times(&self) -> (i64, Option<i64>, i64) {
        (self.iat, self.nbf, self.exp)
    }
}

/// Signs claims with the key that signs now; the first one is made here.
pub(in crate::accounts) async fn sign(app: &App, kind: TokenType, claims: &impl Serialize) -> Result<String, Fault> {
    let (algorithm, now) = (kind.algorithm(), app.clock.now());
    let mut published = key_ring::published(app).await?;
    if published.signing(algorithm, now).is_none() {
        published = keys::make_first(app, algorithm).await?;
    }
    let missing = || KeyError::NoKey(algorithm.as_str());
    let key = published.signing(algorithm, now).ok_or_else(missing)?;
    let mut header = Header::new(library_algorithm(algorithm));
    header.typ = Some(kind.header().to_owned());
    header.kid = Some(key.kid.clone());
    let signing = key.signing.as_ref().ok_or_else(missing)?;
    Ok(jsonwebtoken::encode(&header, claims, signing).map_err(KeyError::from)?)
}

/// The claims of a token that we signed, of this kind, for this audience, that is good now; `None` for everything else.
/// The algorithm comes from the kind and from the key's own row, never from the token; the key's name is only compared.
pub(in crate::accounts) async fn check<C>(
    app: &App,
    kind: TokenType,
    audience: Option<&str>,
    token: &str,
) -> Result<Option<C>, Fault>
where
    C: CheckedClaims + DeserializeOwned,
{
    let now = app.clock.now();
    let claims: Option<C> = check_signature(app, kind, audience, token).await?;
    Ok(claims.filter(|claims| is_good_at(claims.times(), now)))
}

/// [`check`] without a look at the time: a hint about who is signed in may be old.
pub(in crate::accounts) async fn check_signature<C: DeserializeOwned>(
    app: &App,
    kind: TokenType,
    audience: Option<&str>,
    token: &str,
) -> Result<Option<C>, Fault> {
    if token.len() > MAX_TOKEN_BYTES {
        return Ok(None);
    }
    let Ok(header) = jsonwebtoken::decode_header(token) else {
        return Ok(None);
    };
    let algorithm = kind.algorithm();
    let is_typed = header
        .typ
        .as_deref()
        .is_some_and(|typ| typ.eq_ignore_ascii_case(kind.header()));
    let (true, Some(kid)) = (is_typed && header.alg == library_algorithm(algorithm), header.kid) else {
        return Ok(None);
    };
    let Some(published) = key_ring::find_key(app, &kid).await? else {
        return Ok(None);
    };
    let key = key_ring::named(&published, &kid, app.clock.now()).filter(|key| key.algorithm == algorithm);
    let Some(key) = key else { return Ok(None) };
    let mut rules = Validation::new(library_algorithm(algorithm));
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    rules.set_issuer(&[app.settings.issuer()]);
    match audience {
        Some(audience) => rules.set_audience(&[audience]),
        None => rules.validate_aud = false,
    }
    // Time comes from the application's clock.
    rules.validate_exp = false;
    rules.validate_nbf = false;
    Ok(jsonwebtoken::decode(token, &key.verifying, &rules)
        .ok()
        .map(|decoded| decoded.claims))
}

fn is_good_at((iat, nbf, exp): (i64, Option<i64>, i64), now: DateTime<Utc>) -> bool {
    let (now, leeway) = (now.timestamp(), CLOCKS_DIFFER.num_seconds());
    iat <= now + leeway && nbf.is_none_or(|nbf| nbf <= now + leeway) && now < exp.saturating_add(leeway)
}

const fn library_algorithm(algorithm: SigningAlgorithm) -> Algorithm {
    match algorithm {
        SigningAlgorithm::EdDsa => Algorithm::EdDSA,
        SigningAlgorithm::Rs256 => Algorithm::RS256,
    }
}
