//! The link in the sign-up's mail: user, password, organization and session become live together, once.

use tenantry_domain::{
    ids::{OrganizationId, UserId},
    mail::Message,
};
use tenantry_postgres::{
    SystemTx,
    accounts::{
        sign_ups::{self, ConfirmedSignUp},
        users,
    },
};
use uuid::Uuid;

use super::{
    OpaqueToken, Visitor,
    session::{self, Entry, StartedSession},
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
    mail, organizations,
};

/// Why a link does nothing.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// It was confirmed before, is too old, or another link for the same address was confirmed.
    #[error("the link was used or is too old")]
    Expired,
    /// Nobody was ever sent it.
    #[error("the link is unknown")]
    Unknown,
    /// Not the visitor's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Confirms a sign-up and signs its person in.
///
/// # Errors
/// When the link does nothing.
pub async fn confirm(app: &App, token: &OpaqueToken, visitor: &Visitor) -> Result<StartedSession, ConfirmError> {
    let hash = token.hash();
    let now = app.clock.now();
    let mut tx = app
        .database
        .system("confirm a sign-up: nobody is signed in yet")
        .await
        .map_err(Fault::from)?;
    sign_ups::lock_address(&mut tx, &hash).await.map_err(Fault::from)?;
    let Some(sign_up) = sign_ups::confirm(&mut tx, &hash, now).await.map_err(Fault::from)? else {
        let was_sent = sign_ups::exists(&mut tx, &hash).await.map_err(Fault::from)?;
        return Err(if was_sent {
            ConfirmError::Expired
        } else {
            ConfirmError::Unknown
        });
    };
    let Some(started) = make_live(app, &mut tx, sign_up, visitor).await? else {
        // Another link for the same address was first, in this very moment.
        return Err(ConfirmError::Expired);
    };
    tx.commit().await.map_err(Fault::from)?;
    Ok(started)
}

/// `None` when the address has an account by now.
async fn make_live(
    app: &App,
    tx: &mut SystemTx,
    sign_up: ConfirmedSignUp,
    visitor: &Visitor,
) -> Result<Option<StartedSession>, Fault> {
    let ConfirmedSignUp {
        email_normalized: email,
        password_hash,
        name,
        organization_name,
    } = sign_up;
    let now = app.clock.now();
    let id = UserId::from_uuid(Uuid::now_v7());
    let Some(user) = users::insert(tx, id, &email, &name, now).await? else {
        return Ok(None);
    };
    users::set_password_hash(tx, user, &password_hash, now).await?;
    sign_ups::void_others(tx, &email, now).await?;
    let act = Act::new("user.created", user).user(user).address(visitor.address);
    audit::record(app, &mut *tx, act).await?;
    let welcome = Message::Welcome {
        name: name.clone(),
        organization: organization_name.clone(),
        link: app.settings.link("/"),
    };
    mail::queue(tx, app, &format!("welcome:{user}"), &email, welcome).await?;
    let organization = OrganizationId::from_uuid(Uuid::now_v7());
    organizations::create_owned(app, tx, organization, user, &organization_name, visitor.address).await?;
    session::start(app, tx, user, email, name, Entry::SignUp, visitor)
        .await
        .map(Some)
}
