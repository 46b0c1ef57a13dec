//! Request bodies and query strings: parsed strictly, validated, and refused with what is wrong and where.

mod fields;
pub(crate) mod rules;
mod wording;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Query, Request},
};
use http::{header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::problem::{Problem, kinds};

/// Far deeper than any document of ours.
const MAX_NESTING: usize = 128;
/// The largest JSON body. Nothing that people type comes near it.
pub(crate) const MAX_JSON_BYTES: usize = 64 * 1024;

/// A JSON body that is well-formed (else 400), of the right shape and with acceptable values (else 422).
#[derive(Debug)]
pub struct ValidJson<T>(pub T);

impl<T, S> FromRequest<S> for ValidJson<T>
where
    T: DeserializeOwned + garde::Validate<Context = ()>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(&request) {
            return Err(Problem::of(kinds::UNSUPPORTED_MEDIA_TYPE));
        }
        let bytes = collect(request, MAX_JSON_BYTES).await?;
        let value: T = parse(&bytes)?;
        garde::i18n::with_i18n(wording::Coded, || value.validate())
            .map_err(|report| Problem::fields(fields::from_report(&report)))?;
        Ok(Self(value))
    }
}

/// Reads a body to its end, at most `limit` bytes of it.
pub(crate) async fn collect(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(kinds::BODY_TOO_LARGE, format!("Send at most {limit} bytes."));
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    match Limited::new(request.into_body(), limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) => Err(Problem::new(
            kinds::MALFORMED_REQUEST,
            "The body broke off before its end; send it again.",
        )
        .caused_by(BrokenBody(error.to_string()))),
    }
}

/// A body that did not arrive whole.
#[derive(Debug, thiserror::Error)]
#[error("the body broke off: {0}")]
struct BrokenBody(String);

fn is_json(request: &Request) -> bool {
    let Some(value) = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    value
        .split(';')
        .next()
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// Syntax first, then shape: whatever the members are, a broken document is called broken. Nesting too deep and
/// anything behind the document are broken too; a member that occurs twice is not acceptable.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::new(kinds::MALFORMED_JSON, "The body is not UTF-8."))?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| malformed(&error))?;
    if nesting(text) > MAX_NESTING {
        return Err(Problem::new(
            kinds::MALFORMED_JSON,
            format!("The body is nested deeper than {MAX_NESTING} lists and objects."),
        ));
    }
    // A list in the order of the members would be taken for the object itself.
    if !text.trim_start().starts_with('{') {
        return Err(Problem::field("/", "invalid_type", "Expected an object."));
    }
    // Only what may hold one is looked through: the six characters are a NUL unless the backslash itself is escaped.
    if text.contains("\\u0000") {
        fields::refuse_nul(&serde_json::from_str(text).map_err(|error| malformed(&error))?)?;
    }
    let mut parser = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut parser).map_err(|error| {
        let path = error.path().clone();
        let inner = error.into_inner();
        // The parser calls it an error of syntax when something else than a text stands for one of several names.
        if inner.is_data() || serde_json::from_str::<serde_json::Value>(text).is_ok() {
            Problem::fields(vec![fields::from_shape(&path, &inner)])
        } else {
            malformed(&inner)
        }
    })
}

/// How deep lists and objects of a well-formed document lie in each other. The parser counts only where it descends,
/// and it passes over what nobody asked for.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(
        kinds::MALFORMED_JSON,
        format!(
            "The body is not one JSON document: it goes wrong at line {}, column {}.",
            error.line(),
            error.column()
        ),
    )
}

/// A query string of the right shape (else 400).
#[derive(Debug)]
pub struct ValidQuery<T>(pub T);

