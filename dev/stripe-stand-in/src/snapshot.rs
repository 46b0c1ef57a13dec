//! Keeps the state in a file, so that it survives a restart.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::state::{Shared, State};

/// How soon after a change the file is written, at best.
const WRITE_AFTER: Duration = Duration::from_millis(100);
/// Writing takes at most one part in so many of the time.
const REST_FACTOR: u32 = 10;

/// Why a state file could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    #[error("cannot read the state file {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the state file {path} is not one that this program wrote ({source}); delete it to start afresh")]
    Parse { path: PathBuf, source: serde_json::Error },
    #[error("cannot write the state file {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
}

/// The state in a file; an empty one where there is no file yet.
pub(crate) fn load(path: &Path) -> Result<State, SnapshotError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(State::default()),
        Err(source) => {
            return Err(SnapshotError::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    let mut state: State = serde_json::from_slice(&text).map_err(|source| SnapshotError::Parse {
        path: path.to_owned(),
        source,
    })?;
    state.store.rebuild_indexes();
    state.outbox.rebuild();
    Ok(state)
}

/// Writes the state beside the file, then moves it into place: the file is whole at any instant.
pub(crate) fn save(shared: &Shared, path: &Path) -> Result<(), SnapshotError> {
    let text = {
        let state = shared.lock();
        serde_json::to_vec(&*state)
    };
    let failed = |source| SnapshotError::Write {
        path: path.to_owned(),
        source,
    };
    let text = text.map_err(|error| failed(error.into()))?;
    let beside = path.with_extension("writing");
    std::fs::write(&beside, text).map_err(failed)?;
    std::fs::rename(&beside, path).map_err(failed)
}

/// Writes the file soon after each change, until the program ends.
pub(crate) async fn keep(shared: Shared, path: PathBuf) {
    let mut written = shared.lock().revision;
    loop {
        tokio::time::sleep(WRITE_AFTER).await;
        let revision = shared.lock().revision;
        if revision == written {
            continue;
        }
        let started = Instant::now();
        let (shared, path) = (shared.clone(), path.clone());
        match tokio::task::spawn_blocking(move || save(&shared, &path)).await {
            Ok(Ok(())) => written = revision,
            Ok(Err(error)) => tracing::warn!(%error, "the state is not kept"),
            Err(error) => tracing::warn!(%error, "the state is not kept"),
        }
        tokio::time::sleep(started.elapsed() * REST_FACTOR).await;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{load, save};
    use crate::state::{Shared, State};
    use crate::store::Kind;

    #[test]
    fn a_state_survives_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let mut state = load(&path).unwrap();
        state.clock.advance(60);
        state.create(
            Kind::Customer,
            json!({"id": "cus_1", "object": "customer"}),
            Value::Null,
        );
        state.idempotency.save("k", "POST", "req_1", 200, "{}", 1);
        save(&Shared::new(state), &path).unwrap();

        let copy: State = load(&path).unwrap();
        assert_eq!(copy.clock.offset_secs(), 60);
        assert!(copy.get(Kind::Customer, "cus_1").is_ok());
        assert!(copy.idempotency.look_up("k", "POST", 2).is_ok());
        std::fs::write(&path, "no json").unwrap();
        assert!(load(&path).unwrap_err().to_string().contains("delete it"));
    }
}
