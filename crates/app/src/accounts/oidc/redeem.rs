//! A product exchanges the code that a browser brought for tokens.

use std::net::IpAddr;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tenantry_domain::{
    accounts::tokens::{ACCESS_TOKENS_LIVE, ID_TOKENS_LIVE},
    ids::{OrganizationId, SessionId, TenantId, UserId},
};
use tenantry_postgres::{
    SystemTx,
    accounts::oidc_codes::{self, GrantRow},
};

use super::{
    super::{
        OpaqueToken,
        tokens::{AccessClaims, TokenType, sign},
    },
    Client, UserInfo, liveness,
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// What a client shows.
#[derive(Debug, Clone)]
pub struct Redemption<'a> {
    /// Who shows it.
    pub client: &'a Client,
    /// The code.
    pub code: &'a str,
    /// The address that the browser came back to.
    pub redirect_uri: &'a str,
    /// What the challenge was made from, if there was one.
    pub code_verifier: Option<&'a str>,
    /// Where the client is.
    pub address: Option<IpAddr>,
}

/// What the client gets.
#[derive(Debug, Clone)]
pub struct CodeTokens {
    /// Opens userinfo, and is exchanged for tokens of this client's own audience.
    pub access_token: String,
    /// For how many seconds.
    pub expires_in: i64,
    /// Says who signed in.
    pub id_token: String,
    /// What the client learns.
    pub scope: String,
}

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// The code is not good: unknown, used, expired, another client's, or what comes with it does not fit.
    #[error("the code is not good, or was asked for with another redirect_uri or code_challenge")]
    InvalidGrant,
    /// Nobody's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The claims of an ID token.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct IdClaims {
    pub(super) iss: String,
    pub(super) aud: String,
    pub(super) sub: UserId,
    pub(super) sid: SessionId,
    pub(super) iat: i64,
    pub(super) exp: i64,
    pub(super) auth_time: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nonce: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at_hash: Option<String>,
    /// How the person proved who they are (RFC 8176).
    #[serde(default)]
    pub(super) amr: Vec<String>,
    /// On whose behalf, where the sign-in was at a tenant or named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) organization: Option<OrganizationClaim>,
    /// At which tenant: all tenants of a product share its client, so the audience alone does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<TenantId>,
    #[serde(flatten)]
    pub(super) person: UserInfo,
}

/// The organization, as product tokens name it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OrganizationClaim {
    pub(super) id: OrganizationId,
}

/// Spends a code. Shown a second time, it takes back what it gave: two have it, and one of them should not.
///
/// # Errors
/// When the code is not good.
pub async fn redeem(app: &App, redemption: &Redemption<'_>) -> Result<CodeTokens, RedeemError> {
    let code = OpaqueToken::decode(redemption.code).ok_or(RedeemError::InvalidGrant)?;
    let hash = code.hash();
    let client_id = redemption.client.id();
    let now = app.clock.now();
    let mut tx = app
        .database
        .system("single sign-on: a code says whose it is")
        .await
        .map_err(Fault::from)?;
    if !oidc_codes::spend(&mut tx, &hash, client_id, now)
        .await
        .map_err(Fault::from)?
    {
        take_back(app, &mut tx, &hash, client_id, now).await?;
        tx.commit().await.map_err(Fault::from)?;
        return Err(RedeemError::InvalidGrant);
    }
    let grant = oidc_codes::find_grant(&mut tx, &hash, client_id, liveness(app))
        .await
        .map_err(Fault::from)?;
    let is_good = grant
        .as_ref()
        .is_some_and(|grant| now < grant.code_expires_at && !grant.lacks_second_factor && fits(grant, redemption));
    if let Some(grant) = &grant {
        record(app, &mut tx, redemption, grant, is_good).await?;
    }
    // Spent in any case: whoever shows a code with something wrong beside it gets no second try.
    tx.commit().await.map_err(Fault::from)?;
    let grant = grant.filter(|_| is_good).ok_or(RedeemError::InvalidGrant)?;
    Ok(issue(app, client_id, &hash, grant, now).await?)
}

