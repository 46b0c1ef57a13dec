//! Operators sign in with a password and a second factor, always: whoever has none yet sets one up before anything opens.

use tenantry_domain::{
    accounts::{Email, EnteredCode, FactorHolder, Grant, Password},
    ids::OperatorId,
    mail::SecondFactorChange,
};
use tenantry_postgres::{SystemTx, accounts::operators as rows};

use super::{
    OpaqueToken, RecoveryCodes, SignInError, StartedOperatorSession, TotpSetup, Verdict, Visitor,
    challenge::{self, Answered, ChallengeError, Check, StartedChallenge},
    operators,
    second_factor::{self, By},
    throttle::{Admission, Attempt},
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

/// Looks at an operator's password. It opens nothing by itself.
///
/// # Errors
/// When the credentials are wrong, or too many attempts failed before.
pub async fn sign_in_operator(
    app: &App,
    email: &Email,
    password: Password,
    visitor: &Visitor,
) -> Result<OperatorSignIn, SignInError> {
    let attempt = Attempt::new(app, "operator", email.as_str(), visitor.address)?;
    let mut tx = begin(app).await?;
    if let Admission::Paused(pause) = attempt.admit(app, &mut tx).await? {
        return Err(SignInError::paused(pause));
    }
    let known = rows::find_credentials(&mut tx, email.as_str())
        .await
        .map_err(Fault::from)?;
    tx.commit().await.map_err(Fault::from)?;

    let stored = known.as_ref().map(|known| known.password_hash.clone());
    let verdict = app
        .passwords
        .verify(password.clone(), stored)
        .await
        .map_err(Fault::from)?;
    let rehashed = match verdict {
        Verdict::CorrectButWeak => Some(app.passwords.hash(password).await.map_err(Fault::from)?),
        Verdict::Correct | Verdict::Wrong => None,
    };

    let mut tx = begin(app).await?;
    let Some(known) = known.filter(|_| verdict != Verdict::Wrong) else {
        let act = Act::new("operator_session.refused", "anonymous").address(visitor.address);
        audit::record(app, &mut tx, act).await.map_err(Fault::from)?;
        tx.commit().await.map_err(Fault::from)?;
        return Err(SignInError::InvalidCredentials);
    };
    if let Some(hash) = rehashed {
        rows::set_password_hash(&mut tx, known.id, &hash)
            .await
            .map_err(Fault::from)?;
    }
    // Whoever has only the password must not win back the guesses at the code by giving it again.
    attempt.take_back(app, &mut tx).await?;
    let holder = FactorHolder::Operator(known.id);
    let is_enabled = second_factor::is_enabled(&mut tx, holder).await?;
    let challenge = challenge::start(app, &mut tx, holder, Grant::Browser).await?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(if is_enabled {
        OperatorSignIn::SecondFactor(challenge)
    } else {
        OperatorSignIn::SetUpSecondFactor(challenge)
    })
}

/// Signs an operator in whose password was right, by a code.
///
/// # Errors
/// When the code is wrong or the challenge is over.
pub async fn sign_in_operator_with_second_factor(
    app: &App,
    token: &OpaqueToken,
    code: &EnteredCode,
    visitor: &Visitor,
) -> Result<StartedOperatorSession, ChallengeError> {
    let (mut tx, Answered { challenge, .. }) = challenge::answer(app, token, Check::Factor(code), visitor).await?;
    let operator = operator(challenge.holder)?;
    let started = operators::start(app, &mut tx, operator, visitor)
        .await?
        .ok_or(ChallengeError::Expired)?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(started)
}

/// Makes a secret for the app of an operator who has no second factor yet.
///
/// # Errors
/// When the challenge is over, or there is a second factor that would have to be shown.
pub async fn set_up_operator_totp(app: &App, token: &OpaqueToken) -> Result<TotpSetup, ChallengeError> {
    let mut tx = begin(app).await?;
    let challenge = challenge::hold(app, &mut tx, token).await?;
    operator(challenge.holder)?;
    // Who knows the password alone must not put an app of their own in the place of one that counts.
    if second_factor::is_enabled(&mut tx, challenge.holder).await? {
        return Err(ChallengeError::Expired);
    }
    let setup = second_factor::prepare(app, &mut tx, challenge.holder, &challenge.email).await?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(setup)
}

/// Makes the app count by its first code, and signs its operator in. Nothing is prepared where another app counts.
///
/// # Errors
/// When the code is wrong, nothing is prepared, or the challenge is over.
pub async fn confirm_operator_totp(
    app: &App,
    token: &OpaqueToken,
    code: &EnteredCode,
    visitor: &Visitor,
) -> Result<(StartedOperatorSession, RecoveryCodes), ChallengeError> {
    let (mut tx, answered) = challenge::answer(app, token, Check::SetUp(code), visitor).await?;
    let operator = operator(answered.challenge.holder)?;
    let codes = answered.recovery_codes.ok_or(ChallengeError::CodeInvalid)?;
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
    Ok((started, codes))
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
