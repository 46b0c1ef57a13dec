//! Acts that cannot be taken back ask that their person has proved who they are not long ago.

use tenantry_domain::accounts::{Allowance, EnteredCode, FactorHolder, Password, session::PROOF_LASTS};
use tenantry_postgres::accounts::{sessions, users};

use super::{
    UserSession, Visitor,
    password_hasher::Verified,
    second_factor,
    throttle::{Admission, Attempt},
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// The last proof is too old: the same act may be tried again after another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the person behind this session has to prove again who they are")]
pub struct StepUpRequired;

/// Refuses when the person behind the session last proved more than ten minutes ago who they are.
///
/// # Errors
/// When the proof is too old.
pub fn require_recent_proof(app: &App, session: &UserSession) -> Result<(), StepUpRequired> {
    if app.clock.now() - session.proved_at > PROOF_LASTS {
        Err(StepUpRequired)
    } else {
        Ok(())
    }
}

/// How somebody proves who they are.
#[derive(Debug)]
pub enum Proof {
    /// By password, which is enough without a second factor.
    Password(Password),
    /// By a code of the second factor.
    Code(EnteredCode),
}

/// Why a session is not proved anew.
#[derive(Debug, thiserror::Error)]
pub enum StepUpError {
    /// The password is wrong. This much is left.
    #[error("the password is wrong")]
    PasswordWrong(Allowance),
    /// The code is wrong, was used, or there is no second factor that it could be of. This much is left.
    #[error("the code is wrong or was used")]
    CodeInvalid(Allowance),
    /// There is a second factor: a password is not enough.
    #[error("a code is asked for")]
    CodeRequired,
    /// Too many attempts failed.
    #[error("too many attempts failed")]
    TooManyAttempts(Allowance),
    /// Not the user's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Proves anew who holds a session. Returns how many attempts are left.
///
/// # Errors
/// When the proof is wrong or not enough, or too many failed before.
pub async fn step_up(
    app: &App,
    session: &UserSession,
    proof: Proof,
    visitor: &Visitor,
) -> Result<Allowance, StepUpError> {
    let holder = FactorHolder::User(session.user);
    // Counted apart from signing in: only who holds the session can fail here.
    let attempt = Attempt::new(app, "step-up", &session.user.to_string(), None)?;
    let mut tx = app.database.system("prove a session anew").await.map_err(Fault::from)?;
    let is_enabled = second_factor::is_enabled(&mut tx, holder).await?;
    if is_enabled && matches!(proof, Proof::Password(_)) {
        return Err(StepUpError::CodeRequired);
    }
    let mut left = match attempt.admit(&mut tx).await? {
        Admission::Admitted(allowance) => allowance,
        Admission::Paused(allowance) => return Err(StepUpError::TooManyAttempts(allowance)),
    };
    let refused = match proof {
        Proof::Code(code) => {
            let method = second_factor::accept(app, &mut tx, holder, &code).await?;
            method.is_none().then_some(StepUpError::CodeInvalid(left))
        }
        Proof::Password(password) => {
            let stored = users::find_credentials(&mut tx, &session.email)
                .await
                .map_err(Fault::from)?
                .map(|known| known.password_hash);
            // The failure is counted, and no connection is held while the password is hashed.
            tx.commit().await.map_err(Fault::from)?;
            let verified = attempt.hashing(app, app.passwords.check(password, stored)).await?;
            tx = app.database.system("prove a session anew").await.map_err(Fault::from)?;
            let is_right = match verified {
                // Changed meanwhile, or reset by a link, it proves nothing any more.
                Some(Verified { stored, stronger }) => {
                    users::settle_password(&mut tx, session.user, &stored, stronger.as_deref(), app.clock.now())
                        .await
                        .map_err(Fault::from)?
                }
                None => false,
            };
            (!is_right).then_some(StepUpError::PasswordWrong(left))
        }
    };
    let action = if refused.is_some() {
        "session.proof_refused"
    } else {
        "session.proved"
    };
    let act = Act::new(action, session.user)
        .user(session.user)
        .address(visitor.address);
    audit::record(app, &mut tx, act.target(session.id))
        .await
        .map_err(Fault::from)?;
    if refused.is_none() {
        left = attempt.succeeded(app, &mut tx).await?;
        sessions::prove(&mut tx, session.id, is_enabled, app.clock.now())
            .await
            .map_err(Fault::from)?;
    }
    tx.commit().await.map_err(Fault::from)?;
    refused.map_or(Ok(left), Err)
}
