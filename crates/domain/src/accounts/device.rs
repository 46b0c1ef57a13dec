//! Browsers that signed in before, and how they are called in front of people.

use chrono::TimeDelta;

/// How long a browser stays known after its last sign-in.
pub const DEVICE_STAYS_KNOWN: TimeDelta = TimeDelta::days(365);

const MAX_CHARS: usize = 100;

/// What comes first is looked for first: nearly every browser also says that it is Chrome or Safari.
const BROWSERS: [(&str, &str); 7] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// A few words for what a client says it is: `Firefox on Linux`. A program's own name is left as it is.
#[must_use]
pub fn describe(user_agent: &str) -> String {
    let named = |names: &[(&str, &'static str)]| {
        names
            .iter()
            .find(|(part, _)| user_agent.contains(part))
            .map(|(_, name)| *name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => {
            let text: String = user_agent
                .chars()
                .filter(|letter| !letter.is_control())
                .take(MAX_CHARS)
                .collect();
            if text.trim().is_empty() {
                "Unknown device".to_owned()
            } else {
                text.trim().to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_and_programs_are_called_by_their_names() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(),
                "Firefox on Linux",
            ),
            (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/141.0.0.0 Safari/537.36 Edg/141.0"),
                "Edge on Windows",
            ),
            (
                format!("Mozilla/5.0 (Linux; Android 15; Pixel 9) {webkit} Chrome/141.0.0.0 Mobile Safari/537.36"),
                "Chrome on Android",
            ),
            (
                format!("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) {webkit} Version/19.0 Safari/604.1"),
                "Safari on iPhone",
            ),
            ("curl/8.14.1".to_owned(), "curl/8.14.1"),
            (" \u{7}\n".to_owned(), "Unknown device"),
            (String::new(), "Unknown device"),
            ("x".repeat(500), &"x".repeat(MAX_CHARS)),
        ] {
            assert_eq!(describe(&agent), name, "{agent}");
        }
    }
}
