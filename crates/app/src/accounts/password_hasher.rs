//! Argon2id beside the runtime: on its own threads, a few at a time, so that a burst of sign-ins neither stops other
//! requests nor takes all memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier, phc::PasswordHash},
};
use rand::{TryRng, rngs::SysRng};
use tenantry_domain::accounts::Password;
use tokio::sync::Semaphore;

/// How long a sign-in waits for its turn before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);
const SALT_BYTES: usize = 16;

/// What one hash costs, and how many are made at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordParameters {
    /// Memory of one hash in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Lanes of one hash.
    pub lanes: u32,
    /// Hashes at once; times `memory_kib`, this bounds the memory.
    pub concurrency: usize,
}

impl Default for PasswordParameters {
    /// 19 MiB and two passes, which OWASP recommends, on every core.
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            iterations: 2,
            lanes: 1,
            concurrency: std::thread::available_parallelism().map_or(2, usize::from),
        }
    }
}

/// Why a password could not be hashed or compared. Says nothing about the password.
#[derive(Debug, thiserror::Error)]
pub enum HashingError {
    /// More sign-ins wait than can be served.
    #[error("too many passwords are being checked at once")]
    Busy,
    /// The parameters are outside of what Argon2 allows, or a stored hash is damaged.
    #[error("argon2: {0}")]
    Argon2(String),
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    NoRandomness,
    /// The thread that hashed went away.
    #[error("the hashing thread stopped")]
    Stopped,
}

/// The outcome of comparing a password with a stored hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password, hashed as it would be today.
    Correct,
    /// It is the password, but its hash is cheaper than today's: hash it again while it is known.
    CorrectButWeak,
    /// It is not.
    Wrong,
}

/// The right password, as it was stored when it was compared. By the time that somebody acts on it, it may be another one.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    /// The hash that it was compared with.
    pub(super) stored: String,
    /// What is to be stored from now on, where that hash is cheaper than today's.
    pub(super) stronger: Option<String>,
}

/// Hashes and compares passwords. Cheap to clone; all clones share one limit.
#[derive(Clone)]
pub struct PasswordHasher {
    argon2: Argon2<'static>,
    permits: Arc<Semaphore>,
    /// Compared with when there is no account, so that this takes as long as when there is.
    decoy: Arc<str>,
    /// How often Argon2 has run.
    runs: Arc<AtomicU64>,
}

impl PasswordHasher {
    /// Prepares a hasher; makes one hash, the decoy.
    ///
    /// # Errors
    /// When Argon2 does not allow the parameters.
    pub fn new(parameters: PasswordParameters) -> Result<Self, HashingError> {
        let cost = Params::new(parameters.memory_kib, parameters.iterations, parameters.lanes, None)
            .map_err(|error| HashingError::Argon2(error.to_string()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost);
        let decoy = hash(&argon2, b"nobody's password")?.into();
        let permits = Arc::new(Semaphore::new(parameters.concurrency.max(1)));
        Ok(Self {
            argon2,
            permits,
            decoy,
            runs: Arc::default(),
        })
    }

    /// Hashes a password with a new salt, into the text form that is stored.
    ///
    /// # Errors
    /// When too many wait, or Argon2 fails.
    pub async fn hash(&self, password: Password) -> Result<String, HashingError> {
        self.run(move |argon2| hash(argon2, password.expose().as_bytes())).await
    }

    /// Compares a password with a stored hash, or with none, which takes as long and is always wrong.
    ///
    /// # Errors
    /// When too many wait, or the stored hash is damaged.
    pub async fn verify(&self, password: Password, stored: Option<String>) -> Result<Verdict, HashingError> {
        let decoy = Arc::clone(&self.decoy);
        self.run(move |argon2| {
            let known = stored.is_some();
            let hash = stored.as_deref().unwrap_or(&decoy);
            let parsed = PasswordHash::new(hash).map_err(|error| HashingError::Argon2(error.to_string()))?;
            let matches = argon2.verify_password(password.expose().as_bytes(), &parsed).is_ok();
            Ok(match (known && matches, is_weaker(&parsed, argon2.params())) {
                (false, _) => Verdict::Wrong,
                (true, false) => Verdict::Correct,
                (true, true) => Verdict::CorrectButWeak,
            })
        })
        .await
    }

    /// Compares as [`verify`](Self::verify) does, and hashes a password again that was right and is stored too cheaply;
    /// `None` when it is wrong.
    pub(super) async fn check(
        &self,
        password: Password,
        stored: Option<String>,
    ) -> Result<Option<Verified>, HashingError> {
        let verdict = self.verify(password.clone(), stored.clone()).await?;
        let stronger = match verdict {
            Verdict::Wrong => return Ok(None),
            Verdict::Correct => None,
            Verdict::CorrectButWeak => Some(self.hash(password).await?),
        };
        Ok(stored.map(|stored| Verified { stored, stronger }))
    }

    /// How often Argon2 has run for somebody, over all clones.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> Result<T, HashingError> + Send + 'static,
    ) -> Result<T, HashingError> {
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| HashingError::Busy)?
            .map_err(|_| HashingError::Stopped)?;
        let argon2 = self.argon2.clone();
        self.runs.fetch_add(1, Ordering::Relaxed);
        // The permit goes along: a client that hangs up frees its place only when the hash is done.
        tokio::task::spawn_blocking(move || {
            let result = work(&argon2);
            drop(permit);
            result
        })
        .await
        .map_err(|_| HashingError::Stopped)?
    }
}

impl std::fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordHasher")
            .field("parameters", self.argon2.params())
            .finish_non_exhaustive()
    }
}

fn hash(argon2: &Argon2<'static>, password: &[u8]) -> Result<String, HashingError> {
    let mut salt = [0; SALT_BYTES];
    SysRng
        .try_fill_bytes(&mut salt)
        .map_err(|_| HashingError::NoRandomness)?;
    argon2
        .hash_password_with_salt(password, &salt)
        .map(|hash| hash.to_string())
        .map_err(|error| HashingError::Argon2(error.to_string()))
}

/// Whether the stored hash cost less than one made today would.
fn is_weaker(stored: &PasswordHash, today: &Params) -> bool {
    Params::try_from(stored).map_or(true, |used| {
        used.m_cost() < today.m_cost() || used.t_cost() < today.t_cost() || used.p_cost() < today.p_cost()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher(iterations: u32) -> PasswordHasher {
        PasswordHasher::new(PasswordParameters {
            memory_kib: 64,
            iterations,
            lanes: 1,
            concurrency: 2,
        })
        .unwrap()
    }

    fn password(text: &str) -> Password {
        Password::choose(&text.into()).unwrap()
    }

    #[tokio::test]
    async fn the_right_password_and_only_that_one_is_correct() {
        let hasher = hasher(1);
        let stored = hasher.hash(password("a grey museum cat")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{stored}");
        let verdict = async |text: &str, stored: Option<&str>| {
            hasher.verify(password(text), stored.map(str::to_owned)).await.unwrap()
        };
        assert_eq!(verdict("a grey museum cat", Some(&stored)).await, Verdict::Correct);
        assert_eq!(verdict("a grey museum dog", Some(&stored)).await, Verdict::Wrong);
        assert_eq!(verdict("nobody's password", None).await, Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_cheaper_hash_asks_to_be_made_again() {
        let stored = hasher(1).hash(password("a grey museum cat")).await.unwrap();
        let verdict = hasher(2)
            .verify(password("a grey museum cat"), Some(stored))
            .await
            .unwrap();
        assert_eq!(verdict, Verdict::CorrectButWeak);
    }
}
