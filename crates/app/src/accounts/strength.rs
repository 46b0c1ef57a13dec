//! How soon a password is guessed, and what would make it better.

use tenantry_domain::accounts::password::{MAX_BYTES, MIN_CHARS};
use zxcvbn::{Score, zxcvbn};

/// Characters that are looked at: the estimate's cost grows with the square of the length, and nobody's hundredth
/// character decides.
const ESTIMATED_CHARS: usize = 100;
/// Fewer letters and digits beside one's own names add nothing.
const LEFT_CHARS: usize = 5;

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

/// Estimates a password. `inputs` are words that whoever guesses would try first: names, addresses.
#[must_use]
pub fn estimate(password: &str, inputs: &[&str]) -> Strength {
    let looked_at: String = password.chars().take(ESTIMATED_CHARS).collect();
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
    let short_enough = password.len() <= MAX_BYTES;
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
    fn the_longest_password_is_estimated_at_once() {
        assert!(estimate(&"x9!kq".repeat(204), &[]).score <= 4);
    }
}
