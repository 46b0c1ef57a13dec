//! Counts a sign-in as failed before its password is looked at, so that a hundred at once count as a hundred, and takes
//! that back when it succeeds. Replicas agree, because PostgreSQL counts.

use std::net::IpAddr;

use chrono::{DateTime, SubsecRound, Utc};
use sha2::{Digest, Sha256};
use tenantry_domain::accounts::throttle::{
    Allowance, FORGOTTEN_AFTER, Failures, PER_ACCOUNT, PER_ADDRESS, PER_INBOX, PER_INBOX_IN_ALL, Throttle,
};
use tenantry_postgres::{SystemTx, accounts::sign_in_failures};

use super::{HashingError, OpaqueToken, Visitor, devices};
use crate::{App, error::Fault};

/// What an attempt counts against.
pub(super) struct Attempt {
    /// When it is made, as exact as the ledger keeps it.
    at: DateTime<Utc>,
    /// What it is made at: whoever succeeds there is forgiven what failed there.
    own: Counted,
    /// What others count against as well, who are not. Locked after its own, in this order.
    shared: Vec<Counted>,
}

struct Counted {
    subject: [u8; 32],
    throttle: Throttle,
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
        Self::on_device(app, door, email, device, PER_ACCOUNT)
    }

    /// `door` keeps users and operators apart.
    pub(super) fn new(app: &App, door: &str, email: &str, address: Option<IpAddr>) -> Result<Self, Fault> {
        let own = Counted::new(app, &[door, "account", email], PER_ACCOUNT)?;
        let network = address
            .map(|address| Counted::network(app, door, address))
            .transpose()?;
        Ok(Self::counted(app, own, network.into_iter().collect()))
    }

    /// An attempt that sends mail. What one network asks for counts there first, so that strangers elsewhere do not keep
    /// somebody from a mail, and what a browser asks for that the address's owner signed in from counts there alone;
    /// still no inbox is filled, whoever asks.
    pub(super) async fn to_mail(
        app: &App,
        tx: &mut SystemTx,
        door: &str,
        email: &str,
        visitor: &Visitor,
    ) -> Result<Self, Fault> {
        if let Some(device) = devices::known(app, tx, email, visitor).await? {
            return Self::on_device(app, door, email, device, PER_INBOX);
        }
        let from = visitor.address.map(network).unwrap_or_default();
        let own = Counted::new(app, &[door, "inbox from a network", email, &from], PER_INBOX)?;
        let mut shared = vec![Counted::new(app, &[door, "inbox", email], PER_INBOX_IN_ALL)?];
        if let Some(address) = visitor.address {
            shared.push(Counted::network(app, door, address)?);
        }
        Ok(Self::counted(app, own, shared))
    }

    fn on_device(app: &App, door: &str, email: &str, device: &OpaqueToken, throttle: Throttle) -> Result<Self, Fault> {
        let device = hex::encode(device.hash());
        let own = Counted::new(app, &[door, "known device", email, &device], throttle)?;
        Ok(Self::counted(app, own, Vec::new()))
    }

    fn counted(app: &App, own: Counted, shared: Vec<Counted>) -> Self {
        let at = app.clock.now().trunc_subsecs(6);
        Self { at, own, shared }
    }

    fn all(&self) -> impl Iterator<Item = &Counted> {
        [&self.own].into_iter().chain(&self.shared)
    }

    /// Counts the attempt, unless it has to wait.
    pub(super) async fn admit(&self, tx: &mut SystemTx) -> Result<Admission, Fault> {
        let now = self.at;
        let mut left = self.own.throttle.untouched();
        for Counted { subject, throttle } in self.all() {
            let failures = sign_in_failures::lock(tx, subject, now).await?;
            if throttle.pause(failures, now).is_some() {
                return Ok(Admission::Paused(throttle.allowance(failures, now)));
            }
            left = left.or_less(throttle.allowance(failures.and_one(now), now));
        }
        for counted in self.all() {
            sign_in_failures::count(tx, &counted.subject, now, now - FORGOTTEN_AFTER).await?;
        }
        Ok(Admission::Admitted(left))
    }

    /// Waits for the hashing that an admitted attempt is about. Where it fails, since too many wait for theirs perhaps,
    /// nobody has looked at the attempt: it is taken back, and the pause that it began with it. Nothing is won by keeping
    /// the server busy, since only attempts that no pause holds up are admitted.
    pub(super) async fn hashing<T>(
        &self,
        app: &App,
        hashing: impl Future<Output = Result<T, HashingError>>,
    ) -> Result<T, Fault> {
        match hashing.await {
            Ok(done) => Ok(done),
            Err(error) => {
                let mut tx = app
                    .database
                    .system("take back an attempt that nobody looked at")
                    .await?;
                for Counted { subject, throttle } in self.all() {
                    sign_in_failures::undo(&mut tx, subject, self.at, self.at - throttle.longest).await?;
                }
                tx.commit().await?;
                Err(error.into())
            }
        }
    }

    /// It was no failure, but nobody is signed in yet: what failed before is not forgotten, and a code may follow at once.
    /// Returns what is left.
    pub(super) async fn take_back(&self, app: &App, tx: &mut SystemTx) -> Result<Allowance, Fault> {
        let now = app.clock.now();
        let Counted { subject, throttle } = &self.own;
        let failures = sign_in_failures::end_pause(tx, subject, now - throttle.longest).await?;
        let left = allowance(*throttle, failures, now);
        self.spare_shared(app, tx, left).await
    }

    /// It was no failure. Returns what is left.
    pub(super) async fn succeeded(&self, app: &App, tx: &mut SystemTx) -> Result<Allowance, Fault> {
        sign_in_failures::forget(tx, &self.own.subject).await?;
        self.spare_shared(app, tx, self.own.throttle.untouched()).await
    }

    async fn spare_shared(&self, app: &App, tx: &mut SystemTx, mut left: Allowance) -> Result<Allowance, Fault> {
        for Counted { subject, throttle } in &self.shared {
            let failures = sign_in_failures::take_back(tx, subject).await?;
            left = left.or_less(allowance(*throttle, failures, app.clock.now()));
        }
        Ok(left)
    }
}

impl Counted {
    fn new(app: &App, parts: &[&str], throttle: Throttle) -> Result<Self, Fault> {
        let subject = subject(app, parts)?;
        Ok(Self { subject, throttle })
    }

    fn network(app: &App, door: &str, address: IpAddr) -> Result<Self, Fault> {
        Self::new(app, &[door, "address", &network(address)], PER_ADDRESS)
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
pub(crate) fn subject(app: &App, parts: &[&str]) -> Result<[u8; 32], Fault> {
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
