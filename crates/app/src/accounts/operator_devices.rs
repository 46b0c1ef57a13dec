//! Browsers from which operators signed in before keep a secret of their own, as those of customers do: whoever guesses at
//! an operator's password elsewhere does not shut the console for them.

use tenantry_domain::{accounts::device::DEVICE_STAYS_KNOWN, ids::OperatorId};
use tenantry_postgres::{SystemTx, accounts::operator_devices};

use super::{
    OpaqueToken, Visitor,
    devices::{KnownBrowser, cookie_expires_at},
    throttle::Attempt,
};
use crate::{App, error::Fault};

const DOOR: &str = "operator";

/// What an attempt at an operator's account counts against: the browser alone, where its operator signed in from it before.
pub(super) async fn attempt(app: &App, tx: &mut SystemTx, email: &str, visitor: &Visitor) -> Result<Attempt, Fault> {
    let hash = visitor.operator_device_secret.as_ref().map(OpaqueToken::hash);
    let since = app.clock.now() - DEVICE_STAYS_KNOWN;
    let is_known = operator_devices::is_known(tx, email, hash.as_ref(), since).await?;
    match &visitor.operator_device_secret {
        Some(device) if is_known => Attempt::from_known_device(app, DOOR, email, device),
        _ => Attempt::new(app, DOOR, email, visitor.address),
    }
}

/// Writes down that an operator signed in from the visitor's browser. A secret that was not this operator's is never taken
/// over: somebody else may know it.
pub(super) async fn remember(
    app: &App,
    tx: &mut SystemTx,
    operator: OperatorId,
    visitor: &Visitor,
) -> Result<KnownBrowser, Fault> {
    let now = app.clock.now();
    let expires_at = cookie_expires_at(now);
    if let Some(secret) = &visitor.operator_device_secret
        && operator_devices::touch(tx, operator, &secret.hash(), now, now - DEVICE_STAYS_KNOWN).await?
    {
        return Ok(KnownBrowser {
            secret: secret.clone(),
            expires_at,
        });
    }
    let secret = OpaqueToken::generate()?;
    operator_devices::insert(tx, operator, &secret.hash(), now).await?;
    Ok(KnownBrowser { secret, expires_at })
}
