//! The first operator of an installation, made by a link that only whoever starts the server can read.
//!
//! Every start makes a link of its own, and all of them work: replicas that start together need not agree on one. As
//! soon as there is an operator, none works any more.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tenantry_domain::{
    accounts::{Email, OperatorRole, Password},
    ids::OperatorId,
};
use tenantry_postgres::accounts::{
    first_operator::{self, LinkState},
    operator_accounts,
};

use super::{
    OpaqueToken, Strength, Visitor,
    operators::{self, NewOperator},
    strength::estimate,
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

const VALID_FOR: TimeDelta = TimeDelta::hours(24);

/// A link to be shown once to whoever runs the installation.
#[derive(Debug)]
pub struct FirstOperatorLink {
    /// The link; its token stands behind the `#`, so that no server's log ever sees it.
    pub url: String,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
}

/// Why no first operator is made.
#[derive(Debug, thiserror::Error)]
pub enum FirstOperatorError {
    /// The link was used, is too old, or there is an operator by now.
    #[error("the link was used or is too old")]
    Expired,
    /// There never was such a link.
    #[error("the link is unknown")]
    Unknown,
    /// The password is guessed too soon.
    #[error("the password is too weak")]
    WeakPassword(Strength),
    /// Not the visitor's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<tenantry_postgres::DatabaseError> for FirstOperatorError {
    fn from(error: tenantry_postgres::DatabaseError) -> Self {
        Self::Fault(error.into())
    }
}

/// Whether there is no operator yet: nobody can look after this installation.
///
/// # Errors
/// The database's.
pub async fn has_no_operator(app: &App) -> Result<bool, Fault> {
    let mut tx = app.database.read_system("whether there is an operator").await?;
    Ok(!operator_accounts::any(&mut tx).await?)
}

/// A new link, unless there is an operator already. `actor` is who asks for it.
///
/// # Errors
/// The database's.
pub async fn first_operator_link(app: &App, actor: &str) -> Result<Option<FirstOperatorLink>, Fault> {
    let mut tx = app.database.system("a link for the first operator").await?;
    if operator_accounts::any(&mut tx).await? {
        return Ok(None);
    }
    let token = OpaqueToken::generate()?;
    let now = app.clock.now();
    let expires_at = now + VALID_FOR;
    first_operator::insert_link(&mut tx, &token.hash(), now, expires_at).await?;
    let act = Act::new("first_operator.link_made", actor).body(json!({ "expires_at": expires_at }));
    audit::record(app, &mut tx, act).await?;
    tx.commit().await?;
    let url = app
        .settings
        .operator_link(&format!("/operator/first#token={}", token.encode().as_str()));
    Ok(Some(FirstOperatorLink { url, expires_at }))
}

/// Makes the first operator, an admin.
///
/// # Errors
/// When the link does not work or the password is weak; the link then stays as it is.
pub async fn create_first_operator(
    app: &App,
    token: &OpaqueToken,
    email: &Email,
    password: Password,
    visitor: &Visitor,
) -> Result<OperatorId, FirstOperatorError> {
    let hash = token.hash();
    let mut tx = app.database.read_system("look at a first operator's link").await?;
    usable(first_operator::link_state(&mut tx, &hash, app.clock.now()).await?)?;
    tx.rollback().await?;

    let strength = estimate(app, password.expose(), &[email.as_str()])
        .await
        .map_err(Fault::from)?;
    if !strength.acceptable {
        return Err(FirstOperatorError::WeakPassword(strength));
    }
    // Only whoever holds a link gets here, and no connection is held meanwhile.
    let password_hash = app.passwords.hash(password).await.map_err(Fault::from)?;

    let mut tx = app.database.system("make the first operator").await?;
    first_operator::lock(&mut tx).await?;
    usable(first_operator::link_state(&mut tx, &hash, app.clock.now()).await?)?;
    if operator_accounts::any(&mut tx).await? {
        return Err(FirstOperatorError::Expired);
    }
    let operator = NewOperator {
        email,
        password_hash: &password_hash,
        role: OperatorRole::Admin,
        actor: "first operator's link",
        address: visitor.address,
    };
    let id = operators::insert(app, &mut tx, &operator)
        .await?
        .ok_or(FirstOperatorError::Expired)?;
    first_operator::spend_links(&mut tx, app.clock.now()).await?;
    tx.commit().await?;
    Ok(id)
}

fn usable(state: LinkState) -> Result<(), FirstOperatorError> {
    match state {
        LinkState::Usable => Ok(()),
        LinkState::Spent => Err(FirstOperatorError::Expired),
        LinkState::Unknown => Err(FirstOperatorError::Unknown),
    }
}
