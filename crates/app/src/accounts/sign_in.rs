//! Signing in with address and password, and with a second factor where there is one. An unknown address costs the same
//! work and time as a wrong password, and gets the same answer.

use serde_json::json;
use tenantry_domain::{
    accounts::{Allowance, Email, EnteredCode, FactorHolder, Grant, Password},
    ids::UserId,
};
use tenantry_postgres::{
    SystemTx,
    accounts::{erasure, users},
};
use uuid::Uuid;

use super::{
    OpaqueToken, Visitor,
    challenge::{self, Answered, ChallengeError, Check, StartedChallenge},
    devices,
    password_hasher::Verified,
    second_factor,
    session::{self, Entry, StartedSession},
    throttle::{self, Admission},
    tokens::{self, Tokens},
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// How far a sign-in has come.
#[derive(Debug)]
pub enum SignIn {
    /// Somebody is signed in, in a browser.
    Session(Box<StartedSession>),
    /// A program is signed in.
    Tokens(Box<Tokens>),
    /// The password was right; a code is still to come.
    SecondFactor(StartedChallenge),
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Address or password is wrong; which one, nobody is told. This much is left.
    #[error("the address or the password is wrong")]
    InvalidCredentials(Allowance),
    /// Too many attempts failed.
    #[error("too many attempts failed")]
    TooManyAttempts(Allowance),
    /// Not the visitor's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Signs a user in, or asks for their second factor. Says how many attempts are left, too.
///
/// # Errors
/// When the credentials are wrong, or too many attempts failed before.
pub async fn sign_in(
    app: &App,
    email: &Email,
    password: Password,
    grant: Grant,
    visitor: &Visitor,
) -> Result<(SignIn, Allowance), SignInError> {
    let mut tx = app
        .database
        .system("sign-in: nobody is signed in yet")
        .await
        .map_err(Fault::from)?;
    let attempt = devices::attempt(app, &mut tx, email.as_str(), visitor).await?;
    let left = match attempt.admit(&mut tx).await? {
        Admission::Admitted(allowance) => allowance,
        Admission::Paused(allowance) => return Err(SignInError::TooManyAttempts(allowance)),
    };
    let known = users::find_credentials(&mut tx, email.as_str())
        .await
        .map_err(Fault::from)?;
    tx.commit().await.map_err(Fault::from)?;

    // No connection is held while the password is hashed.
    let stored = known.as_ref().map(|known| known.password_hash.clone());
    let verified = attempt.hashing(app, app.passwords.check(password, stored)).await?;

    let mut tx = app
        .database
        .system("sign-in: nobody is signed in yet")
        .await
        .map_err(Fault::from)?;
    let tried = known.as_ref().map(|known| known.user);
    let proven = match known.zip(verified) {
        // Changed meanwhile, or reset by a link, it opens nothing any more.
        Some((known, Verified { stored, stronger })) => {
            users::settle_password(&mut tx, known.user, &stored, stronger.as_deref(), app.clock.now())
                .await
                .map_err(Fault::from)?
                .then_some(known)
        }
        None => None,
    };
    let Some(known) = proven else {
        let act = refusal(app, &mut tx, email, tried).await?.address(visitor.address);
        audit::record(app, &mut tx, act).await.map_err(Fault::from)?;
        tx.commit().await.map_err(Fault::from)?;
        return Err(SignInError::InvalidCredentials(left));
    };
    let holder = FactorHolder::User(known.user);
    let (outcome, left) = if second_factor::is_enabled(&mut tx, holder).await? {
        // Whoever has only the password must not win back the guesses at the code by giving it again.
        let left = attempt.take_back(app, &mut tx).await?;
        let challenge = challenge::start(app, &mut tx, holder, grant).await?;
        (SignIn::SecondFactor(challenge), left)
    } else {
        let left = attempt.succeeded(app, &mut tx).await?;
        let person = Person {
            user: known.user,
            email: email.to_string(),
            name: known.name,
        };
        let started = start(app, &mut tx, person, grant, Entry::Password, visitor).await?;
        (started, left)
    };
    tx.commit().await.map_err(Fault::from)?;
    Ok((outcome, left))
}

/// Signs a user in whose password was right, by a code. Says how many attempts are left, too.
///
/// # Errors
/// When the code is wrong or the challenge is over.
pub async fn sign_in_with_second_factor(
    app: &App,
    token: &OpaqueToken,
    code: &EnteredCode,
    visitor: &Visitor,
) -> Result<(SignIn, Allowance), ChallengeError> {
    let (mut tx, Answered { challenge, left, .. }) =
        challenge::answer(app, token, Check::Factor(code), visitor).await?;
    let FactorHolder::User(user) = challenge.holder else {
        // An operator's challenge is answered at another door.
        return Err(ChallengeError::Expired);
    };
    let person = Person {
        user,
        email: challenge.email,
        name: challenge.name,
    };
    let outcome = start(app, &mut tx, person, challenge.grant, Entry::SecondFactor, visitor).await?;
    tx.commit().await.map_err(Fault::from)?;
    Ok((outcome, left))
}

/// Somebody who has proved who they are.
struct Person {
    user: UserId,
    email: String,
    name: String,
}

/// Hands out what was asked for, to somebody who has proved who they are.
async fn start(
    app: &App,
    tx: &mut SystemTx,
    person: Person,
    grant: Grant,
    entry: Entry,
    visitor: &Visitor,
) -> Result<SignIn, Fault> {
    let Person { user, email, name } = person;
    match grant {
        Grant::Browser => {
            let started = session::start(app, tx, user, email, name, entry, visitor).await?;
            Ok(SignIn::Session(Box::new(started)))
        }
        Grant::Token => {
            let by_second_factor = matches!(entry, Entry::SecondFactor);
            let tokens = tokens::start(app, tx, user, &email, visitor, by_second_factor).await?;
            Ok(SignIn::Tokens(Box::new(tokens)))
        }
    }
}

/// A refusal as the log keeps it: where there is such an account, its owner and operators find it there.
async fn refusal(app: &App, tx: &mut SystemTx, email: &Email, tried: Option<UserId>) -> Result<Act, Fault> {
    let act = Act::new("session.refused", "anonymous");
    // Who was erased while the password was looked at is not written down any more. Nobody is asked for as well, so that
    // an unknown address costs the same.
    let is_there = erasure::is_there(tx, tried.unwrap_or(UserId::from_uuid(Uuid::nil()))).await?;
    Ok(match tried.filter(|_| is_there) {
        Some(user) => act.user(user).target(user),
        None => act.body(json!({ "subject": throttle::name(app, "user", email.as_str())? })),
    })
}
