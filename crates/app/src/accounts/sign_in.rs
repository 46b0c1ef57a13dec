//! Signing in with address and password. An unknown address costs the same work and time as a wrong password, and gets
//! the same answer.

use tenantry_domain::accounts::{Allowance, Email, Password};
use tenantry_postgres::accounts::users;

use super::{
    Verdict, Visitor,
    session::{self, StartedSession},
    throttle::{Admission, Attempt},
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Address or password is wrong; which one, nobody is told.
    #[error("the address or the password is wrong")]
    InvalidCredentials,
    /// Too many attempts failed.
    #[error("too many attempts failed")]
    TooManyAttempts(Allowance),
    /// Not the visitor's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl SignInError {
    pub(super) fn paused(allowance: Allowance) -> Self {
        Self::TooManyAttempts(allowance)
    }
}

/// Signs a user in.
///
/// # Errors
/// When the credentials are wrong, or too many attempts failed before.
pub async fn sign_in(
    app: &App,
    email: &Email,
    password: Password,
    visitor: &Visitor,
) -> Result<StartedSession, SignInError> {
    let attempt = Attempt::new(app, "user", email.as_str(), visitor.address)?;
    let mut tx = app
        .database
        .system("sign-in: nobody is signed in yet")
        .await
        .map_err(Fault::from)?;
    if let Admission::Paused(pause) = attempt.admit(app, &mut tx).await? {
        return Err(SignInError::paused(pause));
    }
    let known = users::find_credentials(&mut tx, email.as_str())
        .await
        .map_err(Fault::from)?;
    tx.commit().await.map_err(Fault::from)?;

    // No connection is held while the password is hashed.
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

    let mut tx = app
        .database
        .system("sign-in: nobody is signed in yet")
        .await
        .map_err(Fault::from)?;
    let Some(known) = known.filter(|_| verdict != Verdict::Wrong) else {
        let act = Act::new("session.refused", "anonymous").address(visitor.address);
        audit::record(app, &mut tx, act).await.map_err(Fault::from)?;
        tx.commit().await.map_err(Fault::from)?;
        return Err(SignInError::InvalidCredentials);
    };
    attempt.succeeded(&mut tx).await?;
    if let Some(hash) = rehashed {
        users::set_password_hash(&mut tx, known.user, &hash, app.clock.now())
            .await
            .map_err(Fault::from)?;
    }
    let started = session::start(app, &mut tx, known.user, email.to_string(), known.name, visitor).await?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(started)
}