impl<T, S> FromRequestParts<S> for ValidQuery<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // The ledger's texts hold no such character, so nothing that contains it is there.
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(Problem::of(kinds::INVALID_QUERY));
        }
        Query::from_request_parts(parts, state)
            .await
            .map(|Query(value)| Self(value))
            .map_err(|rejection| Problem::of(kinds::INVALID_QUERY).caused_by(rejection))
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use garde::Validate;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, Validate)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[garde(length(chars, min = 2, max = 4))]
        name: String,
        #[garde(dive)]
        inner: Option<Inner>,
        #[garde(skip)]
        size: Option<Size>,
    }

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Size {
        Small,
        Large,
    }

    #[derive(Debug, Deserialize, Validate)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[garde(range(max = 5))]
        count: u32,
    }

    async fn read(content_type: &str, body: impl Into<Body>) -> Result<Sample, serde_json::Value> {
        let request = Request::post("/")
            .header(header::CONTENT_TYPE, content_type)
            .body(body.into())
            .unwrap();
        match ValidJson::<Sample>::from_request(request, &()).await {
            Ok(ValidJson(sample)) => Ok(sample),
            Err(problem) => {
                let body = problem.render("req").into_body().collect().await.unwrap().to_bytes();
                Err(serde_json::from_slice(&body).unwrap())
            }
        }
    }

    async fn code(body: &str) -> String {
        match read("application/json; charset=utf-8", body.to_owned()).await {
            Ok(_) => "ok".to_owned(),
            Err(problem) => match problem["errors"].get(0) {
                Some(field) => format!(
                    "{} {}",
                    field["pointer"].as_str().unwrap(),
                    field["code"].as_str().unwrap()
                ),
                None => problem["code"].as_str().unwrap().to_owned(),
            },
        }
    }

    #[tokio::test]
    async fn syntax_shape_and_values_are_told_apart() {
        let deep = "[".repeat(10_000);
        let deep_but_whole = format!(r#"{{"name":"abc","more":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        for (body, expected) in [
            (r#"{"name":"abc"}"#, "ok"),
            (r#"{"name":"abc","inner":{"count":5}}"#, "ok"),
            ("", "malformed_json"),
            (r#"{"name":"abc""#, "malformed_json"),
            (r#"{"name":"abc"} x"#, "malformed_json"),
            (r#"{"name":"a","inner":null}"#, "/name too_short"),
            (r#"{"name":"abcde"}"#, "/name too_long"),
            (r#"{"name":5}"#, "/name invalid_type"),
            (r#"{"name":"abc","size":["small"]}"#, "/size invalid_type"),
            (r#"{"name":"abc","size":1}"#, "/size invalid_type"),
            (r#"{"name":"abc","size":"medium"}"#, "/size invalid_value"),
            (r#"{"name":"abc","size":"small"}"#, "ok"),
            (r#"{}"#, "/name required"),
            (r#"{"name":"abc","name":"abd"}"#, "/name duplicate_field"),
            (r#"{"name":"abc","a/b":1}"#, "/a~1b unknown_field"),
            (r#"{"name":"abc","inner":{"count":6}}"#, "/inner/count too_large"),
            (r#"{"name":"abc","inner":{"count":-1}}"#, "/inner/count invalid_value"),
            (r#"{"name":"abc","inner":{"count":1,"x":2}}"#, "/inner/x unknown_field"),
            (deep.as_str(), "malformed_json"),
            (deep_but_whole.as_str(), "malformed_json"),
            (r#"["abc",null]"#, "/ invalid_type"),
            (r#"{"nam":"abc""#, "malformed_json"),
            (r#"{"name":"a\u0000b"}"#, "/name control_character"),
        ] {
            assert_eq!(code(body).await, expected, "{body:.60}");
        }
        let large = read("application/json", r#"{"name":"abc","size":"large"}"#).await;
        assert_eq!(large.unwrap().size, Some(Size::Large));
    }

    #[tokio::test]
    async fn a_nul_is_refused_and_the_text_that_writes_one_is_not() {
        #[derive(Debug, Deserialize, Validate)]
        struct Text {
            #[garde(skip)]
            text: String,
        }
        let read = async |body: &str| {
            let request = Request::post("/")
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_owned()))
                .unwrap();
            ValidJson::<Text>::from_request(request, &())
                .await
                .map(|read| read.0.text)
        };
        // In JSON a backslash is written as two, so that an even number of them begins no escape.
        for (body, expected) in [
            (r#"{"text":"\\u0000"}"#, Some(r"\u0000")),
            (r#"{"text":"\\\\u0000"}"#, Some(r"\\u0000")),
            (r#"{"text":"\\\u0000"}"#, None),
            (r#"{"text":"\u0000"}"#, None),
            (r#"{"text":"\\u0000 \u0000"}"#, None),
            (r#"{"text":"\u00000"}"#, None),
            (r#"{"text":"%00 \\0"}"#, Some(r"%00 \0")),
            (r#"{"text":"a","\\u0000":1}"#, Some("a")),
            (r#"{"text":"a","b\u0000":1}"#, None),
            (r#"{"text":"a","b":[{"c":"\u0000"}]}"#, None),
        ] {
            assert_eq!(read(body).await.ok().as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn nesting_is_counted_outside_of_texts() {
        for (text, depth) in [
            ("1", 0),
            (r#"{"a":[1,{"b":2}],"c":[]}"#, 3),
            (r#"{"a":"[[[[\\\"[[{{","b":"\\\\"}"#, 1),
        ] {
            assert_eq!(nesting(text), depth, "{text}");
        }
    }

    #[tokio::test]
    async fn type_and_size_are_checked_before_the_text() {
        assert_eq!(
            read("text/plain", "{}").await.unwrap_err()["code"],
            "unsupported_media_type"
        );
        let large = format!(r#"{{"name":"{}"}}"#, "a".repeat(MAX_JSON_BYTES));
        assert_eq!(
            read("application/json", large).await.unwrap_err()["code"],
            "body_too_large"
        );
        assert_eq!(
            read("application/json", b"{\"name\":\"\xff\"}".to_vec())
                .await
                .unwrap_err()["code"],
            "malformed_json"
        );
    }
}
