//! Operators: made by the command line, signed in by their own door, with shorter sessions.

use std::net::IpAddr;

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::json;
use tenantry_domain::{
    accounts::{
        Email, OperatorRole, Password,
        session::{LAST_USED_RESOLUTION, OPERATOR_SESSIONS},
    },
    ids::{OperatorId, SessionId},
};
use tenantry_postgres::{
    SystemTx,
    accounts::{
        operators::{self, NewOperatorSession},
        user_sessions,
    },
};
use uuid::Uuid;

use super::{OpaqueToken, Strength, Visitor, devices::KnownBrowser, operator_devices, strength::estimate};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// Why no operator is made.
#[derive(Debug, thiserror::Error)]
pub enum CreateOperatorError {
    /// The address already is an operator's.
    #[error("there is an operator with this address")]
    Exists,
    /// The password is guessed too soon.
    #[error("the password is too weak: {}", .0.reasons.join(" "))]
    WeakPassword(Strength),
    /// Not the caller's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// An operator's session that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorSession {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub operator: OperatorId,
    /// The operator's address.
    pub email: String,
    /// What they may do.
    pub role: OperatorRole,
    /// When it ends if it is not used again.
    pub expires_at: DateTime<Utc>,
}

/// A session that begins now, and the secret that only its browser will know.
#[derive(Debug)]
pub struct StartedOperatorSession {
    /// The session.
    pub session: OperatorSession,
    /// For the cookie.
    pub secret: OpaqueToken,
    /// When the cookie may be forgotten.
    pub cookie_expires_at: DateTime<Utc>,
    /// What the browser is recognised by from now on, for another cookie.
    pub browser: KnownBrowser,
}

/// Makes an operator; `actor` says who does.
///
/// # Errors
/// When the address is taken or the password weak.
pub async fn create_operator(
    app: &App,
    email: &Email,
    password: Password,
    role: OperatorRole,
    actor: &str,
) -> Result<OperatorId, CreateOperatorError> {
    let strength = estimate(app, password.expose(), &[email.as_str()])
        .await
        .map_err(Fault::from)?;
    if !strength.acceptable {
        return Err(CreateOperatorError::WeakPassword(strength));
    }
    let hash = app.passwords.hash(password).await.map_err(Fault::from)?;
    let operator = NewOperator {
        email,
        password_hash: &hash,
        role,
        actor,
        address: None,
    };
    let mut tx = app.database.system("create an operator").await.map_err(Fault::from)?;
    let id = insert(app, &mut tx, &operator)
        .await?
        .ok_or(CreateOperatorError::Exists)?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(id)
}

/// An operator to make.
pub(super) struct NewOperator<'a> {
    pub(super) email: &'a Email,
    pub(super) password_hash: &'a str,
    pub(super) role: OperatorRole,
    /// Who makes them.
    pub(super) actor: &'a str,
    pub(super) address: Option<IpAddr>,
}

/// The same inside a transaction that goes on; `None` when the address already is an operator's.
pub(super) async fn insert(
    app: &App,
    tx: &mut SystemTx,
    operator: &NewOperator<'_>,
) -> Result<Option<OperatorId>, Fault> {
    let id = OperatorId::from_uuid(Uuid::now_v7());
    let inserted = operators::insert(tx, id, operator.email.as_str(), operator.password_hash, operator.role).await?;
    if inserted.is_some() {
        let act = Act::new("operator.created", operator.actor)
            .address(operator.address)
            .target(id)
            .body(json!({ "role": operator.role.as_str() }));
        audit::record(app, &mut *tx, act).await?;
    }
    Ok(inserted)
}

/// Begins a session of an operator who has shown a second factor.
pub(super) async fn start(
    app: &App,
    tx: &mut SystemTx,
    operator: OperatorId,
    visitor: &Visitor,
) -> Result<Option<StartedOperatorSession>, Fault> {
    let Some((email, role)) = operators::find_active(tx, operator).await? else {
        return Ok(None);
    };
    let now = app.clock.now().trunc_subsecs(6);
    let id = SessionId::from_uuid(Uuid::now_v7());
    let secret = OpaqueToken::generate()?;
    let cookie_expires_at = now + OPERATOR_SESSIONS.absolute;
    let session = NewOperatorSession {
        id,
        operator,
        secret_hash: &secret.hash(),
        device: &visitor.device(),
        address: visitor.address,
        created_at: now,
        expires_at: cookie_expires_at,
    };
    operators::insert_session(tx, &session).await?;
    let act = Act::new("operator_session.started", operator)
        .address(visitor.address)
        .target(id);
    audit::record(app, &mut *tx, act).await?;
    let browser = operator_devices::remember(app, tx, operator, visitor).await?;
    Ok(Some(StartedOperatorSession {
        session: OperatorSession {
            id,
            operator,
            email,
            role,
            expires_at: OPERATOR_SESSIONS.ends_at(now, cookie_expires_at),
        },
        secret,
        cookie_expires_at,
        browser,
    }))
}

/// The session with this secret, if it has not ended.
///
/// # Errors
/// The database's.
pub async fn find_operator_session(app: &App, secret: &OpaqueToken) -> Result<Option<OperatorSession>, Fault> {
    let now = app.clock.now();
    let mut tx = app.database.system("find the session of an operator's cookie").await?;
    let idle_since = now - OPERATOR_SESSIONS.idle;
    let Some(live) = operators::find_live_session(&mut tx, &secret.hash(), now, idle_since).await? else {
        return Ok(None);
    };
    let mut last_used_at = live.last_used_at;
    if now - last_used_at >= LAST_USED_RESOLUTION {
        operators::touch_session(&mut tx, live.id, now).await?;
        last_used_at = now;
    }
    tx.commit().await?;
    Ok(Some(OperatorSession {
        id: live.id,
        operator: live.operator,
        email: live.email,
        role: live.role,
        expires_at: OPERATOR_SESSIONS.ends_at(last_used_at, live.expires_at),
    }))
}

/// Ends a session, and every look through a customer's eyes that its operator has begun.
///
/// # Errors
/// The database's.
pub async fn sign_out_operator(app: &App, session: &OperatorSession, visitor: &Visitor) -> Result<(), Fault> {
    let mut tx = app.database.system("end an operator's session").await?;
    let now = app.clock.now();
    operators::end_session(&mut tx, session.id, now).await?;
    user_sessions::end_impersonations(&mut tx, session.operator, now).await?;
    let act = Act::new("operator_session.ended", session.operator)
        .address(visitor.address)
        .target(session.id);
    audit::record(app, &mut tx, act).await?;
    Ok(tx.commit().await?)
}
