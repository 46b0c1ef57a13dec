//! Somebody who is signed in chooses another password, and proves that they know the present one.

use tenantry_domain::accounts::{Allowance, Password};
use tenantry_postgres::accounts::{sessions, users};

use super::{
    OpaqueToken, StepUpRequired, Strength, UserSession, Verdict, Visitor, require_recent_proof, reset_password,
    strength::{EstimateError, password_strength},
    throttle::{Admission, Attempt},
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// Why the password stays.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// The present password is another one. This much is left.
    #[error("the present password is another one")]
    WrongPassword(Allowance),
    /// The new password is guessed too soon.
    #[error("the password is too weak")]
    WeakPassword(Strength),
    /// Too many attempts failed.
    #[error("too many attempts failed")]
    TooManyAttempts(Allowance),
    /// The account has a second factor, and its last proof is too old.
    #[error(transparent)]
    StepUpRequired(#[from] StepUpRequired),
    /// Not the caller's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<EstimateError> for ChangePasswordError {
    fn from(error: EstimateError) -> Self {
        match error {
            EstimateError::TooManyRequests(allowance) => Self::TooManyAttempts(allowance),
            EstimateError::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// Changes the password and ends every other session. With a second factor, the present password alone does not do.
/// Returns how many attempts are left.
///
/// # Errors
/// When the present password is wrong, the new one weak, or a proof missing.
pub async fn change_password(
    app: &App,
    session: &UserSession,
    current: Password,
    new: Password,
    visitor: &Visitor,
) -> Result<Allowance, ChangePasswordError> {
    let inputs = [session.email.as_str(), session.name.as_str()];
    let (strength, _) = password_strength(app, new.expose(), &inputs, visitor.address).await?;
    if !strength.acceptable {
        return Err(ChangePasswordError::WeakPassword(strength));
    }
    // Counted for the account alone: whoever fails here is signed in, and strangers cannot lock its owner out.
    let attempt = Attempt::new(app, "change-password", &session.user.to_string(), None)?;
    let mut tx = app
        .database
        .system("read a password's hash")
        .await
        .map_err(Fault::from)?;
    if users::has_second_factor(&mut tx, session.user)
        .await
        .map_err(Fault::from)?
    {
        require_recent_proof(app, session)?;
    }
    let left = match attempt.admit(&mut tx).await? {
        Admission::Admitted(allowance) => allowance,
        Admission::Paused(allowance) => return Err(ChangePasswordError::TooManyAttempts(allowance)),
    };
    let known = users::find_credentials(&mut tx, &session.email)
        .await
        .map_err(Fault::from)?;
    tx.commit().await.map_err(Fault::from)?;

    let stored = known.map(|known| known.password_hash);
    let verdict = attempt
        .hashing(app, app.passwords.verify(current, stored.clone()))
        .await?;
    let Some(stored) = stored.filter(|_| verdict != Verdict::Wrong) else {
        refuse(app, session, visitor).await?;
        return Err(ChangePasswordError::WrongPassword(left));
    };
    let hash = attempt.hashing(app, app.passwords.hash(new)).await?;

    let mut tx = app.database.system("change a password").await.map_err(Fault::from)?;
    let now = app.clock.now();
    let is_there = users::lock(&mut tx, session.user).await.map_err(Fault::from)?;
    let changed = is_there
        && users::replace_password_hash(&mut tx, session.user, &stored, &hash, now)
            .await
            .map_err(Fault::from)?;
    if !changed {
        // Somebody else was first, by a link perhaps: what was entered is the present password no more.
        return Err(ChangePasswordError::WrongPassword(left));
    }
    let left = attempt.succeeded(app, &mut tx).await?;
    sessions::end_all(&mut tx, session.user, Some(session.id), now)
        .await
        .map_err(Fault::from)?;
    let act = Act::new("password.changed", session.user)
        .user(session.user)
        .address(visitor.address);
    audit::record(app, &mut tx, act).await.map_err(Fault::from)?;
    let cause = OpaqueToken::generate()?;
    reset_password::finish(app, &mut tx, session.user, &session.name, &session.email, &cause).await?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(left)
}

/// Writes the wrong guess down.
async fn refuse(app: &App, session: &UserSession, visitor: &Visitor) -> Result<(), Fault> {
    let act = Act::new("password.change_refused", session.user)
        .user(session.user)
        .address(visitor.address);
    let mut tx = app.database.user(session.user).await?;
    audit::record(app, &mut tx, act).await?;
    Ok(tx.commit().await?)
}
