//! A product signs its person out here, too.

use tenantry_domain::{
    accounts::session::USER_SESSIONS,
    ids::{SessionId, UserId},
};
use tenantry_postgres::accounts::sessions;

use super::{
    super::{
        Visitor,
        tokens::{TokenType, check_signature},
    },
    redeem::IdClaims,
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// What an ID token that a product once got says about whom it wants to sign out. It may have expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutHint {
    /// The product.
    pub client_id: String,
    /// The session.
    pub session: SessionId,
    /// Whose.
    pub user: UserId,
}

/// Reads an ID token as a hint; `None` when it is not one of ours, is older than any session may be, or names one that is
/// not known any more: it has been lying about somewhere.
///
/// # Errors
/// The ledger's.
pub async fn read_hint(app: &App, id_token: &str) -> Result<Option<LogoutHint>, Fault> {
    let claims: Option<IdClaims> = check_signature(app, TokenType::Id, None, id_token).await?;
    let oldest = (app.clock.now() - USER_SESSIONS.absolute).timestamp();
    let Some(claims) = claims.filter(|claims| claims.iat >= oldest) else {
        return Ok(None);
    };
    let mut tx = app
        .database
        .read_system("a product's ID token says which session")
        .await?;
    let is_known = sessions::exists(&mut tx, claims.sub, claims.sid).await?;
    tx.commit().await?;
    Ok(is_known.then_some(LogoutHint {
        client_id: claims.aud,
        session: claims.sid,
        user: claims.sub,
    }))
}

/// Ends the session that a hint names, if it has not ended yet. Having the hint is proof enough: nobody but the product
/// got it.
///
/// # Errors
/// The ledger's.
pub async fn end_hinted_session(app: &App, hint: &LogoutHint, visitor: &Visitor) -> Result<(), Fault> {
    let mut tx = app.database.system("a product ends a session").await?;
    if sessions::end(&mut tx, hint.session, app.clock.now()).await? {
        let act = Act::new("session.ended", &hint.client_id)
            .user(hint.user)
            .address(visitor.address)
            .target(hint.session);
        audit::record(app, &mut tx, act).await?;
    }
    Ok(tx.commit().await?)
}
