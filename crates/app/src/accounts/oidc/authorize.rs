//! Somebody who is signed in here goes on to a product, with a code.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde_json::json;
use tenantry_domain::{
    accounts::tokens::CODES_LIVE,
    ids::{OrganizationId, SessionId},
};
use tenantry_postgres::accounts::oidc_codes::{self, NewCode};

use super::{
    super::{OpaqueToken, UserSession},
    Client,
    clients::Redirect,
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
    organizations::{self, OrganizationKey},
};

/// What a client asks for, once it is known that it may.
#[derive(Debug, Clone)]
pub struct CodeRequest<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// Where the browser goes.
    pub redirect_uri: &'a str,
    /// Where that is.
    pub redirect: Redirect,
    /// What the client will prove to know; none where its secret and a nonce are enough.
    pub code_challenge: Option<&'a str>,
    /// What the client will learn.
    pub scope: &'a str,
    /// To be repeated in the ID token.
    pub nonce: Option<&'a str>,
    /// The organization on whose behalf, by id or slug.
    pub organization: Option<&'a str>,
    /// Where the browser is.
    pub address: Option<IpAddr>,
}

/// Why there is no code.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    /// The person is no member of the organization, shows no second factor that it demands, or an operator looks through
    /// their eyes.
    #[error("{0}")]
    Denied(&'static str),
    /// Nobody's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// When the person behind a session last proved who they are.
///
/// # Errors
/// The ledger's.
pub async fn authentication_time(app: &App, session: SessionId) -> Result<DateTime<Utc>, Fault> {
    let mut tx = app.database.read_system("how a session was begun").await?;
    let row = oidc_codes::authentication(&mut tx, session).await?;
    tx.commit().await?;
    Ok(row.proved_at)
}

/// Hands out a code: good once, for a minute, for this client and address alone.
///
/// # Errors
/// When this person may not go there.
pub async fn issue_code(
    app: &App,
    session: &UserSession,
    request: &CodeRequest<'_>,
) -> Result<OpaqueToken, AuthorizeError> {
    let organization = organization_of(app, session, request).await?;
    let now = app.clock.now();
    let code = OpaqueToken::generate()?;
    let mut tx = app
        .database
        .system("single sign-on: hand out a code")
        .await
        .map_err(Fault::from)?;
    let authentication = oidc_codes::authentication(&mut tx, session.id)
        .await
        .map_err(Fault::from)?;
    if authentication.is_impersonated {
        return Err(AuthorizeError::Denied(
            "looking through a customer's eyes ends at Tenantry: products are not opened",
        ));
    }
    oidc_codes::insert(
        &mut tx,
        &NewCode {
            hash: &code.hash(),
            client_id: request.client.id(),
            user: session.user,
            session: session.id,
            organization,
            tenant: request.redirect.tenant.map(|(tenant, _)| tenant),
            redirect_uri: request.redirect_uri,
            code_challenge: request.code_challenge,
            scope: request.scope,
            nonce: request.nonce,
            created_at: now,
            expires_at: now + CODES_LIVE,
        },
    )
    .await
    .map_err(Fault::from)?;
    let mut act = Act::new("product.signed_in", session.user)
        .user(session.user)
        .address(request.address)
        .target(request.client.id())
        .body(json!({ "session": session.id.to_string() }));
    if let Some(organization) = organization {
        act = act.organization(organization);
    }
    audit::record(app, &mut tx, act).await.map_err(Fault::from)?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(code)
}

/// The organization that owns the tenant, or that the client named; its members alone go on, and those who lack the second
/// factor that it demands do not.
async fn organization_of(
    app: &App,
    session: &UserSession,
    request: &CodeRequest<'_>,
) -> Result<Option<OrganizationId>, AuthorizeError> {
    let of_tenant = request.redirect.tenant.map(|(_, organization)| organization);
    let key = match (of_tenant, request.organization) {
        (Some(id), _) => OrganizationKey::Id(id),
        (None, Some(text)) => match text.parse() {
            Ok(id) => OrganizationKey::Id(id),
            Err(_) if text.contains('\0') => return Err(AuthorizeError::Denied("no such organization")),
            Err(_) => OrganizationKey::Slug(text.to_owned()),
        },
        (None, None) => return Ok(None),
    };
    let membership = organizations::find_membership(app, session.user, &key)
        .await?
        .ok_or(AuthorizeError::Denied("you are not a member of that organization"))?;
    let is_demanded = membership
        .second_factor_required_from
        .is_some_and(|from| from <= app.clock.now());
    if is_demanded && !session.meets_second_factor_demand() {
        return Err(AuthorizeError::Denied(
            "the organization asks for a second factor: open it at Tenantry first, and show yours or set one up",
        ));
    }
    Ok(Some(membership.organization))
}
