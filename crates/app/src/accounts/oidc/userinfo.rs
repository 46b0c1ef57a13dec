//! What a product learns about the person who signed in.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde::{Deserialize, Serialize};
use tenantry_domain::ids::{SessionId, UserId};
use tenantry_postgres::accounts::oidc_codes::{self, GrantRow};

use super::{
    super::tokens::{AccessClaims, TokenType, check},
    liveness,
};
use crate::{App, error::Fault};

/// Claims about a person, as far as the scope reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserInfo {
    /// What they are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Their time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    /// Their address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Always true: no account is live before its address is proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
}

impl UserInfo {
    pub(super) fn of(grant: &GrantRow) -> Self {
        let has = |wanted: &str| grant.scope.split(' ').any(|scope| scope == wanted);
        let profile = |value: &str| has("profile").then(|| value.to_owned());
        Self {
            name: profile(&grant.name),
            locale: profile(&grant.locale),
            zoneinfo: profile(&grant.time_zone),
            email: has("email").then(|| grant.email.clone()),
            email_verified: has("email").then_some(true),
        }
    }
}

/// A grant, and the client that it was given to.
pub(super) struct Granted {
    pub(super) client_id: String,
    /// The hash of the code that gave it.
    pub(super) code: Vec<u8>,
    pub(super) grant: GrantRow,
}

/// What stands behind the access token of a code flow; `None` when it is not good, its session has ended, or its code was
/// shown twice. Tokens for the API and for products are none of these.
pub(super) async fn find_granted(app: &App, access_token: &str) -> Result<Option<Granted>, Fault> {
    let claims: Option<AccessClaims> = check(app, TokenType::Access, None, access_token).await?;
    let Some((claims, client_id)) = claims.and_then(|claims| {
        let client_id = claims.client_id.clone()?;
        (claims.aud == client_id).then_some((claims, client_id))
    }) else {
        return Ok(None);
    };
    let Ok(hash) = BASE64.decode(&claims.jti) else {
        return Ok(None);
    };
    let mut tx = app
        .database
        .read_system("single sign-on: find what a token was given for")
        .await?;
    let grant = oidc_codes::find_grant(&mut tx, &hash, &client_id, liveness(app)).await?;
    tx.commit().await?;
    let is_same = |grant: &GrantRow| {
        UserId::from_uuid(grant.user_id) == claims.sub && SessionId::from_uuid(grant.session_id) == claims.sid
    };
    Ok(grant.filter(is_same).map(|grant| Granted {
        client_id,
        code: hash,
        grant,
    }))
}

/// Who the person behind an access token of a code flow is; `None` when the token is not good, or the organization on
/// whose behalf it was given demands a second factor by now that was not shown.
///
/// # Errors
/// The ledger's.
pub async fn userinfo(app: &App, access_token: &str) -> Result<Option<(UserId, UserInfo)>, Fault> {
    let granted = find_granted(app, access_token).await?;
    Ok(granted
        .filter(|granted| !granted.grant.lacks_second_factor)
        .map(|granted| (UserId::from_uuid(granted.grant.user_id), UserInfo::of(&granted.grant))))
}
