//! The link of a sign-up, once more. Whether a sign-up waits shows in the mail alone.

use chrono::{DateTime, Utc};
use tenantry_domain::{
    accounts::{Allowance, Email},
    mail::Message,
};
use tenantry_postgres::accounts::sign_ups;

use super::{
    OpaqueToken, Visitor,
    sign_up::LINK_WORKS_FOR,
    throttle::{Admission, Attempt},
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
    mail,
};

/// Why no mail is sent to whoever asks for one.
#[derive(Debug, thiserror::Error)]
pub enum AskForMailError {
    /// Too many were asked for with this address, or from this network.
    #[error("too many mails were asked for")]
    TooManyAttempts(Allowance),
    /// Not the visitor's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Sends the link of the newest sign-up that waits and was made from this browser, or says that none does. Returns until
/// when such a link works, whether or not there is one, and how many more may be asked for.
///
/// # Errors
/// When too much is asked.
pub async fn resend_confirmation(
    app: &App,
    email: &Email,
    visitor: &Visitor,
) -> Result<(DateTime<Utc>, Allowance), AskForMailError> {
    let mut tx = app
        .database
        .system("send a sign-up's link again: nobody is signed in yet")
        .await
        .map_err(Fault::from)?;
    let attempt = Attempt::to_mail(app, &mut tx, "resend", email.as_str(), visitor).await?;
    let allowance = match attempt.admit(&mut tx).await? {
        Admission::Admitted(allowance) => allowance,
        Admission::Paused(allowance) => return Err(AskForMailError::TooManyAttempts(allowance)),
    };
    let now = app.clock.now();
    let token = OpaqueToken::generate()?;
    let expires_at = now + LINK_WORKS_FOR;
    let browser = visitor.sign_up_secret.as_ref().map(OpaqueToken::hash);
    let is_repeated = sign_ups::repeat(
        &mut tx,
        &token.hash(),
        email.as_str(),
        browser.as_ref(),
        now,
        expires_at,
    )
    .await
    .map_err(Fault::from)?;
    let message = if is_repeated {
        Message::ConfirmAgain {
            link: app
                .settings
                .link(&format!("/confirm#token={}", token.encode().as_str())),
        }
    } else {
        Message::NothingToConfirm {
            link: app.settings.link("/login"),
        }
    };
    let cause = format!("resend:{}", hex::encode(token.hash()));
    mail::queue(&mut tx, app, &cause, email.as_str(), message).await?;
    let act = Act::new("sign_up.link_requested", "anonymous").address(visitor.address);
    audit::record(app, &mut tx, act).await.map_err(Fault::from)?;
    tx.commit().await.map_err(Fault::from)?;
    Ok((expires_at, allowance))
}
