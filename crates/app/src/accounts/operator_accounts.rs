//! Operators manage each other. An installation always keeps one admin, and nobody takes their own rights away.

use std::{fmt, net::IpAddr};

use serde_json::json;
use tenantry_domain::{accounts::OperatorRole, ids::OperatorId, mail::Message};
use tenantry_postgres::{
    DatabaseError, SystemTx,
    accounts::{
        operator_accounts::{self, OperatorRow},
        operator_credentials, operator_devices, user_sessions,
    },
};

use super::{EnrolmentLink, operator_enrolment};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
    mail,
};

/// An operator, as operators see each other.
pub type OperatorAccount = OperatorRow;

/// Who manages operators, or looks after customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caretaker {
    /// An operator in the console.
    Operator {
        /// Who.
        id: OperatorId,
        /// Where from.
        address: Option<IpAddr>,
    },
    /// Whoever may run this program.
    CommandLine,
}

impl Caretaker {
    /// Where from, as far as it is known.
    #[must_use]
    pub fn address(self) -> Option<IpAddr> {
        match self {
            Self::Operator { address, .. } => address,
            Self::CommandLine => None,
        }
    }
}

/// As the audit log names them.
impl fmt::Display for Caretaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator { id, .. } => id.fmt(f),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

/// Why an operator stays as they are.
#[derive(Debug, thiserror::Error)]
pub enum ManageOperatorError {
    /// There is no such operator.
    #[error("there is no such operator")]
    Unknown,
    /// Nobody takes their own rights away by mistake.
    #[error("you cannot take your own rights away; another admin can")]
    Yourself,
    /// Somebody has to be able to manage the others.
    #[error("this is the last admin; make another one first")]
    LastAdmin,
    /// The caretaker lost their own rights a moment ago.
    #[error("you are no admin any more")]
    NotAdmin,
    /// Not the caller's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<tenantry_postgres::DatabaseError> for ManageOperatorError {
    fn from(error: tenantry_postgres::DatabaseError) -> Self {
        Self::Fault(error.into())
    }
}

