//! The `Authorization` header and what tokens look like: bearer tokens, clients' names and secrets, opaque tokens.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, header};
use tenantry_app::accounts::OpaqueToken;
use tenantry_http::readers;
use url::form_urlencoded;

pub(crate) fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        opaque_token(text);
    }
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, value.clone());
    if let Ok(Some(token)) = readers::bearer(&headers) {
        assert_eq!(token, token.trim());
        assert!(value.to_str().unwrap().contains(token));
        assert!(
            readers::oidc::client_credentials(&headers).is_none(),
            "taken for two things"
        );
        opaque_token(token);
    }
    if let Some((name, secret)) = readers::oidc::client_credentials(&headers) {
        assert_eq!(readers::bearer(&headers), Ok(None), "taken for two things");
        let pair = format!("{}:{}", encoded(&name), encoded(&secret));
        let again = HeaderValue::try_from(format!("basic {}", STANDARD.encode(pair))).unwrap();
        headers.insert(header::AUTHORIZATION, again);
        assert_eq!(readers::oidc::client_credentials(&headers), Some((name, secret)));
    }
    headers.append(header::AUTHORIZATION, value);
    if headers.get_all(header::AUTHORIZATION).iter().count() == 2 {
        assert!(readers::bearer(&headers).is_err(), "two headers are none");
        assert!(
            readers::oidc::client_credentials(&headers).is_none(),
            "two headers are none"
        );
    }
}

/// A token has one text form: another one would be another row that nobody finds, or one row with two names.
fn opaque_token(text: &str) {
    if let Some(token) = OpaqueToken::decode(text) {
        assert_eq!(token.encode().as_str(), text);
        assert_eq!(token.bytes().len(), 32);
        assert!(!format!("{token:?}").contains(text), "a secret is never printed");
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
