//! Counts a sign-in as failed before its password is looked at, so that a hundred at once count as a hundred, and takes
//! that back when it succeeds. Replicas agree, because PostgreSQL counts.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use tenantry_domain::accounts::throttle::{
    Allowance, FORGOTTEN_AFTER, Failures, PER_ACCOUNT, PER_ADDRESS, PER_INBOX, Throttle,
};
use tenantry_postgres::{SystemTx, accounts::sign_in_failures};

use super::OpaqueToken;
use crate::{App, error::Fault};

/// What an attempt counts against.
pub(super) struct Attempt {
    account: [u8; 32],
    per_account: Throttle,
    address: Option<[u8; 32]>,
}

/// Whether an attempt may be made.
pub(super) enum Admission {
    /// It may, and this much is left then.
    Admitted(Allowance),
    /// Not before the allowance is reset.
    Paused(Allowance),
}

impl Attempt {
    /// An attempt at an account from a browser that its owner signed in from before: it counts against that browser alone,
    /// however many strangers have tried elsewhere.
    pub(super) fn from_known_device(app: &App, door: &str, email: &str, device: &OpaqueToken) -> Result<Self, Fault> {
        let device = format!("{email} {}", hex::encode(device.hash()));
        Self::new(app, &format!("{door} on a known device"), &device, None)
    }

    /// `door` keeps users and operators apart.
    pub(super) fn new(app: &App, door: &str, email: &str, address: Option<IpAddr>) -> Result<Self, Fault> {
        Ok(Self {
            account: subject(app, &[door, "account", email])?,
            per_account: PER_ACCOUNT,
            address: address
                .map(|address| subject(app, &[door, "address", &network(address)]))
                .transpose()?,
        })
    }

    /// An attempt that sends mail: no inbox is filled by it, whoever asks.
    pub(super) fn to_mail(app: &App, door: &str, email: &str, address: Option<IpAddr>) -> Result<Self, Fault> {
        Ok(Self {
            per_account: PER_INBOX,
            ..Self::new(app, door, email, address)?
        })
    }

    fn subjects(&self) -> impl Iterator<Item = (&[u8; 32], Throttle)> {
        [(&self.account, self.per_account)]
            .into_iter()
            .chain(self.address.as_ref().map(|address| (address, PER_ADDRESS)))
    }

    /// Counts the attempt, unless it has to wait.
    pub(super) async fn admit(&self, app: &App, tx: &mut SystemTx) -> Result<Admission, Fault> {
        let now = app.clock.now();
        let mut left = self.per_account.untouched();
        for (subject, throttle) in self.subjects() {
            let failures = sign_in_failures::lock(tx, subject, now).await?;
            if throttle.pause(failures, now).is_some() {
                return Ok(Admission::Paused(throttle.allowance(failures, now)));
            }
            left = left.or_less(throttle.allowance(failures.and_one(now), now));
        }
        for (subject, _) in self.subjects() {
            sign_in_failures::count(tx, subject, now, now - FORGOTTEN_AFTER).await?;
        }
        Ok(Admission::Admitted(left))
    }

    /// It was no failure, but nobody is signed in yet: what failed before is not forgotten, and a code may follow at once.
    /// Returns what is left.
    pub(super) async fn take_back(&self, app: &App, tx: &mut SystemTx) -> Result<Allowance, Fault> {
        let now = app.clock.now();
        let failures = sign_in_failures::end_pause(tx, &self.account, now - PER_ACCOUNT.longest).await?;
        let left = allowance(self.per_account, failures, now);
        Ok(left.or_less(self.spare_address(app, tx).await?))
    }

    /// It was no failure. Returns what is left.
    pub(super) async fn succeeded(&self, app: &App, tx: &mut SystemTx) -> Result<Allowance, Fault> {
        sign_in_failures::forget(tx, &self.account).await?;
        Ok(self.per_account.untouched().or_less(self.spare_address(app, tx).await?))
    }

    async fn spare_address(&self, app: &App, tx: &mut SystemTx) -> Result<Allowance, Fault> {
        let Some(address) = &self.address else {
            return Ok(PER_ADDRESS.untouched());
        };
        let failures = sign_in_failures::take_back(tx, address).await?;
        Ok(allowance(PER_ADDRESS, failures, app.clock.now()))
    }
}

fn allowance(throttle: Throttle, failures: Option<Failures>, now: DateTime<Utc>) -> Allowance {
    failures.map_or(throttle.untouched(), |failures| throttle.allowance(failures, now))
}

/// What is counted against an account, as the log writes it down where there is no such account: what was tried again and
/// again is seen to be one, and not which address somebody mistyped.
pub(super) fn name(app: &App, door: &str, email: &str) -> Result<String, Fault> {
    Ok(hex::encode(subject(app, &[door, "account", email])?))
}

/// What is counted, as a keyed hash: the tables name nobody.
pub(super) fn subject(app: &App, parts: &[&str]) -> Result<[u8; 32], Fault> {
    let mut hash = Sha256::new();
    hash.update(app.sealer.derive("sign-in throttle")?.as_slice());
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    Ok(hash.finalize().into())
}

/// One customer's network: an IPv4 address, or the /64 that every IPv6 customer has to itself.
pub(super) fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("{:x}/64", address.to_bits() >> 64),
    }
}
