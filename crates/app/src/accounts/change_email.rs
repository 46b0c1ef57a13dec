//! An account gets another address: asked for by somebody who has just proved who they are, made real by the link that the
//! new address is sent, told to both addresses.

use tenantry_domain::{
    accounts::{Allowance, Email},
    ids::UserId,
    mail::Message,
};
use tenantry_postgres::{
    DatabaseError,
    accounts::{
        one_time_tokens::{self, Purpose, SentLink},
        sign_ups, users,
    },
};

use super::{
    OpaqueToken, StepUpRequired, UserSession, Visitor, require_recent_proof,
    sign_up::LINK_WORKS_FOR,
    throttle::{Admission, Attempt},
};
use crate::{
    App,
    audit::{self, Act},
    billing::customers,
    error::Fault,
    mail,
};

/// Why no link is sent.
#[derive(Debug, thiserror::Error)]
pub enum ChangeEmailError {
    /// The account has this address.
    #[error("this is the account's address already")]
    Unchanged,
    /// The last proof is too old.
    #[error(transparent)]
    StepUpRequired(#[from] StepUpRequired),
    /// Too many mails were asked for with this address, or from this network.
    #[error("too many mails were asked for")]
    TooManyAttempts(Allowance),
    /// Not the caller's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why a link does nothing.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmEmailError {
    /// It was used, is too old, was replaced, or somebody else has the address by now.
    #[error("the link was used or is too old")]
    Expired,
    /// Nobody was ever sent it.
    #[error("the link is unknown")]
    Unknown,
    /// Not the visitor's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Sends a link to the new address. Whether that one has an account already shows in its mail alone. Returns how many
/// more may be asked for.
///
/// # Errors
/// When a proof is missing or too much is asked.
pub async fn change_email(
    app: &App,
    session: &UserSession,
    email: &Email,
    visitor: &Visitor,
) -> Result<Allowance, ChangeEmailError> {
    require_recent_proof(app, session)?;
    if email.as_str() == session.email {
        return Err(ChangeEmailError::Unchanged);
    }
    // Another account may have the address, and mail is queued by the system alone.
    let mut tx = app
        .database
        .system("send a link to an account's new address")
        .await
        .map_err(Fault::from)?;
    let attempt = Attempt::to_mail(app, &mut tx, "change-email", email.as_str(), visitor).await?;
    let allowance = match attempt.admit(&mut tx).await? {
        Admission::Admitted(allowance) => allowance,
        Admission::Paused(allowance) => return Err(ChangeEmailError::TooManyAttempts(allowance)),
    };
    let now = app.clock.now();
    let token = OpaqueToken::generate()?;
    let hash = token.hash();
    let taken = users::exists(&mut tx, email.as_str()).await.map_err(Fault::from)?;
    if !users::lock(&mut tx, session.user).await.map_err(Fault::from)? {
        return Err(Fault::from(DatabaseError::NotFound).into());
    }
    one_time_tokens::void(&mut tx, session.user, Purpose::ChangeEmail, now)
        .await
        .map_err(Fault::from)?;
    one_time_tokens::insert_for_email(&mut tx, &hash, session.user, email.as_str(), now, now + LINK_WORKS_FOR)
        .await
        .map_err(Fault::from)?;
    let message = if taken {
        Message::AlreadyRegistered {
            link: app.settings.link("/login"),
        }
    } else {
        Message::ConfirmNewEmail {
            link: app
                .settings
                .link(&format!("/confirm-email#token={}", token.encode().as_str())),
        }
    };
    mail::queue(
        &mut tx,
        app,
        &format!("change_email:{}", hex::encode(hash)),
        email.as_str(),
        message,
    )
    .await?;
    let act = Act::new("email.change_requested", session.user)
        .user(session.user)
        .address(visitor.address);
    audit::record(app, &mut tx, act).await.map_err(Fault::from)?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(allowance)
}

/// A link to an account's new address, as far as whoever has its mail knows it.
#[derive(Debug, Clone)]
pub struct NewEmailLink {
    /// Whose account it is.
    pub user: UserId,
    /// The name of the account's person.
    pub name: String,
    /// The address that the account gets.
    pub email: String,
}

/// What a link would confirm. Nothing changes by it.
///
/// # Errors
/// When the link does nothing.
pub async fn find_new_email(app: &App, token: &OpaqueToken) -> Result<NewEmailLink, ConfirmEmailError> {
    let mut tx = app
        .database
        .read_system("find the link to an account's new address: perhaps in another browser")
        .await
        .map_err(Fault::from)?;
    let link = one_time_tokens::find(&mut tx, &token.hash(), Purpose::ChangeEmail, app.clock.now())
        .await
        .map_err(Fault::from)?
        .ok_or(ConfirmEmailError::Unknown)?;
    if !link.works {
        return Err(ConfirmEmailError::Expired);
    }
    Ok(NewEmailLink {
        user: link.user,
        name: link.name,
        email: link.email,
    })
}

/// Gives the account the address that the link was sent to.
///
/// # Errors
/// When the link does nothing.
pub async fn confirm_email(app: &App, token: &OpaqueToken, visitor: &Visitor) -> Result<(), ConfirmEmailError> {
    let hash = token.hash();
    let now = app.clock.now();
    let mut tx = app
        .database
        .system("prove an account's new address: perhaps in another browser")
        .await
        .map_err(Fault::from)?;
    let link = one_time_tokens::find(&mut tx, &hash, Purpose::ChangeEmail, now)
        .await
        .map_err(Fault::from)?
        .ok_or(ConfirmEmailError::Unknown)?;
    let is_there = users::lock(&mut tx, link.user).await.map_err(Fault::from)?;
    let spent = is_there
        && one_time_tokens::spend(&mut tx, &hash, Purpose::ChangeEmail, now)
            .await
            .map_err(Fault::from)?;
    if !spent {
        return Err(ConfirmEmailError::Expired);
    }
    let SentLink { user, email, name, .. } = link;
    let before = users::set_email(&mut tx, user, &email)
        .await
        .map_err(|error: DatabaseError| {
            if error.is_conflict_on("users_email_normalized_key") {
                // Somebody else's account has the address by now.
                ConfirmEmailError::Expired
            } else {
                ConfirmEmailError::Fault(error.into())
            }
        })?
        .ok_or(ConfirmEmailError::Expired)?;
    // Links that the former address was sent, and sign-ups with the new one, lead nowhere now.
    for purpose in [Purpose::ResetPassword, Purpose::ChangeEmail] {
        one_time_tokens::void(&mut tx, user, purpose, now)
            .await
            .map_err(Fault::from)?;
    }
    sign_ups::void_others(&mut tx, &email, now).await.map_err(Fault::from)?;
    customers::follow_owner(&mut tx, user).await?;
    let act = Act::new("email.changed", user).user(user).address(visitor.address);
    audit::record(app, &mut tx, act).await.map_err(Fault::from)?;
    for (whose, to) in [("before", &before), ("after", &email)] {
        let message = Message::EmailChanged {
            name: name.clone(),
            before: before.clone(),
            after: email.clone(),
            at: mail::written(now),
            link: app.settings.link("/login"),
        };
        let cause = format!("email_changed:{whose}:{}", hex::encode(hash));
        mail::queue(&mut tx, app, &cause, to, message).await?;
    }
    tx.commit().await.map_err(Fault::from)?;
    Ok(())
}
