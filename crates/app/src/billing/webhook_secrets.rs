//! Signing secrets of webhook endpoints that were made by `catalog apply`: sealed in the ledger, so that every server
//! has them.

use secrecy::{ExposeSecret, SecretString};
use tenantry_domain::ids::InstallationId;
use tenantry_postgres::{Database, SystemTx, provisioning::installation, sealed_secrets};

use crate::{
    App,
    error::Fault,
    sealing::{MasterKeys, Place, SealingError},
};

const SCOPE: &str = "stripe_webhook";

/// Reads the secrets from the ledger and has deliveries that are signed with them believed.
///
/// # Errors
/// The ledger's, or a secret that does not open.
pub async fn load(app: &App) -> Result<(), Fault> {
    let mut tx = app.database.read_system("read the signing secrets of webhooks").await?;
    let rows = sealed_secrets::list(&mut tx, SCOPE, app.settings.installation.uuid()).await?;
    tx.commit().await?;
    let mut secrets = Vec::with_capacity(rows.len());
    for row in rows {
        let endpoint = row.name.clone();
        let opened = app
            .sealer
            .open_secret(place(app.settings.installation, &endpoint), row)?;
        let text = std::str::from_utf8(&opened).map_err(|_| SealingError::Tampered)?;
        secrets.push(SecretString::from(text.to_owned()));
    }
    app.payments.trust_webhook_secrets(secrets);
    Ok(())
}

/// The endpoints whose secrets are known, newest first.
///
/// # Errors
/// The ledger's.
pub(super) async fn known_endpoints(tx: &mut SystemTx, app: &App) -> Result<Vec<String>, Fault> {
    let rows = sealed_secrets::list(tx, SCOPE, app.settings.installation.uuid()).await?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

/// Keeps the secret of a new endpoint.
pub(super) async fn keep(tx: &mut SystemTx, app: &App, endpoint: &str, secret: &SecretString) -> Result<(), Fault> {
    let place = place(app.settings.installation, endpoint);
    let row = app.sealer.seal_secret(place, secret.expose_secret().as_bytes())?;
    Ok(sealed_secrets::insert_if_absent(tx, place.scope, place.organization, place.owner, &row).await?)
}

/// Forgets the secrets of endpoints that are no longer there.
pub(super) async fn forget_others(tx: &mut SystemTx, app: &App, endpoints: &[String]) -> Result<(), Fault> {
    Ok(sealed_secrets::delete_others(tx, SCOPE, app.settings.installation.uuid(), endpoints).await?)
}

/// The endpoints whose secrets are kept, each opened to see whether it does.
///
/// # Errors
/// The ledger's, or a secret that none of these keys opens.
pub async fn kept_endpoints(database: &Database, keys: &MasterKeys) -> Result<Vec<String>, Fault> {
    let mut tx = database.read_system("look whether signing secrets open").await?;
    let installation = installation::id(&mut tx).await?;
    let rows = sealed_secrets::list(&mut tx, SCOPE, installation.uuid()).await?;
    tx.commit().await?;
    rows.into_iter()
        .map(|row| {
            let endpoint = row.name.clone();
            keys.open_secret(place(installation, &endpoint), row)?;
            Ok(endpoint)
        })
        .collect()
}

fn place(installation: InstallationId, endpoint: &str) -> Place<'_> {
    Place {
        scope: SCOPE,
        organization: None,
        owner: installation.uuid(),
        name: endpoint,
    }
}
