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
use zeroize::Zeroizing;

/// How long a sign-in waits for its turn before it is told to come back.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
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
    today: Today,
    permits: Arc<Semaphore>,
    /// Compared with when there is no account, so that this takes as long as when there is.
    decoy: Arc<str>,
}

impl PasswordHasher {
    /// Prepares a hasher; makes one hash, the decoy.
    ///
    /// # Errors
    /// When Argon2 does not allow the parameters.
    pub fn new(parameters: PasswordParameters) -> Result<Self, HashingError> {
        let cost =
            Params::new(parameters.memory_kib, parameters.iterations, parameters.lanes, None).map_err(argon2_error)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost);
        let today = Today {
            argon2,
            effort: Arc::default(),
        };
        Ok(Self {
            decoy: today.hash(b"nobody's password")?.into(),
            permits: Arc::new(Semaphore::new(parameters.concurrency.max(1))),
            today,
        })
    }

    /// Hashes a password with a new salt, into the text form that is stored.
    ///
    /// # Errors
    /// When too many wait, or Argon2 fails.
    pub async fn hash(&self, password: Password) -> Result<String, HashingError> {
        self.run(move |today| today.hash(password.expose().as_bytes())).await
    }

    /// Compares a password with a stored hash, or with none, which is always wrong. Every wrong password takes as long,
    /// whether there is a hash and at whatever former price it was made.
    ///
    /// # Errors
    /// When too many wait, or the stored hash is damaged.
    pub async fn verify(&self, password: Password, stored: Option<String>) -> Result<Verdict, HashingError> {
        let decoy = Arc::clone(&self.decoy);
        self.run(move |today| today.compare(&password, stored.as_deref(), &decoy))
            .await
    }

    /// Compares as [`verify`](Self::verify) does, and hashes a password again that was right and is stored too cheaply;
    /// `None` when it is wrong.
    pub(super) async fn check(
        &self,
        password: Password,
        stored: Option<String>,
    ) -> Result<Option<Verified>, HashingError> {
        let decoy = Arc::clone(&self.decoy);
        self.run(move |today| {
            let stronger = match today.compare(&password, stored.as_deref(), &decoy)? {
                Verdict::Wrong => return Ok(None),
                Verdict::Correct => None,
                Verdict::CorrectButWeak => Some(today.hash(password.expose().as_bytes())?),
            };
            Ok(stored.map(|stored| Verified { stored, stronger }))
        })
        .await
    }

    /// How often Argon2 has run, over all clones.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.today.effort.runs.load(Ordering::Relaxed)
    }

    /// How many KiB Argon2 has written, over all clones and passes: what its runs have cost.
    #[must_use]
    pub fn written_kib(&self) -> u64 {
        self.today.effort.written_kib.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Today) -> Result<T, HashingError> + Send + 'static,
    ) -> Result<T, HashingError> {
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| HashingError::Busy)?
            .map_err(|_| HashingError::Stopped)?;
        let today = self.today.clone();
        // The permit goes along: a client that hangs up frees its place only when the hash is done.
        tokio::task::spawn_blocking(move || {
            let result = work(&today);
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
            .field("parameters", self.today.argon2.params())
            .finish_non_exhaustive()
    }
}

/// Argon2 at today's price.
#[derive(Clone)]
struct Today {
    argon2: Argon2<'static>,
    effort: Arc<Effort>,
}

/// What was done so far.
#[derive(Default)]
struct Effort {
    runs: AtomicU64,
    written_kib: AtomicU64,
}

impl Effort {
    fn count(&self, written_kib: u64) {
        self.runs.fetch_add(1, Ordering::Relaxed);
        self.written_kib.fetch_add(written_kib, Ordering::Relaxed);
    }
}

impl Today {
    fn hash(&self, password: &[u8]) -> Result<String, HashingError> {
        let mut salt = [0; SALT_BYTES];
        SysRng
            .try_fill_bytes(&mut salt)
            .map_err(|_| HashingError::NoRandomness)?;
        self.effort.count(price(self.argon2.params()));
        self.argon2
            .hash_password_with_salt(password, &salt)
            .map(|hash| hash.to_string())
            .map_err(argon2_error)
    }

