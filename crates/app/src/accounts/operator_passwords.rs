//! Operators choose another password, or get one from whoever may run this program. What the old one opened ends.

use tenantry_domain::{
    accounts::{Allowance, Password},
    ids::OperatorId,
    mail::Message,
};
use tenantry_postgres::{
    SystemTx,
    accounts::{operator_accounts, operator_credentials, operators, user_sessions},
};

use super::{
    Caretaker, OpaqueToken, OperatorSession, Strength, Visitor,
    operator_accounts::spoken,
    password_hasher::Verified,
    strength::estimate,
    throttle::{Admission, Attempt},
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
    mail,
};

/// Why an operator's password stays.
#[derive(Debug, thiserror::Error)]
pub enum OperatorPasswordError {
    /// There is no such operator.
    #[error("there is no such operator")]
    Unknown,
    /// The present password is another one. This much is left.
    #[error("the present password is another one")]
    WrongPassword(Allowance),
    /// The new password is guessed too soon.
    #[error("the password is too weak: {}", .0.reasons.join(" "))]
    WeakPassword(Strength),
    /// Too many attempts failed.
    #[error("too many attempts failed")]
    TooManyAttempts(Allowance),
    /// Not the caller's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<tenantry_postgres::DatabaseError> for OperatorPasswordError {
    fn from(error: tenantry_postgres::DatabaseError) -> Self {
        Self::Fault(error.into())
    }
}

/// Changes the password of an operator who knows the present one, and ends their other sessions. Returns how many attempts
/// are left.
///
/// # Errors
/// When the present password is wrong or the new one weak.
pub async fn change_operator_password(
    app: &App,
    session: &OperatorSession,
    current: Password,
    new: Password,
    visitor: &Visitor,
) -> Result<Allowance, OperatorPasswordError> {
    refuse_weak(app, &new, &session.email).await?;
    // Whoever fails here is signed in: strangers cannot lock the operator out.
    let attempt = Attempt::new(app, "change-operator-password", &session.operator.to_string(), None)?;
    let mut tx = app.database.system("read an operator's password's hash").await?;
    let left = match attempt.admit(&mut tx).await? {
        Admission::Admitted(allowance) => allowance,
        Admission::Paused(allowance) => return Err(OperatorPasswordError::TooManyAttempts(allowance)),
    };
    let known = operators::find_credentials(&mut tx, &session.email).await?;
    tx.commit().await?;

    let stored = known.map(|known| known.password_hash);
    let verified = attempt.hashing(app, app.passwords.check(current, stored)).await?;
    let hash = match &verified {
        Some(_) => Some(attempt.hashing(app, app.passwords.hash(new)).await?),
        None => None,
    };

    let mut tx = app.database.system("change an operator's password").await?;
    let is_changed = match (verified, hash) {
        // Unless somebody else was first: what was entered is the present password no more then.
        (Some(Verified { stored, .. }), Some(hash)) => {
            operators::settle_password(&mut tx, session.operator, &stored, Some(&hash)).await?
        }
        _ => false,
    };
    let action = if is_changed {
        "operator.password_changed"
    } else {
        "operator.password_change_refused"
    };
    let act = Act::new(action, session.operator)
        .address(visitor.address)
        .target(session.operator);
    audit::record(app, &mut tx, act).await?;
    if !is_changed {
        tx.commit().await?;
        return Err(OperatorPasswordError::WrongPassword(left));
    }
    let left = attempt.succeeded(app, &mut tx).await?;
    operator_credentials::end_other_sessions(&mut tx, session.operator, session.id, app.clock.now()).await?;
    let by = Caretaker::Operator {
        id: session.operator,
        address: visitor.address,
    };
    finish(app, &mut tx, session.operator, &session.email, by).await?;
    tx.commit().await?;
    Ok(left)
}

/// Gives an operator another password, and ends all that they have open. Only for whoever may run this program.
///
/// # Errors
/// When there is no such operator, or the password is weak.
pub async fn set_operator_password(
    app: &App,
    operator: OperatorId,
    password: Password,
    by: Caretaker,
) -> Result<(), OperatorPasswordError> {
    let mut tx = app.database.read_system("find an operator").await?;
    let account = operator_accounts::find(&mut tx, operator)
        .await?
        .ok_or(OperatorPasswordError::Unknown)?;
    tx.rollback().await?;
    let email = account.email_normalized;
    refuse_weak(app, &password, &email).await?;
    let hash = app.passwords.hash(password).await.map_err(Fault::from)?;

    let mut tx = app.database.system("set an operator's password").await?;
    // First: whoever is answering one meanwhile holds it, and is waited for.
    operator_credentials::void_challenges(&mut tx, operator).await?;
    if !operator_credentials::set_password_hash(&mut tx, operator, &hash).await? {
        return Err(OperatorPasswordError::Unknown);
    }
    let now = app.clock.now();
    operator_accounts::end_sessions(&mut tx, operator, now).await?;
    user_sessions::end_impersonations(&mut tx, operator, now).await?;
    let act = Act::new("operator.password_set", by)
        .address(by.address())
        .target(operator);
    audit::record(app, &mut tx, act).await?;
    finish(app, &mut tx, operator, &email, by).await?;
    Ok(tx.commit().await?)
}

async fn refuse_weak(app: &App, password: &Password, email: &str) -> Result<(), OperatorPasswordError> {
    let strength = estimate(app, password.expose(), &[email]).await.map_err(Fault::from)?;
    if strength.acceptable {
        Ok(())
    } else {
        Err(OperatorPasswordError::WeakPassword(strength))
    }
}

/// Sign-ins that were begun with the old password lead nowhere, and the operator is told.
async fn finish(
    app: &App,
    tx: &mut SystemTx,
    operator: OperatorId,
    email: &str,
    by: Caretaker,
) -> Result<(), OperatorPasswordError> {
    operator_credentials::void_challenges(tx, operator).await?;
    let message = Message::OperatorPasswordChanged {
        by: spoken(tx, by).await?,
        at: mail::written(app.clock.now()),
        link: app.settings.operator_link("/operator"),
    };
    let cause = format!(
        "operator_password_changed:{}",
        hex::encode(OpaqueToken::generate()?.hash())
    );
    Ok(mail::queue(tx, app, &cause, email, message).await?)
}
