//! Acts that cannot be taken back ask that their person has proved who they are not long ago.

use tenantry_domain::accounts::session::PROOF_LASTS;

use super::UserSession;
use crate::App;

/// The last proof is too old: the same act may be tried again after another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the person behind this session has to prove again who they are")]
pub struct StepUpRequired;

/// Refuses when the person behind the session last proved more than ten minutes ago who they are.
///
/// # Errors
/// When the proof is too old.
pub fn require_recent_proof(app: &App, session: &UserSession) -> Result<(), StepUpRequired> {
    if app.clock.now() - session.proved_at > PROOF_LASTS {
        Err(StepUpRequired)
    } else {
        Ok(())
    }
}
