//! Signing up promises nothing but a mail: what becomes live does so when its link is confirmed. Whether the address
//! has an account already shows in the mail alone, never in the answer, the work or the time.

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::{
    accounts::{Allowance, Email, Password},
    display_name::DisplayName,
    mail::Message,
};
use tenantry_postgres::accounts::{
    sign_ups::{self, NewSignUp},
    users,
};

use super::{
    OpaqueToken, Strength, Visitor,
    strength::{EstimateError, password_strength},
    throttle::{Admission, Attempt},
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
    mail,
};

/// How long a link that proves an address works.
pub(super) const LINK_WORKS_FOR: TimeDelta = TimeDelta::hours(24);

/// What somebody enters.
#[derive(Debug)]
pub struct SignUp {
    /// Where the link goes.
    pub email: Email,
    /// The password of the account to be.
    pub password: Password,
    /// The person's name.
    pub name: DisplayName,
    /// The organization to create.
    pub organization_name: DisplayName,
}

/// What the browser that signed up keeps until it confirms.
#[derive(Debug)]
pub struct SignUpBrowser {
    /// What it is recognised by, for its cookie.
    pub secret: OpaqueToken,
    /// When the cookie may be forgotten: the link works no longer.
    pub expires_at: DateTime<Utc>,
}

/// Why a sign-up is refused.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// The password is guessed too soon.
    #[error("the password is too weak")]
    WeakPassword(Strength),
    /// Too many sign-ups with this address, or from this network.
    #[error("too many sign-ups")]
    TooManyAttempts(Allowance),
    /// Not the visitor's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<EstimateError> for SignUpError {
    fn from(error: EstimateError) -> Self {
        match error {
            EstimateError::TooManyRequests(allowance) => Self::TooManyAttempts(allowance),
            EstimateError::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// Remembers the sign-up and sends a mail, whoever the address belongs to. Returns what the browser is to keep, and how
/// many more may be asked for.
///
/// # Errors
/// When the password is weak or too much is asked, neither of which has to do with the address's account.
pub async fn sign_up(app: &App, sign_up: SignUp, visitor: &Visitor) -> Result<(SignUpBrowser, Allowance), SignUpError> {
    let inputs = [
        sign_up.email.as_str(),
        sign_up.name.as_str(),
        sign_up.organization_name.as_str(),
    ];
    let (strength, _) = password_strength(app, sign_up.password.expose(), &inputs, visitor.address).await?;
    if !strength.acceptable {
        return Err(SignUpError::WeakPassword(strength));
    }
    // Each one sends a mail: nobody's inbox is filled, whoever asks for it.
    let mut tx = app.database.system("count a sign-up").await.map_err(Fault::from)?;
    let attempt = Attempt::to_mail(app, &mut tx, "sign-up", sign_up.email.as_str(), visitor).await?;
    let allowance = match attempt.admit(&mut tx).await? {
        Admission::Admitted(allowance) => allowance,
        Admission::Paused(allowance) => return Err(SignUpError::TooManyAttempts(allowance)),
    };
    tx.commit().await.map_err(Fault::from)?;
    let hash = app.passwords.hash(sign_up.password.clone());
    let password_hash = attempt.hashing(app, hash).await?;
    let browser = remember(app, sign_up, &password_hash, visitor).await?;
    Ok((browser, allowance))
}

async fn remember(app: &App, sign_up: SignUp, password_hash: &str, visitor: &Visitor) -> Result<SignUpBrowser, Fault> {
    let SignUp {
        email,
        name,
        organization_name,
        ..
    } = sign_up;
    let token = OpaqueToken::generate()?;
    let now = app.clock.now();
    let browser = SignUpBrowser {
        // Whoever signs up a second time may confirm by either link.
        secret: match &visitor.sign_up_secret {
            Some(secret) => secret.clone(),
            None => OpaqueToken::generate()?,
        },
        expires_at: now + LINK_WORKS_FOR,
    };

    let mut tx = app.database.system("sign-up: nobody is signed in yet").await?;
    let exists = users::exists(&mut tx, email.as_str()).await?;
    sign_ups::insert(
        &mut tx,
        &NewSignUp {
            token_hash: &token.hash(),
            email: email.as_str(),
            password_hash,
            name: name.as_str(),
            organization_name: organization_name.as_str(),
            created_at: now,
            expires_at: browser.expires_at,
            browser_hash: &browser.secret.hash(),
            voided_at: exists.then_some(now),
        },
    )
    .await?;
    let message = if exists {
        Message::AlreadyRegistered {
            link: app.settings.link("/login"),
        }
    } else {
        Message::Confirm {
            // In the fragment, so that it reaches no server's log.
            link: app
                .settings
                .link(&format!("/confirm#token={}", token.encode().as_str())),
        }
    };
    let cause = format!("sign_up:{}", hex::encode(token.hash()));
    mail::queue(&mut tx, app, &cause, email.as_str(), message).await?;
    let act = Act::new("sign_up.requested", "anonymous").address(visitor.address);
    audit::record(app, &mut tx, act).await?;
    tx.commit().await?;
    Ok(browser)
}
