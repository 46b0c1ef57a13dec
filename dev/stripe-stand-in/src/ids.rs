//! Identifiers in Stripe's shape: a prefix that names the type, then letters and digits.

use rand::RngExt;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `length` random letters and digits.
pub(crate) fn random_text(length: usize) -> String {
    let mut rng = rand::rng();
    (0..length)
        .map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())]))
        .collect()
}

/// A new identifier such as `cus_Q3wqnS0vbZkFm1`.
pub(crate) fn new_id(prefix: &str) -> String {
    // Stripe's own lengths differ by type; consumers may rely on nothing but the prefix and 255 characters at most.
    let length = match prefix {
        "cus" | "prod" | "si" => 14,
        "cs_test" => 58,
        _ => 24,
    };
    format!("{prefix}_{}", random_text(length))
}

#[cfg(test)]
mod tests {
    use super::new_id;

    #[test]
    fn ids_carry_their_prefix_and_differ() {
        let (first, second) = (new_id("cus"), new_id("cus"));
        assert!(first.starts_with("cus_") && first.len() == 18);
        assert_ne!(first, second);
    }
}
