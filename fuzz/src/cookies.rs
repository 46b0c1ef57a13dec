//! Cookies: a line of the input is a header.

use http::{HeaderMap, HeaderValue, header};
use tenantry_http::readers;

pub(crate) fn run(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(64) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(header::COOKIE, value);
        }
    }
    let all: Vec<u8> = headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|value| [value.as_bytes(), b";"].concat())
        .collect();
    for (name, secret) in readers::cookies(&headers) {
        let Some(secret) = secret else { continue };
        let pair = format!("{name}={}", secret.encode().as_str());
        let occurrences = |wanted: &[u8]| all.windows(wanted.len()).filter(|part| *part == wanted).count();
        assert!(occurrences(pair.as_bytes()) >= 1, "{name} was made up");
        let readable = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let named = readable
            .flat_map(|line| line.split(';'))
            .filter(|part| part.trim_start().starts_with(&format!("{name}=")))
            .count();
        assert_eq!(named, 1, "of several {name} one was taken");
    }
}
