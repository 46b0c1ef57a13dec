//! How soon a password is guessed, and what would make it better. Estimates are made beside the runtime and beside
//! hashing, a few at a time, of no more text than matters.

use std::{net::IpAddr, sync::Arc};

use tenantry_domain::accounts::{
    Allowance,
    password::{MAX_BYTES, MIN_CHARS},
    rate::ESTIMATES_PER_NETWORK,
};
use zeroize::Zeroizing;
use zxcvbn::{Score, zxcvbn};

use super::{
    HashingError,
    password_hasher::PATIENCE,
    request_rate,
    throttle::{network, subject},
};
use crate::{App, error::Fault};

/// Characters that are looked at: the estimate's cost grows with the square of the length, and nobody's hundredth
/// character decides.
const ESTIMATED_CHARS: usize = 100;
/// Fewer letters and digits beside one's own names add nothing.
const LEFT_CHARS: usize = 5;
/// Names and addresses that are looked at, and characters of each.
const INPUTS: usize = 10;
const INPUT_CHARS: usize = 100;

/// An estimate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strength {
    /// From 0 (guessed at once) to 4.
    pub score: u8,
    /// Whether it may be chosen.
    pub acceptable: bool,
    /// What is wrong with it and what would help, in sentences.
    pub reasons: Vec<String>,
}

/// Why nothing is estimated.
#[derive(Debug, thiserror::Error)]
pub enum EstimateError {
    /// Too much was asked from this network.
    #[error("too many passwords were estimated")]
    TooManyRequests(Allowance),
    /// Not the visitor's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<HashingError> for EstimateError {
    fn from(error: HashingError) -> Self {
        Self::Fault(error.into())
    }
}

/// Estimates a password for whoever asks; `inputs` are words that whoever guesses would try first: names, addresses. Returns
/// how many more may be asked for.
///
/// # Errors
/// When too much is asked from this network.
pub async fn password_strength(
    app: &App,
    password: &str,
    inputs: &[&str],
    address: Option<IpAddr>,
) -> Result<(Strength, Allowance), EstimateError> {
    let left = match address {
        Some(address) => admit(app, address).await?,
        None => ESTIMATES_PER_NETWORK.untouched(),
    };
    // Kept until the estimate is made: however many ask, people who sign up or reset a password find a place.
    let _turn = tokio::time::timeout(PATIENCE, app.estimating_for_anybody().acquire())
        .await
        .map_err(|_| HashingError::Busy)?
        .map_err(|_| HashingError::Stopped)?;
    Ok((estimate(app, password, inputs).await?, left))
}

async fn admit(app: &App, address: IpAddr) -> Result<Allowance, EstimateError> {
    let subject = subject(app, &["password strength", "network", &network(address)])?;
    let mut tx = app
        .database
        .system("count estimates: nobody is signed in yet")
        .await
        .map_err(Fault::from)?;
    let left = request_rate::admit(app, &mut tx, &subject, ESTIMATES_PER_NETWORK)
        .await?
        .map_err(EstimateError::TooManyRequests)?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(left)
}

/// The same for somebody who is counted otherwise.
pub(super) async fn estimate(app: &App, password: &str, inputs: &[&str]) -> Result<Strength, HashingError> {
    let asked = Asked::new(password, inputs);
    let permit = tokio::time::timeout(PATIENCE, Arc::clone(app.estimating()).acquire_owned())
        .await
        .map_err(|_| HashingError::Busy)?
        .map_err(|_| HashingError::Stopped)?;
    tokio::task::spawn_blocking(move || {
        let strength = asked.estimate();
        drop(permit);
        strength
    })
    .await
    .map_err(|_| HashingError::Stopped)
}

/// As much of a password and of its person's names as is looked at.
struct Asked {
    /// Never longer than a password may be.
    password: Zeroizing<String>,
    is_short_enough: bool,
    inputs: Vec<String>,
}

impl Asked {
    fn new(password: &str, inputs: &[&str]) -> Self {
        Self {
            password: Zeroizing::new(password[..password.floor_char_boundary(MAX_BYTES)].to_owned()),
            is_short_enough: password.len() <= MAX_BYTES,
            inputs: inputs
                .iter()
                .take(INPUTS)
                .map(|input| input.chars().take(INPUT_CHARS).collect())
                .collect(),
        }
    }

