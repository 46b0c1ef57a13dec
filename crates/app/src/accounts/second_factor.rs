//! Second factors, of customers and of operators alike: an authenticator app, and codes on paper for its loss.
//!
//! A code is used up by a conditional update, so that of many who show it at once one gets in. Recovery codes are kept as
//! hashes keyed by the app's secret, which is sealed: they survive a new master key, and a copy of the ledger does not
//! help to guess them.

use hmac::{Hmac, KeyInit, Mac};
use rand::{TryRng, rngs::SysRng};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::Sha256;
use tenantry_domain::{
    accounts::{
        EnteredCode, FactorHolder, RecoveryCode, SecondFactorMethod, TotpSecret,
        recovery_code::{RANDOM_BYTES, RECOVERY_CODES},
        second_factor::SETUP_LASTS,
        totp::SECRET_BYTES,
    },
    mail::{Message, SecondFactorChange},
};
use tenantry_postgres::{SystemTx, accounts::second_factors};

use super::Visitor;
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
    mail,
    sealing::{Purpose, SealingError},
};

/// What an authenticator app has to learn, once.
#[derive(Debug)]
pub struct TotpSetup {
    /// For typing.
    pub secret: SecretString,
    /// For a QR code.
    pub otpauth_uri: SecretString,
}

/// Codes to be shown once and kept on paper.
#[derive(Debug)]
pub struct RecoveryCodes(Vec<RecoveryCode>);

impl RecoveryCodes {
    fn generate() -> Result<Self, Fault> {
        (0..RECOVERY_CODES)
            .map(|_| random::<RANDOM_BYTES>().map(RecoveryCode::from_random))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The codes as people read them.
    #[must_use]
    pub fn show(&self) -> Vec<String> {
        self.0.iter().map(RecoveryCode::show).collect()
    }
}

fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).map_err(|_| Fault::NoRandomness)?;
    Ok(bytes)
}

fn open(app: &App, holder: FactorHolder, sealed: &str) -> Result<TotpSecret, Fault> {
    let text = app.sealer.open_text(&Purpose::Totp(holder), sealed)?;
    TotpSecret::from_base32(&text).ok_or(Fault::Sealing(SealingError::Tampered))
}

/// Whether codes are asked for.
pub(super) async fn is_enabled(tx: &mut SystemTx, holder: FactorHolder) -> Result<bool, Fault> {
    let factor = second_factors::find(tx, holder).await?;
    Ok(factor.is_some_and(|factor| factor.confirmed_at.is_some()))
}

/// Makes a secret for an app, which counts once the app has shown a code, and writes down who got it. `account` is what the
/// app calls it.
pub(super) async fn prepare(
    app: &App,
    tx: &mut SystemTx,
    holder: FactorHolder,
    account: &str,
    by: &By<'_>,
) -> Result<TotpSetup, Fault> {
    let secret = TotpSecret::from_random(random::<SECRET_BYTES>()?);
    let text = secret.base32();
    let sealed = app.sealer.seal_text(&Purpose::Totp(holder), text.expose_secret())?;
    second_factors::prepare(tx, holder, &sealed, app.clock.now()).await?;
    let (issuer, action) = match holder {
        FactorHolder::User(_) => ("Tenantry", "second_factor.prepared"),
        FactorHolder::Operator(_) => ("Tenantry operator", "operator_second_factor.prepared"),
    };
    let act = Act::new(action, by.actor).address(by.visitor.address).target(holder);
    audit::record(app, tx, of_holder(act, holder)).await?;
    Ok(TotpSetup {
        otpauth_uri: secret.otpauth_uri(issuer, account)?,
        secret: text,
    })
}

/// Makes the prepared secret count, by the first code of the app that learned it, and gives the first recovery codes;
/// `None` when nothing was prepared of late or the code is not its. The caller counts who guesses.
pub(super) async fn confirm(
    app: &App,
    tx: &mut SystemTx,
    holder: FactorHolder,
    code: &EnteredCode,
) -> Result<Option<RecoveryCodes>, Fault> {
    let EnteredCode::Totp(code) = code else {
        return Ok(None);
    };
    let now = app.clock.now();
    let factor = second_factors::find(tx, holder).await?;
    let Some(pending) = factor.as_ref().and_then(|factor| factor.pending(now - SETUP_LASTS)) else {
        return Ok(None);
    };
    let secret = open(app, holder, pending)?;
    let Some(step) = secret.matching_step(code.expose_secret(), now) else {
        return Ok(None);
    };
    if !second_factors::confirm(tx, holder, pending, step, now).await? {
        return Ok(None);
    }
    replace_recovery_codes(app, tx, holder, &secret).await.map(Some)
}

