//! How long the steps of operations usually take.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tenantry_operations::usual_durations;
use tenantry_postgres::DatabaseError;

use crate::{App, error::Fault};

/// A median of fifty operations hardly moves in less.
const KEPT: Duration = Duration::from_secs(60);

/// By the name of the step.
pub(super) type Medians = HashMap<String, Duration>;

/// The medians of each kind of operation, looked up at most once a minute: they span organizations, so they are read in
/// the system's scope, and every look at an operation shows them.
#[derive(Debug, Default)]
pub(crate) struct UsualDurations(Mutex<HashMap<String, (Instant, Arc<Medians>)>>);

impl UsualDurations {
    /// Of this kind.
    pub(super) async fn of(&self, app: &App, kind: &str) -> Result<Arc<Medians>, Fault> {
        if let Some(medians) = self.remembered(kind) {
            return Ok(medians);
        }
        let mut tx = app
            .database
            .read_system("how long steps take, over all organizations")
            .await?;
        let found = usual_durations(tx.connection(), kind)
            .await
            .map_err(DatabaseError::from)?;
        tx.commit().await?;
        let medians: Arc<Medians> = Arc::new(found.into_iter().map(|usual| (usual.step, usual.median)).collect());
        self.lock()
            .insert(kind.to_owned(), (Instant::now(), Arc::clone(&medians)));
        Ok(medians)
    }

    fn remembered(&self, kind: &str) -> Option<Arc<Medians>> {
        let known = self.lock();
        let (at, medians) = known.get(kind)?;
        (at.elapsed() < KEPT).then(|| Arc::clone(medians))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Instant, Arc<Medians>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
