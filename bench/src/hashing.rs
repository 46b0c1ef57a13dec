//! What the machine can do at most: Argon2id on all cores and nothing else, with the parameters that the server hashes
//! with, by the library that it uses.

use std::{
    thread,
    time::{Duration, Instant},
};

use argon2::{
    Argon2, Params,
    password_hash::{PasswordVerifier, phc::PasswordHash},
};
use serde::Serialize;

use crate::text;

/// What one hash costs.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Cost {
    pub memory_kib: u32,
    pub iterations: u32,
    pub lanes: u32,
    /// One for each core, as the server does it unless it is told otherwise.
    pub at_once: usize,
}

impl Cost {
    /// As a stored hash says.
    pub fn of(stored: &str) -> Result<Self, String> {
        let stored = PasswordHash::new(stored).map_err(text)?;
        let used = Params::try_from(&stored).map_err(text)?;
        Ok(Self {
            memory_kib: used.m_cost(),
            iterations: used.t_cost(),
            lanes: used.p_cost(),
            at_once: thread::available_parallelism().map_or(1, usize::from),
        })
    }
}

/// How often a second a password is compared with its stored hash, by so many threads at once.
pub async fn measure(password: &str, stored: &str, at_once: usize, span: Duration) -> Result<f64, String> {
    let begun = Instant::now();
    let threads: Vec<_> = (0..at_once)
        .map(|_| {
            let (password, stored) = (password.to_owned(), stored.to_owned());
            tokio::task::spawn_blocking(move || compare_until(begun + span, &password, &stored))
        })
        .collect();
    let mut count = 0;
    for thread in threads {
        count += thread.await.map_err(text)??;
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}

fn compare_until(end: Instant, password: &str, stored: &str) -> Result<u32, String> {
    let stored = PasswordHash::new(stored).map_err(text)?;
    let mut count = 0;
    while Instant::now() < end {
        // With the parameters of the stored hash.
        PasswordVerifier::<PasswordHash>::verify_password(&Argon2::default(), password.as_bytes(), &stored)
            .map_err(text)?;
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    use argon2::{Algorithm, Version, password_hash::PasswordHasher};

    #[tokio::test]
    async fn parameters_are_those_of_the_stored_hash() {
        let cheap = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(64, 1, 1, None).unwrap(),
        );
        let stored = cheap.hash_password_with_salt(b"a grey museum cat", b"sixteen bytes ok");
        let stored = stored.unwrap().to_string();
        let cost = Cost::of(&stored).unwrap();
        assert_eq!((cost.memory_kib, cost.iterations, cost.lanes), (64, 1, 1));
        let span = Duration::from_millis(20);
        assert!(measure("a grey museum cat", &stored, 1, span).await.unwrap() > 0.0);
        assert!(measure("a grey museum dog", &stored, 1, span).await.is_err());
    }
}