/// New recovery codes in the place of all before them; `None` without a factor.
pub(super) async fn renew_recovery_codes(
    app: &App,
    tx: &mut SystemTx,
    holder: FactorHolder,
) -> Result<Option<RecoveryCodes>, Fault> {
    let factor = second_factors::find(tx, holder).await?;
    let Some(factor) = factor.filter(|factor| factor.confirmed_at.is_some()) else {
        return Ok(None);
    };
    let secret = open(app, holder, &factor.sealed_secret)?;
    replace_recovery_codes(app, tx, holder, &secret).await.map(Some)
}

async fn replace_recovery_codes(
    app: &App,
    tx: &mut SystemTx,
    holder: FactorHolder,
    secret: &TotpSecret,
) -> Result<RecoveryCodes, Fault> {
    let codes = RecoveryCodes::generate()?;
    let hashes: Vec<Vec<u8>> = codes.0.iter().map(|code| hash(secret, code).to_vec()).collect();
    second_factors::replace_recovery_codes(tx, holder, &hashes, app.clock.now()).await?;
    Ok(codes)
}

fn hash(secret: &TotpSecret, code: &RecoveryCode) -> [u8; 32] {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose()) else {
        return [0; 32];
    };
    mac.update(b"tenantry recovery code ");
    mac.update(code.expose().as_bytes());
    mac.finalize().into_bytes().into()
}

/// Takes a code, which is used up then: `None` when it is wrong, was used, or no factor counts.
pub(super) async fn accept(
    app: &App,
    tx: &mut SystemTx,
    holder: FactorHolder,
    code: &EnteredCode,
) -> Result<Option<SecondFactorMethod>, Fault> {
    let now = app.clock.now();
    let factor = second_factors::find(tx, holder).await?;
    let Some(factor) = factor.filter(|factor| factor.confirmed_at.is_some()) else {
        return Ok(None);
    };
    let secret = open(app, holder, &factor.sealed_secret)?;
    let (method, is_taken) = match code {
        EnteredCode::Totp(code) => {
            let step = secret.matching_step(code.expose_secret(), now);
            let is_taken = match step {
                Some(step) => second_factors::use_step(tx, holder, step).await?,
                None => false,
            };
            (SecondFactorMethod::Totp, is_taken)
        }
        EnteredCode::Recovery(code) => {
            let is_taken = second_factors::use_recovery_code(tx, holder, &hash(&secret, code), now).await?;
            (SecondFactorMethod::RecoveryCode, is_taken)
        }
    };
    Ok(is_taken.then_some(method))
}

/// Writes a change down, and tells its owner by a mail that cannot be switched off.
pub(super) async fn announce(
    app: &App,
    tx: &mut SystemTx,
    holder: FactorHolder,
    email: &str,
    change: SecondFactorChange,
    by: &By<'_>,
) -> Result<(), Fault> {
    let (action, link) = match (change, holder) {
        (SecondFactorChange::Enabled, FactorHolder::User(_)) => ("second_factor.enabled", "/account/security"),
        (SecondFactorChange::Disabled, FactorHolder::User(_)) => ("second_factor.disabled", "/account/security"),
        (SecondFactorChange::CodesRenewed, FactorHolder::User(_)) => {
            ("second_factor.codes_renewed", "/account/security")
        }
        (SecondFactorChange::Enabled, FactorHolder::Operator(_)) => ("operator_second_factor.enabled", "/operator"),
        (SecondFactorChange::Disabled, FactorHolder::Operator(_)) => ("operator_second_factor.reset", "/operator"),
        (SecondFactorChange::CodesRenewed, FactorHolder::Operator(_)) => {
            ("operator_second_factor.codes_renewed", "/operator")
        }
    };
    let act = Act::new(action, by.actor).address(by.visitor.address).target(holder);
    audit::record(app, &mut *tx, of_holder(act, holder)).await?;
    let now = app.clock.now();
    let message = Message::SecondFactorChanged {
        change,
        at: mail::written(now),
        link: app.settings.link(link),
    };
    let cause = format!("{action}:{holder}:{}", now.timestamp_micros());
    mail::queue(tx, app, &cause, email, message).await
}

/// Who changes a second factor.
pub(super) struct By<'a> {
    /// As the audit log names them.
    pub(super) actor: &'a str,
    /// Where from.
    pub(super) visitor: &'a Visitor,
}

/// Writes down by which way somebody passed.
pub(super) async fn record_use(
    app: &App,
    tx: &mut SystemTx,
    holder: FactorHolder,
    method: SecondFactorMethod,
    visitor: &Visitor,
) -> Result<(), Fault> {
    let act = Act::new("second_factor.used", holder)
        .address(visitor.address)
        .target(holder)
        .body(json!({ "method": method.as_str() }));
    Ok(audit::record(app, &mut *tx, of_holder(act, holder)).await?)
}

/// A user finds what concerns them in their own log; operators have none.
pub(super) fn of_holder(act: Act, holder: FactorHolder) -> Act {
    match holder {
        FactorHolder::User(user) => act.user(user),
        FactorHolder::Operator(_) => act,
    }
}
