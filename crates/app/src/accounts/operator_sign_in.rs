//! Operators sign in with a password and a second factor, always: whoever has none yet sets one up before anything opens.

use serde_json::json;
use tenantry_domain::{
    accounts::{Allowance, Email, EnteredCode, FactorHolder, Grant, Password},
    ids::OperatorId,
    mail::SecondFactorChange,
};
use tenantry_postgres::{
    SystemTx,
    accounts::{operator_credentials, operators as rows},
};

use super::{
    OpaqueToken, RecoveryCodes, SignInError, StartedOperatorSession, TotpSetup, Visitor,
    challenge::{self, Answered, ChallengeError, Check, StartedChallenge},
    operator_devices, operator_enrolment, operators,
    password_hasher::Verified,
    second_factor::{self, By},
    throttle::{self, Admission},
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// What is asked for after the password.
#[derive(Debug)]
pub enum OperatorSignIn {
    /// A code.
    SecondFactor(StartedChallenge),
    /// That a second factor is set up, of which there is none.
    SetUpSecondFactor(StartedChallenge),
}

/// Why no second factor is set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpOperatorError {
    /// The one before was reset: the link is asked for that whoever did it has.
    #[error("a link is asked for")]
    LinkRequired,
    /// The challenge is over, or there is a second factor.
    #[error(transparent)]
    Challenge(#[from] ChallengeError),
}

impl From<Fault> for SetUpOperatorError {
    fn from(fault: Fault) -> Self {
        Self::Challenge(fault.into())
    }
}

/// Looks at an operator's password. It opens nothing by itself. Says how many attempts are left, too.
///
/// # Errors
/// When the credentials are wrong, or too many attempts failed before.
pub async fn sign_in_operator(
    app: &App,
    email: &Email,
    password: Password,
    visitor: &Visitor,
) -> Result<(OperatorSignIn, Allowance), SignInError> {
    let mut tx = begin(app).await?;
    let attempt = operator_devices::attempt(app, &mut tx, email.as_str(), visitor).await?;
    let left = match attempt.admit(&mut tx).await? {
        Admission::Admitted(allowance) => allowance,
        Admission::Paused(allowance) => return Err(SignInError::TooManyAttempts(allowance)),
    };
    let known = rows::find_credentials(&mut tx, email.as_str())
        .await
        .map_err(Fault::from)?;
    tx.commit().await.map_err(Fault::from)?;

    let stored = known.as_ref().map(|known| known.password_hash.clone());
    let verified = attempt.hashing(app, app.passwords.check(password, stored)).await?;

    let mut tx = begin(app).await?;
    let tried = known.as_ref().map(|known| known.id);
    let proven = match known.zip(verified) {
        // Changed meanwhile, or of somebody who was disabled, it opens nothing any more.
        Some((known, Verified { stored, stronger })) => {
            rows::settle_password(&mut tx, known.id, &stored, stronger.as_deref())
                .await
                .map_err(Fault::from)?
                .then_some(known)
        }
        None => None,
    };
    let Some(known) = proven else {
        let mut act = Act::new("operator_session.refused", "anonymous").address(visitor.address);
        act = match tried {
            Some(operator) => act.target(operator),
            None => act.body(json!({ "subject": throttle::name(app, "operator", email.as_str())? })),
        };
        audit::record(app, &mut tx, act).await.map_err(Fault::from)?;
        tx.commit().await.map_err(Fault::from)?;
        return Err(SignInError::InvalidCredentials(left));
    };
    // Whoever has only the password must not win back the guesses at the code by giving it again.
    let left = attempt.take_back(app, &mut tx).await?;
    let holder = FactorHolder::Operator(known.id);
    let is_enabled = second_factor::is_enabled(&mut tx, holder).await?;
    let challenge = challenge::start(app, &mut tx, holder, Grant::Browser).await?;
    tx.commit().await.map_err(Fault::from)?;
    let step = if is_enabled {
        OperatorSignIn::SecondFactor(challenge)
    } else {
        OperatorSignIn::SetUpSecondFactor(challenge)
    };
    Ok((step, left))
}

/// Signs an operator in whose password was right, by a code. Says how many attempts are left, too.
///
/// # Errors
/// When the code is wrong or the challenge is over.
pub async fn sign_in_operator_with_second_factor(
    app: &App,
    token: &OpaqueToken,
    code: &EnteredCode,
    visitor: &Visitor,
) -> Result<(StartedOperatorSession, Allowance), ChallengeError> {
    let (mut tx, Answered { challenge, left, .. }) =
        challenge::answer(app, token, Check::Factor(code), visitor).await?;
    let operator = operator(challenge.holder)?;
    let started = operators::start(app, &mut tx, operator, visitor)
        .await?
        .ok_or(ChallengeError::Expired)?;
    tx.commit().await.map_err(Fault::from)?;
    Ok((started, left))
}

/// Makes a secret for the app of an operator who has no second factor yet. Where one was reset, `link` is what they were
/// handed.
///
/// # Errors
/// When the challenge is over, there is a second factor that would have to be shown, or the link is missing.
pub async fn set_up_operator_totp(
    app: &App,
    token: &OpaqueToken,
    link: Option<&OpaqueToken>,
    visitor: &Visitor,
) -> Result<TotpSetup, SetUpOperatorError> {
    let mut tx = begin(app).await?;
    let challenge = challenge::hold(app, &mut tx, token).await?;
    let operator = operator(challenge.holder)?;
    // Who knows the password alone must not put an app of their own in the place of one that counts.
    if second_factor::is_enabled(&mut tx, challenge.holder).await? {
        return Err(ChallengeError::Expired.into());
    }
    if !operator_enrolment::may_enrol(app, &mut tx, operator, link).await? {
        return Err(SetUpOperatorError::LinkRequired);
    }
    let by = By {
        actor: &operator.to_string(),
        visitor,
    };
    let setup = second_factor::prepare(app, &mut tx, challenge.holder, &challenge.email, &by).await?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(setup)
}

/// Makes the app count by its first code, and signs its operator in. Nothing is prepared where another app counts. Says
/// how many attempts are left, too.
///
/// # Errors
/// When the code is wrong, nothing is prepared, or the challenge is over.
pub async fn confirm_operator_totp(
    app: &App,
    token: &OpaqueToken,
    code: &EnteredCode,
    visitor: &Visitor,
) -> Result<(StartedOperatorSession, RecoveryCodes, Allowance), ChallengeError> {
    let (mut tx, answered) = challenge::answer(app, token, Check::SetUp(code), visitor).await?;
    let operator = operator(answered.challenge.holder)?;
    // Whoever sets an app up gets codes along with it.
    let codes = answered.recovery_codes.ok_or(ChallengeError::Expired)?;
    operator_credentials::spend_enrolment(&mut tx, operator)
        .await
        .map_err(Fault::from)?;
    let by = By {
        actor: &operator.to_string(),
        visitor,
    };
    let holder = answered.challenge.holder;
    second_factor::announce(
        app,
        &mut tx,
        holder,
        &answered.challenge.email,
        SecondFactorChange::Enabled,
        &by,
    )
    .await?;
    let started = operators::start(app, &mut tx, operator, visitor)
        .await?
        .ok_or(ChallengeError::Expired)?;
    tx.commit().await.map_err(Fault::from)?;
    Ok((started, codes, answered.left))
}

async fn begin(app: &App) -> Result<SystemTx, Fault> {
    Ok(app.database.system("sign-in of an operator").await?)
}

/// A user's challenge is answered at another door.
fn operator(holder: FactorHolder) -> Result<OperatorId, ChallengeError> {
    match holder {
        FactorHolder::Operator(id) => Ok(id),
        FactorHolder::User(_) => Err(ChallengeError::Expired),
    }
}
