//! Dying on purpose, at a chosen point of an operation: how tests prove that `kill -9` at any instant is survived.
//!
//! `TENANTRY_KILL_AT=provision/quota/do/effect` ends the process, without any clean-up, when it first gets there.
//! Nobody sets it but a test; when it is set, the server says so at start. A release build has none of this, unless it is
//! built with the feature `fault-injection`.

use std::sync::Arc;

use tenantry_operations::{Phase, Point, Probe};

const VARIABLE: &str = "TENANTRY_KILL_AT";

struct KillAt(String);

#[async_trait::async_trait]
impl Probe for KillAt {
    async fn at(&self, point: Point<'_>) {
        if described(&point) == self.0 {
            // Not an orderly exit: nothing is flushed, nothing is released.
            std::process::abort();
        }
    }
}

fn described(point: &Point<'_>) -> String {
    let phase = match point.phase {
        Phase::Do => "do",
        Phase::Undo => "undo",
    };
    let moment = point.moment.as_str();
    format!("{}/{}/{phase}/{moment}", point.kind, point.step)
}

/// The probe that the environment asks for; normally none.
pub fn from_environment() -> Option<Arc<dyn Probe>> {
    let point = std::env::var(VARIABLE).ok().filter(|point| !point.is_empty())?;
    tracing::warn!(point, "will end abruptly at this point of an operation, for a test");
    Some(Arc::new(KillAt(point)))
}
