//! An organization may want that all of its members have a second factor, from a day on that leaves them time.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::json;
use tenantry_domain::ids::{OrganizationId, UserId};
use tenantry_postgres::organizations::security;

use crate::{
    App,
    accounts::{StepUpRequired, UserSession, Visitor, require_recent_proof},
    audit::{self, Act},
    error::Fault,
};

/// An organization that wants its members to have a second factor.
pub type FactorDemand = security::FactorDemand;

/// What an organization asks of its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Security {
    /// From when on it lets nobody in without a second factor; `None` where it does not ask for one.
    pub second_factor_required_from: Option<DateTime<Utc>>,
}

/// Why it stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum SecurityError {
    /// Who they are was proved too long ago.
    #[error(transparent)]
    StepUp(#[from] StepUpRequired),
    /// Whoever asks it of others has none, and would lock themselves out.
    #[error("whoever requires a second factor has none")]
    OwnFactorMissing,
    /// Not the caller's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The organizations of a user that want a second factor, the earliest first.
///
/// # Errors
/// The database's.
pub async fn factor_demands(app: &App, user: UserId) -> Result<Vec<FactorDemand>, Fault> {
    let mut tx = app.database.user(user).await?;
    Ok(security::list_demands(&mut tx, user).await?)
}

/// What an organization asks for.
///
/// # Errors
/// The database's.
pub async fn security(app: &App, organization: OrganizationId) -> Result<Security, Fault> {
    let mut tx = app.database.organization(organization).await?;
    Ok(Security {
        second_factor_required_from: security::find_demand(&mut tx, organization).await?,
    })
}

/// Asks every member for a second factor once `grace` has passed, or does not ask any more.
///
/// # Errors
/// When the caller has none, or has to prove who they are first.
pub async fn set_security(
    app: &App,
    organization: OrganizationId,
    caller: &UserSession,
    grace: Option<TimeDelta>,
    visitor: &Visitor,
) -> Result<Security, SecurityError> {
    require_recent_proof(app, caller)?;
    if grace.is_some() && !caller.second_factor {
        return Err(SecurityError::OwnFactorMissing);
    }
    let from = grace.map(|grace| (app.clock.now() + grace).trunc_subsecs(6));
    // Two scopes in one act: the organization's row and log, and the person's own key, under which the log keeps where they
    // acted from. No scope sees both, and one that did would see the person's other organizations, too.
    let mut tx = app
        .database
        .system("change who gets into an organization: where from is sealed by a person's key")
        .await
        .map_err(Fault::from)?;
    security::set_demand(&mut tx, organization, from)
        .await
        .map_err(Fault::from)?;
    let act = Act::new("organization.security_changed", caller.user)
        .organization(organization)
        .user(caller.user)
        .address(visitor.address)
        .target(organization)
        .body(json!({ "second_factor_required_from": from }));
    audit::record(app, &mut tx, act).await.map_err(Fault::from)?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(Security {
        second_factor_required_from: from,
    })
}
