//! Sessions of people in browsers: one row for each sign-in, found by the hash of the cookie's secret.

use std::net::IpAddr;

use chrono::{DateTime, SubsecRound, Utc};
use tenantry_domain::{
    accounts::session::{LAST_USED_RESOLUTION, SessionLimits, USER_SESSIONS},
    ids::{SessionId, UserId},
};
use tenantry_postgres::{
    SystemTx,
    accounts::sessions::{self, LiveSession, NewSession},
};
use uuid::Uuid;

use super::{OpaqueToken, devices};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

const DEVICE_CHARS: usize = 500;

/// Who stands at the door, before it is known who they are.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// Where from.
    pub address: Option<IpAddr>,
    /// What their browser says it is.
    pub device: String,
    /// What their browser is recognised by, where somebody signed in from it before.
    pub device_secret: Option<OpaqueToken>,
    /// What their browser is recognised by, where an operator signed in from it before.
    pub operator_device_secret: Option<OpaqueToken>,
    /// What their browser is recognised by, where somebody signed up from it of late.
    pub sign_up_secret: Option<OpaqueToken>,
}

impl Visitor {
    /// What the ledger keeps of it.
    pub(super) fn device(&self) -> String {
        self.device
            .chars()
            .filter(|letter| !letter.is_control())
            .take(DEVICE_CHARS)
            .collect()
    }
}

/// The operator who looks through a session, and why.
pub type Impersonation = sessions::Impersonation;

/// A session that has not ended, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSession {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// The user's address.
    pub email: String,
    /// The user's name.
    pub name: String,
    /// When its person last proved who they are, by password or factor.
    pub proved_at: DateTime<Utc>,
    /// Whether the user has a second factor.
    pub second_factor: bool,
    /// Whether one was shown in this session.
    pub by_second_factor: bool,
    /// When it ends if it is not used again.
    pub expires_at: DateTime<Utc>,
    /// The operator who looks through it, if it is not the user's own. It changes nothing then, and grants nothing.
    pub impersonation: Option<Impersonation>,
}

impl UserSession {
    /// Whether this session is good where a second factor is demanded: its person has one, and has shown it here. What an
    /// operator looks through shows what its person would see.
    #[must_use]
    pub fn meets_second_factor_demand(&self) -> bool {
        self.second_factor && (self.by_second_factor || self.impersonation.is_some())
    }

    /// As the ledger has it, with the limits of its kind.
    pub(super) fn from_live(live: LiveSession, limits: SessionLimits, last_used_at: DateTime<Utc>) -> Self {
        Self {
            id: live.id,
            user: live.user,
            email: live.email,
            name: live.name,
            proved_at: live.proved_at,
            second_factor: live.second_factor,
            by_second_factor: live.by_second_factor,
            expires_at: limits.ends_at(last_used_at, live.expires_at),
            impersonation: live.impersonation,
        }
    }
}

/// A session that begins now, and the secret that only its browser will know.
#[derive(Debug)]
pub struct StartedSession {
    /// The session.
    pub session: UserSession,
    /// For the cookie.
    pub secret: OpaqueToken,
    /// When the cookie may be forgotten.
    pub cookie_expires_at: DateTime<Utc>,
    /// What the browser is recognised by from now on, for another cookie.
    pub device_secret: OpaqueToken,
    /// When that one may be forgotten.
    pub device_expires_at: DateTime<Utc>,
}

/// How somebody came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// By the link in the sign-up's mail: there is no device that was seen before.
    SignUp,
    /// By a password, which was all that was asked for.
    Password,
    /// By a password and a second factor.
    SecondFactor,
}

/// Begins a session, always with a new secret: nobody can have planted it before.
pub(super) async fn start(
    app: &App,
    tx: &mut SystemTx,
    user: UserId,
    email: String,
    name: String,
    entry: Entry,
    visitor: &Visitor,
) -> Result<StartedSession, Fault> {
    // As exact as the ledger keeps it, so that the session reads the same from the first answer on.
    let now = app.clock.now().trunc_subsecs(6);
    let id = SessionId::from_uuid(Uuid::now_v7());
    let secret = OpaqueToken::generate()?;
    let cookie_expires_at = now + USER_SESSIONS.absolute;
    sessions::insert(
        tx,
        &NewSession {
            id,
            user,
            secret_hash: &secret.hash(),
            device: &visitor.device(),
            address: visitor.address,
            by_second_factor: entry == Entry::SecondFactor,
            created_at: now,
            expires_at: cookie_expires_at,
        },
    )
    .await?;
    let act = Act::new("session.started", user).user(user).address(visitor.address);
    audit::record(app, &mut *tx, act.target(id)).await?;
    let device = devices::remember(app, tx, user, visitor).await?;
    if device.is_new && entry != Entry::SignUp {
        devices::tell(app, tx, user, &email, id, visitor).await?;
    }
    let expires_at = USER_SESSIONS.ends_at(now, cookie_expires_at);
    Ok(StartedSession {
        session: UserSession {
            id,
            user,
            email,
            name,
            proved_at: now,
            second_factor: entry == Entry::SecondFactor,
            by_second_factor: entry == Entry::SecondFactor,
            expires_at,
            impersonation: None,
        },
        secret,
        cookie_expires_at,
        device_secret: device.secret,
        device_expires_at: devices::cookie_expires_at(now),
    })
}

/// The session with this secret, if it has not ended. Its use is written down now and then.
///
/// # Errors
/// The database's.
pub async fn find_session(app: &App, secret: &OpaqueToken) -> Result<Option<UserSession>, Fault> {
    let now = app.clock.now();
    let mut tx = app.database.system("find the session of a cookie").await?;
    let Some(live) = sessions::find_live(&mut tx, &secret.hash(), now, now - USER_SESSIONS.idle).await? else {
        return Ok(None);
    };
    let mut last_used_at = live.last_used_at;
    if now - last_used_at >= LAST_USED_RESOLUTION {
        sessions::touch(&mut tx, live.id, now).await?;
        last_used_at = now;
    }
    tx.commit().await?;
    Ok(Some(UserSession::from_live(live, USER_SESSIONS, last_used_at)))
}

/// Ends a session.
///
/// # Errors
/// The database's.
pub async fn sign_out(app: &App, session: &UserSession, visitor: &Visitor) -> Result<(), Fault> {
    let mut tx = app.database.user(session.user).await?;
    sessions::end(&mut tx, session.id, app.clock.now()).await?;
    let actor = session.impersonation.as_ref().map_or_else(
        || session.user.to_string(),
        |impersonation| impersonation.operator.to_string(),
    );
    let act = Act::new("session.ended", actor)
        .user(session.user)
        .address(visitor.address);
    audit::record(app, &mut tx, act.target(session.id)).await?;
    Ok(tx.commit().await?)
}
