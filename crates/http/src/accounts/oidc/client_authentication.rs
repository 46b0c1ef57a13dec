//! Which client asks: by its secret, in the header or in the form, or by its name alone where it can keep none.

use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use http::header;
use tenantry_app::accounts::{Client, find_client};
use url::form_urlencoded;

use super::{error::OAuthError, parameters::Parameters};
use crate::AppState;

const UNKNOWN: &str = "the client is not known, or its secret is wrong";

/// The client, which has shown its secret if it has one.
pub(super) async fn authenticate(
    state: &AppState,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<Client, OAuthError> {
    let (client_id, secret) = match basic(headers)? {
        Some((client_id, secret)) => {
            if form.get("client_secret").is_some() {
                return Err(OAuthError::invalid_request(
                    "show the client's secret in one way, not in two",
                ));
            }
            if form.get("client_id").is_some_and(|named| named != client_id) {
                return Err(OAuthError::invalid_client(UNKNOWN));
            }
            (client_id, Some(secret))
        }
        None => {
            let client_id = form
                .get("client_id")
                .ok_or_else(|| OAuthError::invalid_client("name the client: client_id is missing"))?;
            (client_id.to_owned(), form.get("client_secret").map(str::to_owned))
        }
    };
    let client = find_client(&state.app, &client_id)
        .await?
        .ok_or_else(|| OAuthError::invalid_client(UNKNOWN))?;
    let is_proven = match &secret {
        Some(secret) if client.is_confidential() => client.has_secret(secret),
        Some(secret) => secret.is_empty(),
        None => !client.is_confidential(),
    };
    if is_proven {
        Ok(client)
    } else {
        Err(OAuthError::invalid_client(UNKNOWN))
    }
}

/// Name and secret from the header; both are encoded as in a form first (RFC 6749, section 2.3.1).
pub(super) fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, OAuthError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), another) = (values.next(), values.next()) else {
        return Ok(None);
    };
    let malformed = || OAuthError::invalid_client("the Authorization header is not Basic with name and secret");
    let text = value.to_str().map_err(|_| malformed())?;
    let (scheme, encoded) = text.split_once(' ').ok_or_else(malformed)?;
    if another.is_some() || !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let bytes = BASE64.decode(encoded.trim()).map_err(|_| malformed())?;
    let pair = String::from_utf8(bytes).map_err(|_| malformed())?;
    let (name, secret) = pair.split_once(':').ok_or_else(malformed)?;
    Ok(Some((decoded(name), decoded(secret))))
}

fn decoded(text: &str) -> String {
    // A lone value is read as a name without a value.
    form_urlencoded::parse(text.replace('=', "%3D").replace('&', "%26").as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(text: &str) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(text).unwrap());
        basic(&headers).ok().flatten()
    }

    #[test]
    fn name_and_secret_are_decoded_twice() {
        let header = |pair: &str| format!("Basic {}", BASE64.encode(pair));
        let pair = |name: &str, secret: &str| Some((name.to_owned(), secret.to_owned()));
        assert_eq!(read(&header("collection:s-e_c")), pair("collection", "s-e_c"));
        assert_eq!(read(&header("a%3Ab:c%20d+e")), pair("a:b", "c d e"));
        assert_eq!(read(&header("a:b:c")), pair("a", "b:c"));
        assert_eq!(read(&header("a:b=c&d")), pair("a", "b=c&d"));
        for text in [
            "Basic",
            "Basic !",
            "Bearer abc",
            &header("no colon"),
            &format!("Basic {}", BASE64.encode(b"\xff:a")),
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
