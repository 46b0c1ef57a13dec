//! Browsers that signed in before keep a secret of their own: their failures are counted for themselves, so that
//! strangers who try an account's password do not lock its owner out.

use chrono::{DateTime, Utc};
use tenantry_domain::{
    accounts::device::{self, DEVICE_STAYS_KNOWN},
    ids::{SessionId, UserId},
    mail::Message,
};
use tenantry_postgres::{SystemTx, accounts::known_devices};

use super::{OpaqueToken, Visitor, throttle::Attempt};
use crate::{App, error::Fault, mail};

const DOOR: &str = "user";

/// A browser from which somebody signed in.
#[derive(Debug)]
pub(super) struct Device {
    /// What it is recognised by, for its cookie.
    pub(super) secret: OpaqueToken,
    /// Whether this user was not seen on it before.
    pub(super) is_new: bool,
}

/// What a browser keeps to be known by.
#[derive(Debug)]
pub struct KnownBrowser {
    /// For its cookie.
    pub secret: OpaqueToken,
    /// When the cookie may be forgotten.
    pub expires_at: DateTime<Utc>,
}

/// Makes the visitor's browser known to a user who has proved to be the account's owner without signing in.
pub(super) async fn know(app: &App, tx: &mut SystemTx, user: UserId, visitor: &Visitor) -> Result<KnownBrowser, Fault> {
    let device = remember(app, tx, user, visitor).await?;
    Ok(KnownBrowser {
        secret: device.secret,
        expires_at: cookie_expires_at(app.clock.now()),
    })
}

/// How long its cookie is kept.
pub(super) fn cookie_expires_at(now: DateTime<Utc>) -> DateTime<Utc> {
    now + DEVICE_STAYS_KNOWN
}

/// What the visitor's browser is recognised by, where somebody with this address signed in from it before.
pub(super) async fn known<'a>(
    app: &App,
    tx: &mut SystemTx,
    email: &str,
    visitor: &'a Visitor,
) -> Result<Option<&'a OpaqueToken>, Fault> {
    let hash = visitor.device_secret.as_ref().map(OpaqueToken::hash);
    let since = app.clock.now() - DEVICE_STAYS_KNOWN;
    let is_known = known_devices::is_known(tx, email, hash.as_ref(), since).await?;
    Ok(visitor.device_secret.as_ref().filter(|_| is_known))
}

/// What an attempt at a user's account counts against: the browser alone, where its owner signed in from it before.
pub(super) async fn attempt(app: &App, tx: &mut SystemTx, email: &str, visitor: &Visitor) -> Result<Attempt, Fault> {
    match known(app, tx, email, visitor).await? {
        Some(device) => Attempt::from_known_device(app, DOOR, email, device),
        None => Attempt::new(app, DOOR, email, visitor.address),
    }
}

/// Forgets what failed at a user's account elsewhere than on known devices.
pub(super) async fn forgive(app: &App, tx: &mut SystemTx, email: &str) -> Result<(), Fault> {
    Attempt::new(app, DOOR, email, None)?.succeeded(app, tx).await?;
    Ok(())
}

/// Writes down that a user signed in from the visitor's browser. A secret that was not this user's is never taken over:
/// somebody else may have put it there.
pub(super) async fn remember(app: &App, tx: &mut SystemTx, user: UserId, visitor: &Visitor) -> Result<Device, Fault> {
    let now = app.clock.now();
    let previous = visitor.device_secret.as_ref().map(OpaqueToken::hash);
    if let (Some(secret), Some(hash)) = (&visitor.device_secret, &previous)
        && known_devices::touch(tx, user, hash, now, now - DEVICE_STAYS_KNOWN).await?
    {
        return Ok(Device {
            secret: secret.clone(),
            is_new: false,
        });
    }
    let secret = OpaqueToken::generate()?;
    known_devices::insert(tx, user, &secret.hash(), previous.as_ref(), now).await?;
    Ok(Device { secret, is_new: true })
}

/// Tells a user of a sign-in from a browser that was not seen before, or by a program, unless they do not want to know.
pub(super) async fn tell(
    app: &App,
    tx: &mut SystemTx,
    user: UserId,
    email: &str,
    session: SessionId,
    visitor: &Visitor,
) -> Result<(), Fault> {
    if !known_devices::tells(tx, user).await? {
        return Ok(());
    }
    let message = Message::NewDevice {
        device: device::describe(&visitor.device),
        address: visitor.address.map(|address| address.to_canonical().to_string()),
        at: mail::written(app.clock.now()),
        link: app.settings.link("/account/sessions"),
    };
    mail::queue(tx, app, &format!("new_device:{session}"), email, message).await
}
