//! What a caller was let in by, for answers that outlast the moment in which that was looked at.

use std::future::Future;

use tenantry_app::{error::Fault, provisioning::Reader};
use tenantry_domain::ids::SessionId;

use crate::AppState;

/// A session and what it allows. Sessions end and memberships change, so whoever goes on answering asks again.
pub(crate) trait Authority: Send + Sync + 'static {
    /// As whom its holder reads.
    fn reader(&self) -> Reader;

    /// The session.
    fn session(&self) -> SessionId;

    /// Whether the session lives, and still allows what it allowed at first.
    fn still_holds(&self, state: &AppState) -> impl Future<Output = Result<bool, Fault>> + Send;
}
