//! Parameters of OAuth: a query string or a form, where a name stands once and an empty value is none.

use std::collections::BTreeMap;

use axum::extract::Request;
use http::{Method, header};
use url::form_urlencoded;

use crate::body::{MAX_JSON_BYTES, collect};

/// What was sent, by name.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    values: BTreeMap<String, String>,
    repeated: Option<String>,
}

/// Why there are none.
#[derive(Debug)]
pub(super) struct Unreadable(pub(super) &'static str);

impl Parameters {
    /// Reads them from the query of a GET, else from the body.
    pub(super) async fn read(request: Request) -> Result<Self, Unreadable> {
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            return Ok(Self::parse(request.uri().query().unwrap_or_default().as_bytes()));
        }
        let is_form = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
        if !is_form {
            return Err(Unreadable("send the parameters as application/x-www-form-urlencoded"));
        }
        match collect(request, MAX_JSON_BYTES).await {
            Ok(bytes) => Ok(Self::parse(&bytes)),
            Err(_) => Err(Unreadable("the body is too large, or broke off")),
        }
    }

    pub(super) fn parse(bytes: &[u8]) -> Self {
        let mut parameters = Self::default();
        for (name, value) in form_urlencoded::parse(bytes) {
            if parameters.values.contains_key(name.as_ref()) {
                parameters.repeated = Some(name.into_owned());
            } else {
                parameters.values.insert(name.into_owned(), value.into_owned());
            }
        }
        parameters
    }

    /// A value, unless it is empty or holds a NUL, which no value of ours does.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty() && !value.contains('\0'))
    }

    /// A name that stood twice: nobody can tell which was meant.
    pub(super) fn repeated(&self) -> Option<&str> {
        self.repeated.as_deref()
    }

    /// The same parameters as a query string, without some and with one more.
    pub(super) fn query_with(&self, left_out: &[&str], added: (&str, &str)) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.values {
            if name != added.0 && !left_out.contains(&name.as_str()) {
                query.append_pair(name, value);
            }
        }
        query.append_pair(added.0, added.1);
        query.finish()
    }

    /// The same parameters as a query string.
    pub(super) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.values);
        query.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_once_and_nothing_is_nothing() {
        let parameters = Parameters::parse(b"a=1&b=&c=x%00y&d=%C3%A9+%26&a=2");
        assert_eq!(parameters.get("a"), Some("1"));
        assert_eq!(parameters.repeated(), Some("a"));
        assert_eq!(parameters.get("b"), None);
        assert_eq!(parameters.get("c"), None);
        assert_eq!(parameters.get("d"), Some("é &"));
        assert_eq!(
            parameters.query_with(&["a", "b", "c"], ("e", "1 2")),
            "d=%C3%A9+%26&e=1+2"
        );
    }
}
