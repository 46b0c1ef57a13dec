//! Somebody leaves. What is personal goes at once; what others depend on keeps them from going.

use tenantry_domain::{accounts::Email, mail::Message};
use tenantry_postgres::accounts::erasure::{self, OwnedOrganization};

use super::{StepUpRequired, UserSession, Visitor, require_recent_proof};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
    mail,
};

/// Why an account stays.
#[derive(Debug, thiserror::Error)]
pub enum DeleteAccountError {
    /// What was typed to confirm is not the account's address.
    #[error("this is not the account's address")]
    OtherAddress,
    /// These organizations would be left without an owner.
    #[error("organizations would be left without an owner")]
    SoleOwner(Vec<OwnedOrganization>),
    /// The last proof is too old.
    #[error(transparent)]
    StepUpRequired(#[from] StepUpRequired),
    /// Not the caller's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Deletes the account of the session's user. `typed` is the account's address, typed by its owner.
///
/// # Errors
/// When the user owns organizations, typed another address, or a proof is missing.
pub async fn delete_account(
    app: &App,
    session: &UserSession,
    typed: &Email,
    visitor: &Visitor,
) -> Result<(), DeleteAccountError> {
    require_recent_proof(app, session)?;
    if typed.as_str() != session.email {
        return Err(DeleteAccountError::OtherAddress);
    }
    // Credentials, sign-ups and links are the system's.
    let mut tx = app
        .database
        .system("erase a person's account")
        .await
        .map_err(Fault::from)?;
    let leaver = erasure::lock(&mut tx, session.user).await.map_err(Fault::from)?;
    let Some(leaver) = leaver else { return Ok(()) };
    let owned = erasure::owned_organizations(&mut tx, session.user)
        .await
        .map_err(Fault::from)?;
    if !owned.is_empty() {
        return Err(DeleteAccountError::SoleOwner(owned));
    }
    let now = app.clock.now();
    erasure::erase(&mut tx, session.user, now).await.map_err(Fault::from)?;
    let act = Act::new("user.deleted", session.user)
        .user(session.user)
        .address(visitor.address)
        .target(session.user);
    audit::record(app, &mut tx, act).await.map_err(Fault::from)?;
    let message = Message::AccountDeleted {
        name: leaver.name,
        at: mail::written(now),
        link: app.settings.link("/signup"),
    };
    let cause = format!("account_deleted:{}", session.user);
    mail::queue(&mut tx, app, &cause, &leaver.email, message).await?;
    audit::forget_person(&mut tx, session.user).await.map_err(Fault::from)?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(())
}