    fn compare(&self, password: &Password, stored: Option<&str>, decoy: &str) -> Result<Verdict, HashingError> {
        let password = password.expose().as_bytes();
        let parsed = PasswordHash::new(stored.unwrap_or(decoy)).map_err(argon2_error)?;
        let used = Params::try_from(&parsed).ok();
        // A hash without a price is none of Argon2's, and matches nothing.
        let paid = used.as_ref().map_or(0, price);
        if paid > 0 {
            self.effort.count(paid);
        }
        let matches = self.argon2.verify_password(password, &parsed).is_ok();
        if stored.is_none() || !matches {
            self.make_up(password, paid)?;
            return Ok(Verdict::Wrong);
        }
        Ok(if used.is_none_or(|used| is_weaker(&used, self.argon2.params())) {
            Verdict::CorrectButWeak
        } else {
            Verdict::Correct
        })
    }

    /// Pays what today's hash costs beyond what was paid: how long a wrong password takes tells nobody that there is an
    /// account, with a hash from when they were cheaper. Takes no more memory than today's hash does.
    fn make_up(&self, password: &[u8], paid: u64) -> Result<(), HashingError> {
        let missing = price(self.argon2.params()).saturating_sub(paid);
        let passes = missing.div_ceil(u64::from(self.argon2.params().m_cost()));
        let memory = missing.checked_div(passes).unwrap_or_default();
        let (Ok(memory), Ok(passes)) = (u32::try_from(memory), u32::try_from(passes)) else {
            return Ok(());
        };
        if memory < Params::MIN_M_COST {
            // Less than Argon2 can write at all.
            return Ok(());
        }
        let rest = Params::new(memory, passes, 1, None).map_err(argon2_error)?;
        self.effort.count(price(&rest));
        let mut unused = Zeroizing::new([0; Params::DEFAULT_OUTPUT_LEN]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, rest)
            .hash_password_into(password, &[0; SALT_BYTES], unused.as_mut_slice())
            .map_err(argon2_error)
    }
}

/// KiB that one run writes.
fn price(cost: &Params) -> u64 {
    u64::from(cost.m_cost()) * u64::from(cost.t_cost())
}

/// Whether a hash cost less than one made today would.
fn is_weaker(used: &Params, today: &Params) -> bool {
    used.m_cost() < today.m_cost() || used.t_cost() < today.t_cost() || used.p_cost() < today.p_cost()
}

fn argon2_error(error: impl std::fmt::Display) -> HashingError {
    HashingError::Argon2(error.to_string())
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

    /// What it costs to compare a wrong password with this hash, or with none.
    async fn price_of_wrong(hasher: &PasswordHasher, stored: Option<String>) -> u64 {
        let before = hasher.written_kib();
        let verdict = hasher.verify(password("a grey museum dog"), stored).await.unwrap();
        assert_eq!(verdict, Verdict::Wrong);
        hasher.written_kib() - before
    }

    #[tokio::test]
    async fn a_wrong_password_costs_the_same_whatever_it_is_compared_with() {
        let today = hasher(3);
        let nobody = price_of_wrong(&today, None).await;
        assert_eq!(nobody, 3 * 64);
        for (memory_kib, iterations, lanes) in [(64, 3, 1), (64, 1, 1), (32, 1, 1), (32, 2, 2), (16, 4, 1), (8, 1, 1)] {
            let former = PasswordHasher::new(PasswordParameters {
                memory_kib,
                iterations,
                lanes,
                concurrency: 1,
            });
            let stored = former.unwrap().hash(password("a grey museum cat")).await.unwrap();
            let price = price_of_wrong(&today, Some(stored.clone())).await;
            // Each pass is of whole KiB.
            assert!(nobody.abs_diff(price) < 3, "{price} KiB for {stored}");
        }
    }
}
