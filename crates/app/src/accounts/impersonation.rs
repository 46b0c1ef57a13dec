//! An operator looks through a customer's eyes: a session in the customer's name that reads and never writes, ends after
//! half an hour, and stands in the customer's own log.

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::json;
use tenantry_domain::{
    accounts::impersonation::{self, Reason},
    ids::{OperatorId, SessionId, UserId},
};
use tenantry_postgres::accounts::{
    user_directory,
    user_sessions::{self, NewImpersonation},
};
use uuid::Uuid;

use super::{OpaqueToken, Visitor};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// A look that begins now, and the secret that only the operator's browser will know.
#[derive(Debug)]
pub struct StartedImpersonation {
    /// The session.
    pub session: SessionId,
    /// For the cookie.
    pub secret: OpaqueToken,
    /// Its end, however much it is used.
    pub expires_at: DateTime<Utc>,
}

/// Begins a look; `None` when there is no such person.
///
/// # Errors
/// The database's.
pub async fn view_as(
    app: &App,
    operator: OperatorId,
    user: UserId,
    reason: &Reason,
    visitor: &Visitor,
) -> Result<Option<StartedImpersonation>, Fault> {
    let now = app.clock.now().trunc_subsecs(6);
    let expires_at = now + impersonation::DURATION;
    let mut tx = app
        .database
        .system("an operator looks through a customer's eyes")
        .await?;
    if user_directory::find(&mut tx, user).await?.is_none() {
        return Ok(None);
    }
    let session = SessionId::from_uuid(Uuid::now_v7());
    let secret = OpaqueToken::generate()?;
    let begun = NewImpersonation {
        id: session,
        user,
        operator,
        reason: reason.as_str(),
        secret_hash: &secret.hash(),
        device: &visitor.device(),
        address: visitor.address,
        created_at: now,
        expires_at,
    };
    user_sessions::insert_impersonation(&mut tx, &begun).await?;
    let organizations = user_directory::all_organizations(&mut tx, user).await?;
    let act = Act::new("impersonation.started", operator)
        .user(user)
        .address(visitor.address)
        .target(session)
        .body(json!({ "reason": reason.as_str(), "expires_at": expires_at }));
    audit::record_for_customer(app, &mut tx, act, &organizations).await?;
    tx.commit().await?;
    Ok(Some(StartedImpersonation {
        session,
        secret,
        expires_at,
    }))
}
