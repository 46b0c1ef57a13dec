//! Signed ends of chains, kept where whoever may change the database has no say: a chain that once ended so may only grow.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    audit::{Chain, ChainHash, Head, StatementKind, statement},
    ids::InstallationId,
};
use tenantry_postgres::{DatabaseError, audit::chains};

use super::log_key::LogKey;
use crate::{App, error::Fault, sealing::SealingError};

/// Chains that are signed in one transaction.
const BATCH: u16 = 1_000;

/// Why checkpoints could not be written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The ledger, or the key.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The file.
    #[error("checkpoints of the audit log cannot be written to {path}: {source}")]
    Unwritable {
        /// Which.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
}

impl From<DatabaseError> for CheckpointError {
    fn from(error: DatabaseError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<SealingError> for CheckpointError {
    fn from(error: SealingError) -> Self {
        Self::Fault(error.into())
    }
}

/// The end of a chain at one time, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Of which installation.
    pub installation: InstallationId,
    /// Which chain.
    pub chain: Chain,
    /// The number of its last row.
    pub seq: i64,
    /// That row's hash.
    pub hash: ChainHash,
    /// When.
    pub at: DateTime<Utc>,
    /// The public half of the key, so that others can verify what they have once made sure of. Ed25519, base64.
    pub key: String,
    /// Ed25519, base64.
    pub signature: String,
}

/// A line of a file, or of a log.
#[derive(Serialize, Deserialize)]
struct Line {
    audit_checkpoint: Checkpoint,
}

impl Checkpoint {
    fn sign(key: &LogKey, installation: InstallationId, head: Head, at: DateTime<Utc>) -> Self {
        let signature = key.sign(&statement(StatementKind::Checkpoint, installation, &head, at));
        Self {
            installation,
            chain: head.chain,
            seq: head.seq,
            hash: head.hash,
            at,
            key: key.public(),
            signature: BASE64.encode(signature),
        }
    }

    /// What it vouches for.
    #[must_use]
    pub fn head(&self) -> Head {
        Head {
            chain: self.chain,
            seq: self.seq,
            hash: self.hash,
        }
    }

    /// Whether this installation signed it as it stands.
    pub(super) fn is_signed_by(&self, key: &LogKey, installation: InstallationId) -> bool {
        let said = statement(StatementKind::Checkpoint, self.installation, &self.head(), self.at);
        self.installation == installation
            && BASE64
                .decode(&self.signature)
                .is_ok_and(|signature| key.has_signed(&said, &signature))
    }

    /// From a line of a file or of a log; none for a line about something else, or one that was cut short.
    #[must_use]
    pub fn from_line(line: &str) -> Option<Self> {
        let line: Line = serde_json::from_str(line).ok()?;
        Some(line.audit_checkpoint)
    }

    fn to_line(&self) -> Result<String, Fault> {
        Ok(serde_json::to_string(&Line {
            audit_checkpoint: self.clone(),
        })?)
    }
}

/// Where checkpoints go.
#[derive(Debug, Clone)]
pub struct CheckpointLog {
    path: Option<PathBuf>,
    announce: fn(&str),
}

impl CheckpointLog {
    /// To a file, or into a directory (a file a day), where one is given; and each line to `announce`.
    #[must_use]
    pub fn new(path: Option<PathBuf>, announce: fn(&str)) -> Self {
        Self { path, announce }
    }

    /// Returns when the lines are on disk.
    async fn append(&self, lines: Vec<String>, at: DateTime<Utc>) -> Result<(), CheckpointError> {
        let path = self.path.as_deref().map(|path| file_for(path, at));
        let announce = self.announce;
        let written = tokio::task::spawn_blocking(move || {
            if let Some(path) = &path {
                append_to(path, &lines).map_err(|source| CheckpointError::Unwritable {
                    path: path.display().to_string(),
                    source,
                })?;
            }
            lines.iter().for_each(|line| announce(line));
            Ok(())
        });
        written.await.map_err(|_| Fault::Stopping)?
    }
}

fn file_for(path: &Path, at: DateTime<Utc>) -> PathBuf {
    if path.is_dir() {
        path.join(format!("audit-checkpoints-{}.jsonl", at.format("%Y-%m-%d")))
    } else {
        path.to_owned()
    }
}

fn append_to(path: &Path, lines: &[String]) -> io::Result<()> {
    let is_new = !path.exists();
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    let mut text = lines.join("\n") + "\n";
    if ends_within_a_line(&mut file)? {
        // Whoever wrote last was cut short: that line is lost, the next one is not.
        text.insert(0, '\n');
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    if is_new && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn ends_within_a_line(file: &mut File) -> io::Result<bool> {
    // Not every file has an end to look at.
    if !file.metadata()?.is_file() || file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Signs the end of every chain that has grown since it was signed last; returns how many those were. Nothing while another
/// server is at it. What could not be written is signed again the next time.
///
/// # Errors
/// The ledger's, and the file's.
pub async fn write_checkpoints(app: &App, log: &CheckpointLog) -> Result<u64, CheckpointError> {
    let key = LogKey::of(app)?;
    let mut signed = 0;
    loop {
        let batch = write_batch(app, &key, log).await?;
        signed += batch as u64;
        if batch < usize::from(BATCH) {
            return Ok(signed);
        }
    }
}

async fn write_batch(app: &App, key: &LogKey, log: &CheckpointLog) -> Result<usize, CheckpointError> {
    let mut tx = app.database.system("sign the ends of the audit log").await?;
    let heads = if chains::take_turn_to_sign(&mut tx).await? {
        chains::list_unsigned(&mut tx, BATCH.into()).await?
    } else {
        Vec::new()
    };
    if heads.is_empty() {
        tx.rollback().await?;
        return Ok(0);
    }
    let at = app.clock.now().trunc_subsecs(6);
    let lines = heads
        .iter()
        .map(|head| Checkpoint::sign(key, app.settings.installation, *head, at).to_line())
        .collect::<Result<Vec<_>, _>>()?;
    if let Err(error) = log.append(lines, at).await {
        tx.rollback().await?;
        return Err(error);
    }
    chains::mark_signed(&mut tx, &heads).await?;
    tx.commit().await?;
    Ok(heads.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(numbers: &[u8]) -> Vec<String> {
        numbers.iter().map(u8::to_string).collect()
    }

    #[test]
    fn lines_are_appended_and_a_torn_one_costs_itself_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints");
        append_to(&path, &lines(&[1, 2])).unwrap();
        append_to(&path, &lines(&[3])).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n2\n3\n");
        std::fs::write(&path, "1\n2\nto").unwrap();
        append_to(&path, &lines(&[3])).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n2\nto\n3\n");
    }

    #[test]
    fn a_directory_gets_a_file_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let at = DateTime::UNIX_EPOCH;
        let expected = folder.path().join("audit-checkpoints-1970-01-01.jsonl");
        assert_eq!(file_for(folder.path(), at), expected);
        assert_eq!(file_for(&expected, at), expected);
    }
}
