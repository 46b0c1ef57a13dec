//! Users manage their own second factor.

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::{
    accounts::{Allowance, EnteredCode, FactorHolder, session::PROOF_LASTS},
    mail::SecondFactorChange,
};
use tenantry_postgres::{
    SystemTx,
    accounts::{second_factors, sessions},
};

use super::{
    StepUpRequired, UserSession, Visitor, require_recent_proof,
    second_factor::{self, By, RecoveryCodes, TotpSetup},
    throttle::{Admission, Attempt},
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
    organizations::{self, FactorDemand},
};

/// What a page shows.
#[derive(Debug, Clone)]
pub struct SecondFactorStatus {
    /// When it was set up; `None` without one.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Recovery codes that were not used.
    pub recovery_codes_left: i64,
    /// The organizations that want one, the earliest first.
    pub required_by: Vec<FactorDemand>,
}

/// Why a second factor stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum SecondFactorError {
    /// Who they are was proved too long ago.
    #[error(transparent)]
    StepUp(#[from] StepUpRequired),
    /// The code is not the prepared app's, or nothing was prepared of late. This much is left.
    #[error("the code is wrong")]
    CodeInvalid(Allowance),
    /// Too many codes were wrong.
    #[error("too many attempts failed")]
    TooManyAttempts(Allowance),
    /// There is none.
    #[error("there is no second factor")]
    NotSetUp,
    /// An organization wants one.
    #[error("{} requires a second factor", .0.name)]
    Required(FactorDemand),
    /// Not the user's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What there is, and who wants one.
///
/// # Errors
/// The database's.
pub async fn second_factor_status(app: &App, session: &UserSession) -> Result<SecondFactorStatus, Fault> {
    let mut tx = app.database.user(session.user).await?;
    let status = second_factors::status(&mut tx, session.user).await?;
    drop(tx);
    Ok(SecondFactorStatus {
        confirmed_at: status.confirmed_at,
        recovery_codes_left: status.recovery_codes_left,
        required_by: organizations::factor_demands(app, session.user).await?,
    })
}

/// Makes a secret for an authenticator app. It counts once the app has shown a code; one from before counts until then.
///
/// # Errors
/// When the session has to prove itself first.
pub async fn set_up_totp(app: &App, session: &UserSession, visitor: &Visitor) -> Result<TotpSetup, SecondFactorError> {
    require_recent_proof(app, session)?;
    let mut tx = change(app).await?;
    let by = By {
        actor: &session.user.to_string(),
        visitor,
    };
    let holder = FactorHolder::User(session.user);
    let setup = second_factor::prepare(app, &mut tx, holder, &session.email, &by).await?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(setup)
}

/// Makes the prepared app count, by its first code. What was handed out to somebody who had proved who they are is no
/// proof by itself: the app may have been prepared long ago, by somebody else, or its code be guessed. Says how many
/// attempts are left, too.
///
/// # Errors
/// When the code is wrong, nothing was prepared of late, or the session has to prove itself first.
pub async fn confirm_totp(
    app: &App,
    session: &UserSession,
    code: &EnteredCode,
    visitor: &Visitor,
) -> Result<(RecoveryCodes, Allowance), SecondFactorError> {
    require_recent_proof(app, session)?;
    let attempt = Attempt::new(app, "second-factor set-up", &session.user.to_string(), None)?;
    let mut tx = change(app).await?;
    let left = match attempt.admit(&mut tx).await? {
        Admission::Admitted(allowance) => allowance,
        Admission::Paused(allowance) => return Err(SecondFactorError::TooManyAttempts(allowance)),
    };
    let holder = FactorHolder::User(session.user);
    let Some(codes) = second_factor::confirm(app, &mut tx, holder, code).await? else {
        let act = Act::new("second_factor.refused", session.user)
            .user(session.user)
            .address(visitor.address);
        audit::record(app, &mut tx, act.target(session.id))
            .await
            .map_err(Fault::from)?;
        tx.commit().await.map_err(Fault::from)?;
        return Err(SecondFactorError::CodeInvalid(left));
    };
    let left = attempt.succeeded(app, &mut tx).await?;
    let now = app.clock.now();
    sessions::prove(&mut tx, session.id, true, now)
        .await
        .map_err(Fault::from)?;
    // Others began without this app, perhaps by somebody who has only the password.
    let too_long_ago = now - PROOF_LASTS - TimeDelta::seconds(1);
    sessions::unprove_others(&mut tx, session.user, session.id, too_long_ago)
        .await
        .map_err(Fault::from)?;
    announce(app, &mut tx, session, SecondFactorChange::Enabled, visitor).await?;
    tx.commit().await.map_err(Fault::from)?;
    Ok((codes, left))
}

/// Removes the second factor and its recovery codes.
///
/// # Errors
/// When an organization requires one, there is none, or the session has to prove itself first.
pub async fn remove_totp(app: &App, session: &UserSession, visitor: &Visitor) -> Result<(), SecondFactorError> {
    require_recent_proof(app, session)?;
    if let Some(demand) = organizations::factor_demands(app, session.user)
        .await?
        .into_iter()
        .next()
    {
        return Err(SecondFactorError::Required(demand));
    }
    let mut tx = change(app).await?;
    let is_removed = second_factors::remove(&mut tx, FactorHolder::User(session.user))
        .await
        .map_err(Fault::from)?;
    if !is_removed {
        return Err(SecondFactorError::NotSetUp);
    }
    announce(app, &mut tx, session, SecondFactorChange::Disabled, visitor).await?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(())
}

/// Gives new recovery codes; those before are void.
///
/// # Errors
/// When there is no factor, or the session has to prove itself first.
pub async fn renew_recovery_codes(
    app: &App,
    session: &UserSession,
    visitor: &Visitor,
) -> Result<RecoveryCodes, SecondFactorError> {
    require_recent_proof(app, session)?;
    let mut tx = change(app).await?;
    let codes = second_factor::renew_recovery_codes(app, &mut tx, FactorHolder::User(session.user))
        .await?
        .ok_or(SecondFactorError::NotSetUp)?;
    announce(app, &mut tx, session, SecondFactorChange::CodesRenewed, visitor).await?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(codes)
}

/// A mail is queued with every change, which no user's scope may do.
async fn change(app: &App) -> Result<SystemTx, Fault> {
    Ok(app.database.system("change a user's second factor").await?)
}

async fn announce(
    app: &App,
    tx: &mut SystemTx,
    session: &UserSession,
    change: SecondFactorChange,
    visitor: &Visitor,
) -> Result<(), Fault> {
    let by = By {
        actor: &session.user.to_string(),
        visitor,
    };
    second_factor::announce(app, tx, FactorHolder::User(session.user), &session.email, change, &by).await
}
