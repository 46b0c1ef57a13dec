//! The name of an organization in addresses: `museum-of-examples`.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The longest slug, the length of a DNS label.
pub const MAX_CHARS: usize = 63;
/// Room for a suffix that tells two organizations of one name apart.
const MAX_BASE_CHARS: usize = 50;
/// What an organization is called whose name holds no letter that a slug can.
const FALLBACK: &str = "organization";
/// Taken by pages of the web interface or likely to be.
const RESERVED: [&str; 12] = [
    "new",
    "settings",
    "operator",
    "api",
    "admin",
    "login",
    "signup",
    "confirm",
    "pricing",
    "account",
    "invitations",
    "o",
];

/// The candidate that comes from the name alone: its letters without accents, words joined by hyphens.
#[must_use]
pub fn from_name(name: &str) -> String {
    let mut slug = String::with_capacity(MAX_BASE_CHARS);
    for letter in name
        .nfkd()
        .filter(|letter| !is_combining_mark(*letter))
        .flat_map(char::to_lowercase)
    {
        if slug.len() >= MAX_BASE_CHARS {
            break;
        }
        match letter {
            'a'..='z' | '0'..='9' => slug.push(letter),
            'ß' => slug.push_str("ss"),
            'ø' => slug.push('o'),
            'ł' => slug.push('l'),
            'đ' => slug.push('d'),
            'æ' => slug.push_str("ae"),
            'œ' => slug.push_str("oe"),
            '\'' | '’' => {}
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let slug = slug.trim_end_matches('-');
    // A slug that looks like an identifier would be taken for one.
    if slug.is_empty() || RESERVED.contains(&slug) {
        format!("{FALLBACK}{}{slug}", if slug.is_empty() { "" } else { "-" })
    } else {
        slug.to_owned()
    }
}

/// The candidate for the next attempt, when `base` and those before it were taken. From the tenth on, `random` decides:
/// counting further would be slow for a popular name.
#[must_use]
pub fn with_suffix(base: &str, attempt: u32, random: u32) -> String {
    match attempt {
        0 => base.to_owned(),
        1..=9 => format!("{base}-{}", attempt + 1),
        _ => format!("{base}-{random:08x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_readable() {
        for (name, slug) in [
            ("Museum of Examples", "museum-of-examples"),
            (r#""; {{ x }}"#, "x"),
            ("Łódź & Söhne GmbH", "lodz-sohne-gmbh"),
            ("O’Neill's Straße 7", "oneills-strasse-7"),
            ("متحف", "organization"),
            ("🏛🏛🏛", "organization"),
            ("Settings", "organization-settings"),
        ] {
            assert_eq!(from_name(name), slug, "{name}");
        }
    }

    #[test]
    fn collisions_count_and_then_draw() {
        assert_eq!(with_suffix("acme", 0, 7), "acme");
        assert_eq!(with_suffix("acme", 1, 7), "acme-2");
        assert_eq!(with_suffix("acme", 12, 7), "acme-00000007");
    }

    proptest::proptest! {
        #[test]
        fn every_name_gives_a_slug_that_the_ledger_takes(name in "\\PC{0,200}", attempt in 0_u32..20, random: u32) {
            let slug = with_suffix(&from_name(&name), attempt, random);
            proptest::prop_assert!(slug.len() <= MAX_CHARS, "{slug}");
            proptest::prop_assert!(!slug.starts_with('-') && !slug.ends_with('-'), "{slug}");
            proptest::prop_assert!(slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{slug}");
        }
    }
}
