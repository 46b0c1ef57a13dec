//! The link in the sign-up's mail: user, password, organization and session become live together, once.
//!
//! The link proves that its holder reads the inbox, not that they signed up: anybody signs up with anybody's address. So
//! it is confirmed in the browser that signed up, or with the password that was chosen there.

use tenantry_domain::{
    accounts::{Allowance, Password},
    ids::{OrganizationId, UserId},
    mail::Message,
};
use tenantry_postgres::{
    SystemTx,
    accounts::{
        sign_ups::{self, ConfirmedSignUp, SentSignUp},
        users,
    },
};
use uuid::Uuid;

use super::{
    OpaqueToken, Verdict, Visitor,
    session::{self, Entry, StartedSession},
    throttle::{Admission, Attempt},
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
    /// It was not this browser that signed up: the password is asked for.
    #[error("the password that was chosen at the sign-up is asked for")]
    PasswordRequired,
    /// The password is not the one that was chosen. This much is left.
    #[error("the password is not the one that was chosen")]
    PasswordWrong(Allowance),
    /// Too many passwords were wrong.
    #[error("too many attempts failed")]
    TooManyAttempts(Allowance),
    /// Not the visitor's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A sign-up that can be confirmed, as far as whoever has its mail knows it.
#[derive(Debug, Clone)]
pub struct SignUpLink {
    /// The address that the mail was sent to.
    pub email: String,
    /// The name given at sign-up.
    pub name: String,
    /// The organization that confirming creates.
    pub organization_name: String,
    /// Whether the password is asked for: it was not this browser that signed up.
    pub asks_for_password: bool,
}

/// A sign-up that was confirmed.
#[derive(Debug)]
pub struct Confirmed {
    /// Its person is signed in.
    pub started: StartedSession,
    /// How many attempts are left, where a password was asked for.
    pub left: Option<Allowance>,
}

/// What a link would confirm. Nothing becomes live by it.
///
/// # Errors
/// When the link does nothing.
pub async fn find_sign_up(app: &App, token: &OpaqueToken, visitor: &Visitor) -> Result<SignUpLink, ConfirmError> {
    let sign_up = find(app, &token.hash()).await?;
    Ok(SignUpLink {
        asks_for_password: !is_same_browser(&sign_up, visitor),
        email: sign_up.email_normalized,
        name: sign_up.name,
        organization_name: sign_up.organization_name,
    })
}

/// Confirms a sign-up and signs its person in. The password is looked at where it was not this browser that signed up.
///
/// # Errors
/// When the link does nothing, or the password is missing or wrong.
pub async fn confirm(
    app: &App,
    token: &OpaqueToken,
    password: Option<Password>,
    visitor: &Visitor,
) -> Result<Confirmed, ConfirmError> {
    let hash = token.hash();
    let sign_up = find(app, &hash).await?;
    let attempt = if is_same_browser(&sign_up, visitor) {
        None
    } else {
        let password = password.ok_or(ConfirmError::PasswordRequired)?;
        Some(check_password(app, &hash, sign_up.password_hash, password, visitor).await?)
    };
    let now = app.clock.now();
    let mut tx = app
        .database
        .system("confirm a sign-up: nobody is signed in yet")
        .await
        .map_err(Fault::from)?;
    sign_ups::lock_address(&mut tx, &hash).await.map_err(Fault::from)?;
    let Some(sign_up) = sign_ups::confirm(&mut tx, &hash, now).await.map_err(Fault::from)? else {
        return Err(ConfirmError::Expired);
    };
    let Some(started) = make_live(app, &mut tx, sign_up, visitor).await? else {
        // Another link for the same address was first, in this very moment.
        return Err(ConfirmError::Expired);
    };
    let left = match attempt {
        Some(attempt) => Some(attempt.succeeded(app, &mut tx).await?),
        None => None,
    };
    tx.commit().await.map_err(Fault::from)?;
    Ok(Confirmed { started, left })
}

async fn find(app: &App, hash: &[u8; 32]) -> Result<SentSignUp, ConfirmError> {
    let mut tx = app
        .database
        .read_system("find the sign-up of a link: nobody is signed in yet")
        .await
        .map_err(Fault::from)?;
    let sign_up = sign_ups::find(&mut tx, hash, app.clock.now())
        .await
        .map_err(Fault::from)?
        .ok_or(ConfirmError::Unknown)?;
    if sign_up.works {
        Ok(sign_up)
    } else {
        Err(ConfirmError::Expired)
    }
}

fn is_same_browser(sign_up: &SentSignUp, visitor: &Visitor) -> bool {
    let presented = visitor.sign_up_secret.as_ref().map(OpaqueToken::hash);
    presented.is_some_and(|presented| sign_up.browser_hash.as_deref() == Some(presented.as_slice()))
}

/// Compares the password with the one of this very sign-up. No connection is held meanwhile. Returns what the attempt was
/// counted as, to be forgotten by whoever succeeds.
async fn check_password(
    app: &App,
    hash: &[u8; 32],
    stored: String,
    password: Password,
    visitor: &Visitor,
) -> Result<Attempt, ConfirmError> {
    const PURPOSE: &str = "check the password of a sign-up: nobody is signed in yet";
    let attempt = Attempt::new(app, "confirm", &hex::encode(hash), visitor.address)?;
    let mut tx = app.database.system(PURPOSE).await.map_err(Fault::from)?;
    let left = match attempt.admit(&mut tx).await? {
        Admission::Admitted(allowance) => allowance,
        Admission::Paused(allowance) => return Err(ConfirmError::TooManyAttempts(allowance)),
    };
    tx.commit().await.map_err(Fault::from)?;
    let verdict = attempt
        .hashing(app, app.passwords.verify(password, Some(stored)))
        .await?;
    if verdict != Verdict::Wrong {
        return Ok(attempt);
    }
    let mut tx = app.database.system(PURPOSE).await.map_err(Fault::from)?;
    let act = Act::new("sign_up.confirmation_refused", "anonymous").address(visitor.address);
    audit::record(app, &mut tx, act).await.map_err(Fault::from)?;
    tx.commit().await.map_err(Fault::from)?;
    Err(ConfirmError::PasswordWrong(left))
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
