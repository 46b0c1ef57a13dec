//! A way back in for somebody who forgot their password. Whether the address has an account shows in the mail alone.

use chrono::TimeDelta;
use tenantry_domain::{
    accounts::{Allowance, Email},
    mail::Message,
};
use tenantry_postgres::accounts::one_time_tokens;
use url::form_urlencoded;

use super::{
    AskForMailError, OpaqueToken, Visitor,
    throttle::{Admission, Attempt},
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
    mail,
};

/// How long a link for a new password works.
const LINK_WORKS_FOR: TimeDelta = TimeDelta::hours(1);

/// Sends a link for a new password, or says that the address has no account. Returns how many more may be asked for.
///
/// # Errors
/// When too much is asked.
pub async fn forgot_password(app: &App, email: &Email, visitor: &Visitor) -> Result<Allowance, AskForMailError> {
    let mut tx = app
        .database
        .system("send a link for a new password: nobody is signed in")
        .await
        .map_err(Fault::from)?;
    let attempt = Attempt::to_mail(app, &mut tx, "forgot-password", email.as_str(), visitor).await?;
    let allowance = match attempt.admit(&mut tx).await? {
        Admission::Admitted(allowance) => allowance,
        Admission::Paused(allowance) => return Err(AskForMailError::TooManyAttempts(allowance)),
    };
    let now = app.clock.now();
    let token = OpaqueToken::generate()?;
    let user = one_time_tokens::insert_for_password(&mut tx, &token.hash(), email.as_str(), now, now + LINK_WORKS_FOR)
        .await
        .map_err(Fault::from)?;
    let message = if user.is_some() {
        // In the fragment, so that it reaches no server's log; with the address, so that the page can tell password
        // managers whose password is chosen.
        let email: String = form_urlencoded::byte_serialize(email.as_str().as_bytes()).collect();
        let token = token.encode();
        Message::ResetPassword {
            link: app
                .settings
                .link(&format!("/reset-password#token={}&email={email}", token.as_str())),
        }
    } else {
        Message::NoAccount {
            link: app.settings.link("/signup"),
        }
    };
    let cause = format!("forgot_password:{}", hex::encode(token.hash()));
    mail::queue(&mut tx, app, &cause, email.as_str(), message).await?;
    let act = Act::new("password.link_requested", "anonymous").address(visitor.address);
    let act = match user {
        Some(user) => act.user(user),
        None => act,
    };
    audit::record(app, &mut tx, act).await.map_err(Fault::from)?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(allowance)
}
