//! A product exchanges what it got at the sign-in for a token that says what this person may do there, for five minutes:
//! organization, roles, plan (RFC 8693).

use std::net::IpAddr;

use serde::Serialize;
use tenantry_domain::{
    accounts::tokens::PRODUCT_TOKENS_LIVE,
    ids::{OrganizationId, SessionId, TenantId, UserId},
};
use tenantry_postgres::accounts::oidc_codes::{self, UseRow};
use uuid::Uuid;

use super::{
    super::tokens::{TokenType, sign},
    Client,
    userinfo::find_granted,
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// A token for one product.
#[derive(Debug, Clone)]
pub struct ProductToken {
    /// The token.
    pub token: String,
    /// For how many seconds.
    pub expires_in: i64,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The token that is shown is not good, or was given to another client.
    #[error("the subject_token is not an access token that this client got by the code flow, or it has expired")]
    InvalidSubject,
    /// It is not known on whose behalf.
    #[error("this person may use the product on behalf of several organizations: name one as organization")]
    Ambiguous,
    /// No contract, no membership, or a second factor is missing.
    #[error("{0}")]
    Denied(&'static str),
    /// Nobody's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

#[derive(Serialize)]
struct ProductClaims<'a> {
    iss: String,
    aud: &'a str,
    sub: UserId,
    sid: SessionId,
    jti: String,
    iat: i64,
    exp: i64,
    organization: OrganizationClaim<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<TenantId>,
    roles: [&'a str; 1],
    plan: &'a str,
    plan_version: i32,
    entitlement: EntitlementClaim<'a>,
}

#[derive(Serialize)]
struct OrganizationClaim<'a> {
    id: OrganizationId,
    slug: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct EntitlementClaim<'a> {
    access: &'a str,
    version: i64,
}

/// Exchanges an access token of a code flow. `organization` is an id or slug; without it the one of the sign-in counts, or
/// the only one there is.
///
/// # Errors
/// When this person may not use the product.
pub async fn exchange(
    app: &App,
    client: &Client,
    subject_token: &str,
    organization: Option<&str>,
    address: Option<IpAddr>,
) -> Result<ProductToken, ExchangeError> {
    let granted = find_granted(app, subject_token)
        .await?
        .filter(|granted| granted.client_id == client.id())
        .ok_or(ExchangeError::InvalidSubject)?;
    let (code, grant) = (granted.code, granted.grant);
    let (user, tenant) = (
        UserId::from_uuid(grant.user_id),
        grant.tenant_id.map(TenantId::from_uuid),
    );
    let of_sign_in = grant
        .organization_id
        .map(|id| OrganizationId::from_uuid(id).to_string());
    let wanted = organization.or(of_sign_in.as_deref());
    if wanted.is_some_and(|text| text.contains('\0')) {
        return Err(ExchangeError::Denied("no such organization"));
    }
    let now = app.clock.now();
    let mut tx = app
        .database
        .read_system("token exchange: what a person may use of a product")
        .await
        .map_err(Fault::from)?;
    let shown = grant.by_second_factor;
    let mut uses = oidc_codes::list_uses(&mut tx, user, client.id(), wanted, tenant, shown, now)
        .await
        .map_err(Fault::from)?;
    tx.commit().await.map_err(Fault::from)?;
    if uses.len() > 1 {
        return Err(ExchangeError::Ambiguous);
    }
    let allowed: UseRow = uses.pop().ok_or(ExchangeError::Denied(
        "this person is in no such organization, or it has no contract for the product",
    ))?;
    if allowed.lacks_second_factor {
        return Err(ExchangeError::Denied(
            "the organization asks for a second factor: open it at Tenantry first, and show yours or set one up",
        ));
    }
    let on_behalf_of = OrganizationId::from_uuid(allowed.organization_id);
    if !grant.exchanged_for.contains(&allowed.organization_id) {
        record(app, client, user, on_behalf_of, &code, address).await?;
    }
    let claims = ProductClaims {
        iss: app.settings.issuer(),
        aud: client.id(),
        sub: user,
        sid: SessionId::from_uuid(grant.session_id),
        jti: Uuid::now_v7().simple().to_string(),
        iat: now.timestamp(),
        exp: (now + PRODUCT_TOKENS_LIVE).timestamp(),
        organization: OrganizationClaim {
            id: on_behalf_of,
            slug: &allowed.slug,
            name: &allowed.organization_name,
        },
        tenant,
        roles: [&allowed.role],
        plan: &allowed.plan,
        plan_version: allowed.plan_version,
        entitlement: EntitlementClaim {
            access: &allowed.access,
            version: allowed.entitlement_version,
        },
    };
    Ok(ProductToken {
        token: sign(app, TokenType::Product, &claims).await?,
        expires_in: PRODUCT_TOKENS_LIVE.num_seconds(),
    })
}

/// Writes down that a product acts on behalf of an organization. Its tokens live for five minutes, so that an entry for each
/// would bury the others: there is one for each sign-in and organization.
async fn record(
    app: &App,
    client: &Client,
    user: UserId,
    organization: OrganizationId,
    code: &[u8],
    address: Option<IpAddr>,
) -> Result<(), Fault> {
    let mut tx = app.database.system("token exchange: write the first one down").await?;
    if oidc_codes::note_exchange(&mut tx, code, organization).await? {
        let act = Act::new("product.entered", client.id())
            .user(user)
            .organization(organization)
            .address(address)
            .target(user);
        audit::record(app, &mut tx, act).await?;
    }
    Ok(tx.commit().await?)
}
