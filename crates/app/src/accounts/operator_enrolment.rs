//! An operator whose second factor was taken away sets up another one by a link, beside the password: the password alone
//! may be what somebody else has.

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::ids::OperatorId;
use tenantry_postgres::{SystemTx, accounts::operator_credentials};

use super::OpaqueToken;
use crate::{App, error::Fault};

const VALID_FOR: TimeDelta = TimeDelta::hours(24);

/// A link to be handed to the operator by whoever reset their second factor.
#[derive(Debug)]
pub struct EnrolmentLink {
    /// The link; its token stands behind the `#`, so that no server's log ever sees it.
    pub url: String,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
}

/// Makes a link, in the place of one from before.
pub(super) async fn require(app: &App, tx: &mut SystemTx, operator: OperatorId) -> Result<EnrolmentLink, Fault> {
    let token = OpaqueToken::generate()?;
    let expires_at = app.clock.now() + VALID_FOR;
    operator_credentials::require_enrolment(tx, operator, &token.hash(), expires_at).await?;
    let url = app
        .settings
        .operator_link(&format!("/operator/login#token={}", token.encode().as_str()));
    Ok(EnrolmentLink { url, expires_at })
}

/// Whether the operator may set a second factor up with what they show, if anything.
pub(super) async fn may_enrol(
    app: &App,
    tx: &mut SystemTx,
    operator: OperatorId,
    presented: Option<&OpaqueToken>,
) -> Result<bool, Fault> {
    let hash = presented.map(OpaqueToken::hash);
    Ok(operator_credentials::may_enrol(tx, operator, hash.as_ref(), app.clock.now()).await?)
}
