//! Between password and second factor: a token for five minutes and five codes, which opens nothing by itself.

use chrono::{DateTime, SubsecRound, Utc};
use tenantry_domain::accounts::{
    Allowance, EnteredCode, FactorHolder, Grant,
    second_factor::{CHALLENGE_LASTS, CHALLENGE_TRIES},
};
use tenantry_postgres::{
    SystemTx,
    accounts::challenges::{self, Challenge, NewChallenge},
};

use super::{
    OpaqueToken, Visitor, devices, operator_devices, second_factor,
    throttle::{Admission, Attempt},
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// A challenge that was made just now.
#[derive(Debug)]
pub struct StartedChallenge {
    /// Shown once, to whoever knew the password.
    pub token: OpaqueToken,
    /// When the password is asked for again.
    pub expires_at: DateTime<Utc>,
}

/// Why a challenge is not answered.
#[derive(Debug, thiserror::Error)]
pub enum ChallengeError {
    /// The code is wrong, or was used. This much is left.
    #[error("the code is wrong or was used")]
    CodeInvalid(Allowance),
    /// It is unknown, was answered, is too old, or was answered wrongly too often.
    #[error("the challenge is over")]
    Expired,
    /// Too many attempts at this account failed.
    #[error("too many attempts failed")]
    TooManyAttempts(Allowance),
    /// Not the visitor's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Makes a challenge for somebody whose password was right.
pub(super) async fn start(
    app: &App,
    tx: &mut SystemTx,
    holder: FactorHolder,
    grant: Grant,
) -> Result<StartedChallenge, Fault> {
    let now = app.clock.now().trunc_subsecs(6);
    let token = OpaqueToken::generate()?;
    let expires_at = now + CHALLENGE_LASTS;
    let challenge = NewChallenge {
        hash: &token.hash(),
        holder,
        grant,
        created_at: now,
        expires_at,
    };
    challenges::insert(tx, &challenge).await?;
    Ok(StartedChallenge { token, expires_at })
}

/// What an answer to a challenge is checked against.
#[derive(Debug, Clone, Copy)]
pub(super) enum Check<'a> {
    /// The factor that counts.
    Factor(&'a EnteredCode),
    /// The factor that is being set up.
    SetUp(&'a EnteredCode),
}

/// A challenge that was answered rightly, in a transaction that goes on.
pub(super) struct Answered {
    pub(super) challenge: Challenge,
    /// How many attempts are left.
    pub(super) left: Allowance,
    /// The first ones, where a factor was set up.
    pub(super) recovery_codes: Option<second_factor::RecoveryCodes>,
}

/// Holds an open challenge, for whoever sets something up before answering it.
pub(super) async fn hold(app: &App, tx: &mut SystemTx, token: &OpaqueToken) -> Result<Challenge, ChallengeError> {
    let hash = token.hash();
    let found = challenges::find(tx, &hash).await.map_err(Fault::from)?;
    let is_open = challenges::lock(tx, &hash, app.clock.now(), CHALLENGE_TRIES)
        .await
        .map_err(Fault::from)?;
    found.filter(|_| is_open).ok_or(ChallengeError::Expired)
}

/// Answers a challenge. A wrong code counts against the challenge and, like a wrong password, against the account and
/// the address. Returns the transaction in which the session is to begin.
pub(super) async fn answer(
    app: &App,
    token: &OpaqueToken,
    check: Check<'_>,
    visitor: &Visitor,
) -> Result<(SystemTx, Answered), ChallengeError> {
    let hash = token.hash();
    let mut tx = app
        .database
        .system("second factor: nobody is signed in yet")
        .await
        .map_err(Fault::from)?;
    let found = challenges::find(&mut tx, &hash).await.map_err(Fault::from)?;
    let challenge = found.ok_or(ChallengeError::Expired)?;
    let attempt = attempt(app, &mut tx, &challenge, visitor).await?;
    let left = match attempt.admit(&mut tx).await? {
        Admission::Admitted(allowance) => allowance,
        Admission::Paused(allowance) => return Err(ChallengeError::TooManyAttempts(allowance)),
    };
    let now = app.clock.now();
    if !challenges::lock(&mut tx, &hash, now, CHALLENGE_TRIES)
        .await
        .map_err(Fault::from)?
    {
        return Err(ChallengeError::Expired);
    }
    let (is_right, recovery_codes) = match check {
        Check::Factor(code) => {
            let method = second_factor::accept(app, &mut tx, challenge.holder, code).await?;
            if let Some(method) = method {
                second_factor::record_use(app, &mut tx, challenge.holder, method, visitor).await?;
            }
            (method.is_some(), None)
        }
        Check::SetUp(code) => {
            let codes = second_factor::confirm(app, &mut tx, challenge.holder, code).await?;
            (codes.is_some(), codes)
        }
    };
    if !is_right {
        challenges::count_failure(&mut tx, &hash).await.map_err(Fault::from)?;
        let act = Act::new("second_factor.refused", "anonymous").address(visitor.address);
        let act = second_factor::of_holder(act.target(challenge.holder), challenge.holder);
        audit::record(app, &mut tx, act).await.map_err(Fault::from)?;
        tx.commit().await.map_err(Fault::from)?;
        return Err(ChallengeError::CodeInvalid(left));
    }
    challenges::finish(&mut tx, &hash, now).await.map_err(Fault::from)?;
    let left = attempt.succeeded(app, &mut tx).await?;
    let answered = Answered {
        challenge,
        left,
        recovery_codes,
    };
    Ok((tx, answered))
}

async fn attempt(app: &App, tx: &mut SystemTx, challenge: &Challenge, visitor: &Visitor) -> Result<Attempt, Fault> {
    match challenge.holder {
        FactorHolder::User(_) => devices::attempt(app, tx, &challenge.email, visitor).await,
        FactorHolder::Operator(_) => operator_devices::attempt(app, tx, &challenge.email, visitor).await,
    }
}