fn fits(grant: &GrantRow, redemption: &Redemption<'_>) -> bool {
    grant.redirect_uri == redemption.redirect_uri
        && match (&grant.code_challenge, redemption.code_verifier) {
            (Some(challenge), Some(verifier)) => is_of(verifier, challenge),
            // Whoever asked without a challenge shows a secret, and never a verifier: a request that somebody took the
            // challenge out of on its way would otherwise pass for one without (RFC 9700, section 4.8.2).
            (None, None) => redemption.client.is_confidential(),
            (Some(_), None) | (None, Some(_)) => false,
        }
}

/// Whether a challenge was made from this.
fn is_of(verifier: &str, challenge: &str) -> bool {
    // RFC 7636, section 4.1.
    let is_verifier = (43..=128).contains(&verifier.len())
        && verifier
            .bytes()
            .all(|letter| letter.is_ascii_alphanumeric() || b"-._~".contains(&letter));
    let made = BASE64.encode(Sha256::digest(verifier));
    is_verifier && bool::from(made.as_bytes().ct_eq(challenge.as_bytes()))
}

/// Writes down that a client got tokens, or that something was wrong beside a code that was good.
async fn record(
    app: &App,
    tx: &mut SystemTx,
    redemption: &Redemption<'_>,
    grant: &GrantRow,
    is_good: bool,
) -> Result<(), Fault> {
    let action = if is_good {
        "oidc_code.redeemed"
    } else {
        "oidc_code.refused"
    };
    let mut act = Act::new(action, redemption.client.id())
        .user(UserId::from_uuid(grant.user_id))
        .address(redemption.address)
        .target(SessionId::from_uuid(grant.session_id));
    if let Some(organization) = grant.organization_id {
        act = act.organization(OrganizationId::from_uuid(organization));
    }
    Ok(audit::record(app, tx, act).await?)
}

async fn take_back(
    app: &App,
    tx: &mut SystemTx,
    hash: &[u8; 32],
    client_id: &str,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    if let Some((user, session)) = oidc_codes::revoke(tx, hash, client_id, now).await? {
        let act = Act::new("oidc_code.reused", client_id).user(user).target(session);
        audit::record(app, &mut *tx, act).await?;
    }
    Ok(())
}

async fn issue(
    app: &App,
    client_id: &str,
    hash: &[u8; 32],
    grant: GrantRow,
    now: DateTime<Utc>,
) -> Result<CodeTokens, Fault> {
    let (sub, sid) = (UserId::from_uuid(grant.user_id), SessionId::from_uuid(grant.session_id));
    let access = AccessClaims {
        iss: app.settings.issuer(),
        aud: client_id.to_owned(),
        sub,
        sid,
        // Names the code, so that taking the code back takes this token back.
        jti: BASE64.encode(hash),
        iat: now.timestamp(),
        exp: (now + ACCESS_TOKENS_LIVE).timestamp(),
        nbf: None,
        scope: Some(grant.scope.clone()),
        client_id: Some(client_id.to_owned()),
    };
    let access_token = sign(app, TokenType::Access, &access).await?;
    let digest = Sha256::digest(&access_token);
    let methods: &[&str] = if grant.by_second_factor {
        &["pwd", "otp", "mfa"]
    } else {
        &["pwd"]
    };
    let id = IdClaims {
        iss: app.settings.issuer(),
        aud: client_id.to_owned(),
        sub,
        sid,
        iat: now.timestamp(),
        exp: (now + ID_TOKENS_LIVE).timestamp(),
        auth_time: grant.proved_at.timestamp(),
        nonce: grant.nonce.clone(),
        at_hash: Some(BASE64.encode(&digest[..16])),
        amr: methods.iter().map(ToString::to_string).collect(),
        organization: grant.organization_id.map(|id| OrganizationClaim {
            id: OrganizationId::from_uuid(id),
        }),
        tenant: grant.tenant_id.map(TenantId::from_uuid),
        person: UserInfo::of(&grant),
    };
    Ok(CodeTokens {
        id_token: sign(app, TokenType::Id, &id).await?,
        expires_in: ACCESS_TOKENS_LIVE.num_seconds(),
        scope: grant.scope,
        access_token,
    })
}