/// All operators by address, a page of them.
///
/// # Errors
/// The database's.
pub async fn list_operators(
    app: &App,
    search: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<OperatorAccount>, Fault> {
    let mut tx = app.database.read_system("list the operators").await?;
    Ok(operator_accounts::list(&mut tx, search, after, limit).await?)
}

/// The operator that an id or an address names.
///
/// # Errors
/// The database's.
pub async fn find_operator(app: &App, text: &str) -> Result<Option<OperatorId>, Fault> {
    if let Ok(id) = text.parse() {
        return Ok(Some(id));
    }
    let mut tx = app.database.read_system("find an operator by address").await?;
    Ok(operator_accounts::find_by_email(&mut tx, &text.trim().to_lowercase()).await?)
}

/// Keeps an operator from signing in, and ends what they have open. Again does nothing.
///
/// # Errors
/// When it is the caretaker or the last admin.
pub async fn disable_operator(
    app: &App,
    operator: OperatorId,
    by: Caretaker,
) -> Result<OperatorAccount, ManageOperatorError> {
    let mut tx = app.database.system("disable an operator").await?;
    let present = lock(&mut tx, operator, by, Demotion::Yes).await?;
    if present.disabled_at.is_none() {
        let now = app.clock.now();
        operator_accounts::disable(&mut tx, operator, now).await?;
        operator_accounts::end_sessions(&mut tx, operator, now).await?;
        user_sessions::end_impersonations(&mut tx, operator, now).await?;
        let act = Act::new("operator.disabled", by).address(by.address()).target(operator);
        audit::record(app, &mut tx, act).await?;
    }
    finish(tx, operator).await
}

/// Lets a disabled operator sign in again, with password and second factor as they were. Again does nothing.
///
/// # Errors
/// When there is no such operator.
pub async fn enable_operator(
    app: &App,
    operator: OperatorId,
    by: Caretaker,
) -> Result<OperatorAccount, ManageOperatorError> {
    let mut tx = app.database.system("enable an operator").await?;
    let present = lock(&mut tx, operator, by, Demotion::No).await?;
    if present.disabled_at.is_some() {
        operator_accounts::enable(&mut tx, operator).await?;
        let act = Act::new("operator.enabled", by).address(by.address()).target(operator);
        audit::record(app, &mut tx, act).await?;
    }
    finish(tx, operator).await
}

/// Gives an operator another role, from their next call on.
///
/// # Errors
/// When it is the caretaker, or the last admin would be none any more.
pub async fn set_operator_role(
    app: &App,
    operator: OperatorId,
    role: OperatorRole,
    by: Caretaker,
) -> Result<OperatorAccount, ManageOperatorError> {
    let mut tx = app.database.system("change an operator's role").await?;
    let demotion = if role == OperatorRole::Admin {
        Demotion::No
    } else {
        Demotion::Yes
    };
    let present = lock(&mut tx, operator, by, demotion).await?;
    if present.role != role.as_str() {
        operator_accounts::set_role(&mut tx, operator, role).await?;
        if role < OperatorRole::Support {
            user_sessions::end_impersonations(&mut tx, operator, app.clock.now()).await?;
        }
        let act = Act::new("operator.role_changed", by)
            .address(by.address())
            .target(operator)
            .body(json!({ "from": present.role, "to": role.as_str() }));
        audit::record(app, &mut tx, act).await?;
    }
    finish(tx, operator).await
}

/// An operator's second factor that is forgotten.
#[derive(Debug)]
pub struct FactorReset {
    /// Whether there was one.
    pub existed: bool,
    /// By what the operator sets up another one.
    pub link: EnrolmentLink,
}

/// Forgets an operator's second factor and ends what they have open. Another one is set up with the password and a link,
/// which the caller hands over: the password alone may be known to somebody else. Only for whoever may run this program.
///
/// # Errors
/// When there is no such operator.
pub async fn reset_operator_second_factor(
    app: &App,
    operator: OperatorId,
    by: Caretaker,
) -> Result<FactorReset, ManageOperatorError> {
    let mut tx = app.database.system("reset an operator's second factor").await?;
    let account = operator_accounts::find(&mut tx, operator)
        .await?
        .ok_or(ManageOperatorError::Unknown)?;
    // First: whoever is answering one meanwhile is waited for, and what they got ends below.
    operator_credentials::void_challenges(&mut tx, operator).await?;
    let existed = operator_accounts::delete_second_factor(&mut tx, operator).await?;
    let link = operator_enrolment::require(app, &mut tx, operator).await?;
    operator_devices::forget(&mut tx, operator).await?;
    let now = app.clock.now();
    operator_accounts::end_sessions(&mut tx, operator, now).await?;
    user_sessions::end_impersonations(&mut tx, operator, now).await?;
    let act = Act::new("operator.second_factor_reset", by)
        .address(by.address())
        .target(operator);
    audit::record(app, &mut tx, act).await?;
    if existed {
        let message = Message::OperatorSecondFactorReset {
            by: spoken(&mut tx, by).await?,
            at: mail::written(now),
            link: app.settings.operator_link("/operator"),
        };
        let cause = format!("operator_second_factor_reset:{operator}:{}", now.timestamp_micros());
        mail::queue(&mut tx, app, &cause, &account.email_normalized, message).await?;
    }
    tx.commit().await?;
    Ok(FactorReset { existed, link })
}

/// A caretaker as a mail says it.
pub(super) async fn spoken(tx: &mut SystemTx, by: Caretaker) -> Result<String, DatabaseError> {
    Ok(match by {
        Caretaker::Operator { id, .. } => operator_accounts::find(tx, id)
            .await?
            .map_or_else(|| id.to_string(), |caretaker| caretaker.email_normalized),
        Caretaker::CommandLine => "somebody at the command line of the server".to_owned(),
    })
}

/// Whether the change may leave the installation with one admin less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Demotion {
    Yes,
    No,
}

/// Looks at the operator under the lock of all admins, so that what is decided here still holds when it is written.
async fn lock(
    tx: &mut SystemTx,
    operator: OperatorId,
    by: Caretaker,
    demotion: Demotion,
) -> Result<OperatorAccount, ManageOperatorError> {
    let admins = operator_accounts::lock_admins(tx).await?;
    if let Caretaker::Operator { id, .. } = by {
        if !admins.contains(&id) {
            return Err(ManageOperatorError::NotAdmin);
        }
        if id == operator {
            return Err(ManageOperatorError::Yourself);
        }
    }
    let present = operator_accounts::find(tx, operator)
        .await?
        .ok_or(ManageOperatorError::Unknown)?;
    if demotion == Demotion::Yes && admins == [operator] {
        return Err(ManageOperatorError::LastAdmin);
    }
    Ok(present)
}

async fn finish(mut tx: SystemTx, operator: OperatorId) -> Result<OperatorAccount, ManageOperatorError> {
    let now = operator_accounts::find(&mut tx, operator)
        .await?
        .ok_or(ManageOperatorError::Unknown)?;
    tx.commit().await?;
    Ok(now)
}
