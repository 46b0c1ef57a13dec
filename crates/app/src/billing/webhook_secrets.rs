//! Signing secrets of webhook endpoints that were made by `catalog apply`: sealed in the ledger, so that every server
//! has them.

use secrecy::{ExposeSecret, SecretString};
use tenantry_postgres::{
    SystemTx,
    billing::webhooks::{self, SealedWebhookSecret},
};

use crate::{App, error::Fault, sealing::Sealed};

const SCOPE: &str = "stripe_webhook";

/// Reads the secrets from the ledger and has deliveries that are signed with them believed.
///
/// # Errors
/// The ledger's, or a secret that does not open.
pub async fn load(app: &App) -> Result<(), Fault> {
    let mut tx = app.database.read_system("read the signing secrets of webhooks").await?;
    let rows = webhooks::list(&mut tx, SCOPE).await?;
    tx.commit().await?;
    let mut secrets = Vec::with_capacity(rows.len());
    for row in rows {
        let sealed = Sealed {
            key_id: row.key_id,
            wrapped_key: row.wrapped_key,
            ciphertext: row.ciphertext,
        };
        let opened = app.sealer.open(SCOPE, app.settings.installation.uuid(), &sealed)?;
        let text = std::str::from_utf8(&opened).map_err(|_| crate::sealing::SealingError::Tampered)?;
        secrets.push(SecretString::from(text.to_owned()));
    }
    app.payments.trust_webhook_secrets(secrets);
    Ok(())
}

/// The endpoints whose secrets are known, newest first.
///
/// # Errors
/// The ledger's.
pub(super) async fn known_endpoints(tx: &mut SystemTx) -> Result<Vec<String>, Fault> {
    Ok(webhooks::list(tx, SCOPE)
        .await?
        .into_iter()
        .map(|row| row.name)
        .collect())
}

/// Keeps the secret of a new endpoint.
pub(super) async fn keep(tx: &mut SystemTx, app: &App, endpoint: &str, secret: &SecretString) -> Result<(), Fault> {
    let owner = app.settings.installation.uuid();
    let sealed = app.sealer.seal(SCOPE, owner, secret.expose_secret().as_bytes())?;
    let row = SealedWebhookSecret {
        name: endpoint.to_owned(),
        key_id: sealed.key_id,
        wrapped_key: sealed.wrapped_key,
        ciphertext: sealed.ciphertext,
    };
    Ok(webhooks::insert(tx, SCOPE, owner, &row).await?)
}

/// Forgets the secrets of endpoints that are no longer there.
pub(super) async fn forget_others(tx: &mut SystemTx, endpoints: &[String]) -> Result<(), Fault> {
    Ok(webhooks::delete_others(tx, SCOPE, endpoints).await?)
}
