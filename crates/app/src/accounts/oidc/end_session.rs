//! A product signs its person out here, too.

use tenantry_domain::ids::{SessionId, UserId};
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

/// Reads an ID token as a hint; `None` when it is not one of ours.
///
/// # Errors
/// The ledger's.
pub async fn read_hint(app: &App, id_token: &str) -> Result<Option<LogoutHint>, Fault> {
    let claims: Option<IdClaims> = check_signature(app, TokenType::Id, None, id_token).await?;
    Ok(claims.map(|claims| LogoutHint {
        client_id: claims.aud,
        session: claims.sid,
        user: claims.sub,
    }))
}

/// Ends the session that a hint names. Having the hint is proof enough: nobody but the product got it.
///
/// # Errors
/// The ledger's.
pub async fn end_hinted_session(app: &App, hint: &LogoutHint, visitor: &Visitor) -> Result<(), Fault> {
    let mut tx = app.database.system("a product ends a session").await?;
    sessions::end(&mut tx, hint.session, app.clock.now()).await?;
    let act = Act::new("session.ended", &hint.client_id)
        .user(hint.user)
        .address(visitor.address)
        .target(hint.session);
    audit::record(app, &mut tx, act).await?;
    Ok(tx.commit().await?)
}
