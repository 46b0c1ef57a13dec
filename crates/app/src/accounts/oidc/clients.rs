//! The programs that people sign in to: one for each product of the catalog that asks for it.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tenantry_domain::{
    billing::catalog::{
        ClientKind, Product,
        sign_in::{at_tenant, names_tenants},
    },
    ids::{OrganizationId, TenantId},
};
use tenantry_postgres::{
    SystemTx,
    accounts::oidc_clients::{self, ClientRow, NewClient},
};
use url::Url;

use super::super::OpaqueToken;
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// A registered client.
#[derive(Debug, Clone)]
pub struct Client {
    row: ClientRow,
}

/// A secret that was just made: shown once, kept as a hash.
pub struct ClientSecret {
    /// Whose.
    pub client_id: String,
    /// The secret.
    pub secret: OpaqueToken,
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientSecret({}, …)", self.client_id)
    }
}

impl Client {
    /// Its id: the product's key.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.row.client_id
    }

    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.row.name
    }

    /// Whether it has to show a secret.
    #[must_use]
    pub fn is_confidential(&self) -> bool {
        self.row.secret_hash.is_some()
    }

    /// Whether this is its secret.
    #[must_use]
    pub fn has_secret(&self, shown: &str) -> bool {
        let shown: [u8; 32] =
            OpaqueToken::decode(shown).map_or_else(|| Sha256::digest(shown).into(), |secret| secret.hash());
        self.row
            .secret_hash
            .as_deref()
            .is_some_and(|kept| kept.ct_eq(&shown).into())
    }
}

/// For what a browser is sent to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectKind {
    /// It signed in.
    SignIn,
    /// It signed out.
    SignOut,
}

/// The client of this id.
///
/// # Errors
/// The ledger's.
pub async fn find_client(app: &App, client_id: &str) -> Result<Option<Client>, Fault> {
    // Keys of products are short, and the ledger's texts hold no NUL.
    if client_id.is_empty() || client_id.len() > 100 || client_id.contains('\0') {
        return Ok(None);
    }
    let mut tx = app.database.read_system("find an OpenID client").await?;
    let row = oidc_clients::find(&mut tx, client_id).await?;
    tx.commit().await?;
    Ok(row.map(|row| Client { row }))
}

/// Where an address leads that a client asks to have a browser sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redirect {
    /// At which tenant, and whose that is; none where the client has one address for everybody.
    pub tenant: Option<(TenantId, OrganizationId)>,
}

/// Compares an address with those that the client registered: letter by letter, and at a dedicated product with the
/// address of each of its tenants. `None` when browsers must not be sent there.
///
/// # Errors
/// The ledger's.
pub async fn find_redirect(
    app: &App,
    client: &Client,
    kind: RedirectKind,
    address: &str,
) -> Result<Option<Redirect>, Fault> {
    let registered = match kind {
        RedirectKind::SignIn => &client.row.redirect_uris,
        RedirectKind::SignOut => &client.row.post_logout_redirect_uris,
    };
    if registered.iter().any(|known| known == address) && !names_tenants(address) {
        return Ok(Some(Redirect { tenant: None }));
    }
    let templates: Vec<&String> = registered.iter().filter(|known| names_tenants(known)).collect();
    let Some(host) = Url::parse(address)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
    else {
        return Ok(None);
    };
    let tenant_url = app.settings.tenant_url(&host);
    if !templates
        .iter()
        .any(|template| at_tenant(template, &tenant_url) == address)
    {
        return Ok(None);
    }
    let mut tx = app.database.read_system("find the tenant of an address").await?;
    let found = oidc_clients::find_tenant(&mut tx, client.id(), &host).await?;
    tx.commit().await?;
    Ok(found.map(|tenant| Redirect { tenant: Some(tenant) }))
}

/// Makes the client of a product be as the catalog says; a confidential one that has no secret gets one.
pub(crate) async fn register(tx: &mut SystemTx, product: &Product) -> Result<Option<ClientSecret>, Fault> {
    let Some(sign_in) = &product.sign_in else {
        oidc_clients::retire(tx, &product.key).await?;
        return Ok(None);
    };
    let is_confidential = sign_in.client == ClientKind::Confidential;
    let has_secret = oidc_clients::put(
        tx,
        &NewClient {
            product: &product.key,
            name: &product.name,
            redirect_uris: &sign_in.redirect_uris,
            post_logout_redirect_uris: &sign_in.post_logout_redirect_uris,
            keeps_secret: is_confidential,
        },
    )
    .await?;
    if !is_confidential || has_secret {
        return Ok(None);
    }
    let secret = OpaqueToken::generate()?;
    oidc_clients::set_secret(tx, &product.key, &secret.hash()).await?;
    Ok(Some(ClientSecret {
        client_id: product.key.clone(),
        secret,
    }))
}

/// Nobody signs in to a product any more that is not sold.
pub(crate) async fn retire(tx: &mut SystemTx, product: &str) -> Result<(), Fault> {
    Ok(oidc_clients::retire(tx, product).await?)
}

/// Gives a confidential client another secret; the one before stops working at once. `None` when there is no such client.
///
/// # Errors
/// The ledger's.
pub async fn renew_client_secret(app: &App, client_id: &str, actor: &str) -> Result<Option<ClientSecret>, Fault> {
    let Some(client) = find_client(app, client_id).await?.filter(Client::is_confidential) else {
        return Ok(None);
    };
    let secret = OpaqueToken::generate()?;
    let mut tx = app.database.system("renew the secret of an OpenID client").await?;
    if !oidc_clients::set_secret(&mut tx, client.id(), &secret.hash()).await? {
        return Ok(None);
    }
    let act = Act::new("oidc_client.secret_renewed", actor).target(client.id());
    audit::record(app, &mut tx, act).await?;
    tx.commit().await?;
    Ok(Some(ClientSecret {
        client_id: client.id().to_owned(),
        secret,
    }))
}