    fn estimate(&self) -> Strength {
        let inputs: Vec<&str> = self.inputs.iter().map(String::as_str).collect();
        judge(&self.password, self.is_short_enough, &inputs)
    }
}

fn judge(password: &str, short_enough: bool, inputs: &[&str]) -> Strength {
    let looked_at = Zeroizing::new(password.chars().take(ESTIMATED_CHARS).collect::<String>());
    let words: Vec<&str> = inputs
        .iter()
        .flat_map(|input| input.split(|letter: char| !letter.is_alphanumeric()).chain([*input]))
        .filter(|word| word.len() > 2)
        .collect();
    let estimate = zxcvbn(&looked_at, &words);
    let mut reasons = Vec::new();
    let long_enough = password.chars().count() >= MIN_CHARS;
    if !long_enough {
        reasons.push(format!("Use at least {MIN_CHARS} characters."));
    }
    if !short_enough {
        reasons.push(format!("Use at most {MAX_BYTES} bytes."));
    }
    let says_more = !consists_of(password, &words);
    if !says_more {
        reasons.push("Use something else than your own names and addresses.".to_owned());
    }
    let strong = estimate.score() >= Score::Three;
    if !strong {
        if let Some(feedback) = estimate.feedback() {
            reasons.extend(feedback.warning().map(|warning| warning.to_string()));
            reasons.extend(feedback.suggestions().iter().map(ToString::to_string));
        }
        if reasons.is_empty() {
            reasons.push(
                "This password is easily guessed. Add a word or two that have nothing to do with each other."
                    .to_owned(),
            );
        }
    }
    Strength {
        score: u8::from(estimate.score()),
        acceptable: strong && says_more && long_enough && short_enough,
        reasons,
    }
}

/// Whether hardly anything is left of a password without the words that are tried first. The estimator looks for each
/// word apart, so that two of them with a hyphen between look like a good password to it.
fn consists_of(password: &str, words: &[&str]) -> bool {
    let bare = |text: &str| -> String {
        text.chars()
            .filter(|letter| letter.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    let mut bare_words: Vec<String> = words
        .iter()
        .map(|word| bare(word))
        .filter(|word| word.len() > 2)
        .collect();
    // The longest first: it may hold the others.
    bare_words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let rest = bare_words
        .iter()
        .fold(bare(password), |rest, word| rest.replace(word.as_str(), ""));
    !bare_words.is_empty() && rest.chars().count() < LEFT_CHARS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(password: &str, inputs: &[&str]) -> Strength {
        Asked::new(password, inputs).estimate()
    }

    #[test]
    fn guessable_passwords_say_why() {
        for (password, inputs) in [
            ("password123", &[][..]),
            ("short", &[]),
            ("aaaaaaaaaaaaaaaa", &[]),
            ("museum-of-examples", &["Museum of Examples"]),
        ] {
            let strength = estimate(password, inputs);
            assert!(!strength.acceptable, "{password}: {strength:?}");
            assert!(!strength.reasons.is_empty(), "{password}");
        }
    }

    #[test]
    fn unrelated_words_are_good_enough() {
        let strength = estimate("violet tractor hums at noon", &["Ada Lovelace", "ada@example.org"]);
        assert!(strength.acceptable, "{strength:?}");
        assert_eq!(strength.reasons, Vec::<String>::new());
    }

    #[test]
    fn no_more_is_looked_at_than_matters() {
        let long = format!("xxx{}", "ä9!kq".repeat(12_000));
        let names = vec!["Ada Lovelace of the Museum ".repeat(40); 50];
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let asked = Asked::new(&long, &names);
        assert_eq!(asked.password.len(), MAX_BYTES - 1, "no character is cut in two");
        assert_eq!(asked.inputs.len(), INPUTS);
        assert!(asked.inputs.iter().all(|input| input.chars().count() == INPUT_CHARS));
        let strength = asked.estimate();
        assert!(!strength.acceptable, "{strength:?}");
        let too_long = "Use at most 1024 bytes.".to_owned();
        assert!(strength.reasons.contains(&too_long), "{strength:?}");
        assert!(estimate(&"x9!kq".repeat(204), &[]).score <= 4);
    }
}
