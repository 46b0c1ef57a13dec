//! The link for a new password: it works once, and ends everything that the old password opened.

use tenantry_domain::{
    accounts::{Allowance, Password},
    ids::UserId,
    mail::Message,
};
use tenantry_postgres::{
    SystemTx,
    accounts::{
        one_time_tokens::{self, Purpose, SentLink},
        sessions, users,
    },
};

use super::{
    OpaqueToken, Strength, Visitor,
    devices::{self, KnownBrowser},
    strength::estimate,
    throttle::{Admission, Attempt},
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
    mail,
};

/// Why no password is set.
#[derive(Debug, thiserror::Error)]
pub enum ResetPasswordError {
    /// The link was used, is too old, or another way to a new password was taken since.
    #[error("the link was used or is too old")]
    Expired,
    /// Nobody was ever sent it.
    #[error("the link is unknown")]
    Unknown,
    /// The password is guessed too soon; the link still works, and this much is left.
    #[error("the password is too weak")]
    WeakPassword(Strength, Allowance),
    /// Too many passwords were chosen by this link, or by any from this network.
    #[error("too many attempts failed")]
    TooManyAttempts(Allowance),
    /// Not the visitor's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Sets a new password and signs the account out everywhere. Returns what the browser that followed the link is known by
/// from now on (whoever holds the mailbox is the owner, whom strangers who guess at the account must not keep out), and
/// how many attempts are left.
///
/// # Errors
/// When the link does nothing, the password is weak, or too many were chosen.
pub async fn reset_password(
    app: &App,
    token: &OpaqueToken,
    password: Password,
    visitor: &Visitor,
) -> Result<(KnownBrowser, Allowance), ResetPasswordError> {
    let link = find(app, token).await?;
    // Whoever has one link must not have as many passwords hashed as they like.
    let attempt = Attempt::new(app, "reset-password", &hex::encode(token.hash()), visitor.address)?;
    let left = admit(app, &attempt).await?;
    let inputs = [link.email.as_str(), link.name.as_str()];
    let strength = attempt.hashing(app, estimate(app, password.expose(), &inputs)).await?;
    if !strength.acceptable {
        return Err(ResetPasswordError::WeakPassword(strength, left));
    }
    // No connection is held while the password is hashed.
    let hash = attempt.hashing(app, app.passwords.hash(password)).await?;

    let mut tx = app
        .database
        .system("set a new password by a link: nobody is signed in")
        .await
        .map_err(Fault::from)?;
    let now = app.clock.now();
    let is_there = users::lock(&mut tx, link.user).await.map_err(Fault::from)?;
    let spent = is_there
        && one_time_tokens::spend(&mut tx, &token.hash(), Purpose::ResetPassword, now)
            .await
            .map_err(Fault::from)?;
    if !spent {
        return Err(ResetPasswordError::Expired);
    }
    users::set_password_hash(&mut tx, link.user, &hash, now)
        .await
        .map_err(Fault::from)?;
    // What failed before failed at another password. A code that is being checked holds first what was counted, then its
    // challenge, then its browser: each is taken here in that order, too.
    devices::forgive(app, &mut tx, &link.email).await?;
    users::void_challenges(&mut tx, link.user).await.map_err(Fault::from)?;
    sessions::end_all(&mut tx, link.user, None, now)
        .await
        .map_err(Fault::from)?;
    users::forget_devices(&mut tx, link.user).await.map_err(Fault::from)?;
    let browser = devices::know(app, &mut tx, link.user, visitor).await?;
    let act = Act::new("password.reset", link.user)
        .user(link.user)
        .address(visitor.address);
    audit::record(app, &mut tx, act).await.map_err(Fault::from)?;
    finish(app, &mut tx, link.user, &link.name, &link.email, token).await?;
    let left = attempt.succeeded(app, &mut tx).await?;
    tx.commit().await.map_err(Fault::from)?;
    Ok((browser, left))
}

/// Counts an attempt. Returns how many more are left.
async fn admit(app: &App, attempt: &Attempt) -> Result<Allowance, ResetPasswordError> {
    let mut tx = app
        .database
        .system("count passwords chosen by a link: nobody is signed in")
        .await
        .map_err(Fault::from)?;
    match attempt.admit(&mut tx).await? {
        Admission::Admitted(left) => {
            tx.commit().await.map_err(Fault::from)?;
            Ok(left)
        }
        Admission::Paused(allowance) => Err(ResetPasswordError::TooManyAttempts(allowance)),
    }
}

async fn find(app: &App, token: &OpaqueToken) -> Result<SentLink, ResetPasswordError> {
    let mut tx = app
        .database
        .read_system("find a link for a new password: nobody is signed in")
        .await
        .map_err(Fault::from)?;
    let link = one_time_tokens::find(&mut tx, &token.hash(), Purpose::ResetPassword, app.clock.now())
        .await
        .map_err(Fault::from)?
        .ok_or(ResetPasswordError::Unknown)?;
    if link.works {
        Ok(link)
    } else {
        Err(ResetPasswordError::Expired)
    }
}

/// What every change of a password brings with it: other ways in that were begun before lead nowhere, and the owner is
/// told. `cause` is drawn once for each change.
pub(super) async fn finish(
    app: &App,
    tx: &mut SystemTx,
    user: UserId,
    name: &str,
    email: &str,
    cause: &OpaqueToken,
) -> Result<(), Fault> {
    let now = app.clock.now();
    for purpose in [Purpose::ResetPassword, Purpose::ChangeEmail] {
        one_time_tokens::void(tx, user, purpose, now).await?;
    }
    users::void_challenges(tx, user).await?;
    let message = Message::PasswordChanged {
        name: name.to_owned(),
        at: mail::written(now),
        link: app.settings.link("/forgot-password"),
    };
    let cause = format!("password_changed:{}", hex::encode(cause.hash()));
    mail::queue(tx, app, &cause, email, message).await
}
