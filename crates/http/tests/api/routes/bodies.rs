//! Which bodies, queries and headers are refused, by each route, from whoever may call it.

use serde_json::{Value, json};
use tenantry_domain::accounts::OperatorRole;

use super::{
    Route, assert_refused, routes, send, send_with,
    table::{Door, Takes, resolved, sample},
};
use crate::{
    operators::operator,
    support::{Answer, Browser, TestApp},
};

/// A little more than the largest body of JSON.
const LARGE: usize = 64 * 1024 + 1;
/// A little more than the largest picture.
const LARGE_PICTURE: usize = 5 * 1024 * 1024 + 1;

/// Somebody for each door.
struct Callers {
    test: TestApp,
    organization: String,
    user: Browser,
    admin: Browser,
}

impl Callers {
    async fn new() -> Self {
        let test = TestApp::start().await;
        let ada = test.person("ada").await;
        let admin = operator(&test, OperatorRole::Admin).await;
        Self {
            organization: ada.organization(),
            user: ada.browser,
            admin,
            test,
        }
    }

    fn for_door(&self, route: &Route) -> Browser {
        match route.door {
            Door::Anybody | Door::Provider(_) => self.test.browser(),
            Door::User | Door::Member(_) => self.user.clone(),
            Door::Operator(_) => self.admin.clone(),
        }
    }

    async fn send(&self, route: &Route, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let address = route.address_in(&self.organization);
        send_with(&mut self.for_door(route), route, &address, headers, body).await
    }

    async fn send_json(&self, route: &Route, body: &[u8]) -> Answer {
        self.send(route, &[("content-type", "application/json")], body).await
    }
}

/// The first field that a problem names, and why.
fn at_fault(answer: &Answer) -> (String, String) {
    let error = &answer.json()["errors"][0];
    let text = |name: &str| {
        error[name]
            .as_str()
            .unwrap_or_else(|| panic!("{}", answer.text()))
            .to_owned()
    };
    (text("pointer"), text("code"))
}

#[tokio::test]
async fn what_is_no_json_document_is_refused() {
    let callers = Callers::new().await;
    for route in routes() {
        let Takes::Json(schema) = route.takes else { continue };
        let good = sample(schema).to_string();
        let deep = format!(
            "{},\"more\":{}{}}}",
            &good[..good.len() - 1],
            "[".repeat(300),
            "]".repeat(300)
        );
        for (what, body) in [
            ("nothing", Vec::new()),
            ("an end too early", good.as_bytes()[..good.len() - 1].to_vec()),
            ("trailing bytes", format!("{good} x").into_bytes()),
            ("another document behind it", format!("{good}{good}").into_bytes()),
            ("lists in lists", deep.into_bytes()),
            (
                "bytes that are no text",
                [b"{\"a\":\"\xff\xfe\",".as_slice(), &good.as_bytes()[1..]].concat(),
            ),
            (
                "a mark of byte order",
                [b"\xef\xbb\xbf".as_slice(), good.as_bytes()].concat(),
            ),
        ] {
            let answer = callers.send_json(&route, &body).await;
            assert_refused(&answer, 400, "malformed_json", &format!("{} with {what}", route.id));
        }
        for content_type in [
            "application/x-www-form-urlencoded",
            "text/plain",
            "application/jsonp",
            "",
        ] {
            let answer = callers
                .send(&route, &[("content-type", content_type)], good.as_bytes())
                .await;
            assert_refused(
                &answer,
                415,
                "unsupported_media_type",
                &format!("{} as {content_type:?}", route.id),
            );
        }
        let answer = callers.send(&route, &[], good.as_bytes()).await;
        assert_refused(
            &answer,
            415,
            "unsupported_media_type",
            &format!("{} as nothing", route.id),
        );
        let answer = callers.send_json(&route, &vec![b' '; LARGE]).await;
        assert_refused(
            &answer,
            413,
            "body_too_large",
            &format!("{} with a large body", route.id),
        );
    }
}

#[tokio::test]
async fn a_document_of_another_form_is_refused_at_the_member() {
    let callers = Callers::new().await;
    for route in routes() {
        let Takes::Json(schema) = route.takes else { continue };
        let good = sample(schema);
        for body in ["[]", "null", "1", "\"text\"", "true"] {
            let answer = callers.send_json(&route, body.as_bytes()).await;
            assert_refused(&answer, 422, "validation_failed", &format!("{} with {body}", route.id));
            assert_eq!(
                at_fault(&answer),
                ("/".to_owned(), "invalid_type".to_owned()),
                "{}",
                route.id
            );
        }
        let mut cases = vec![with(&good, "no_such_member", json!(1), "unknown_field")];
        for (name, property) in schema["properties"].as_object().unwrap() {
            let value = sample(resolved(property));
            let of_another_kind = match value {
                Value::Array(_) => json!({}),
                Value::Object(_) => json!(1),
                _ => json!([1]),
            };
            cases.push(with(&good, name, of_another_kind, "invalid_type"));
            let twice = format!("{{\"{name}\":{value},\"{name}\":{value}}}");
            cases.push((twice, format!("/{name}"), "duplicate_field"));
            if value.is_string() {
                cases.push(with(&good, name, json!("a\u{0}b"), "control_character"));
            }
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            let mut without = good.clone();
            without.as_object_mut().unwrap().remove(name.as_str().unwrap());
            cases.push((without.to_string(), format!("/{}", name.as_str().unwrap()), "required"));
        }
        for (body, pointer, code) in cases {
            let answer = callers.send_json(&route, body.as_bytes()).await;
            assert_refused(&answer, 422, "validation_failed", &format!("{} with {body}", route.id));
            let expected = (pointer, code.to_owned());
            assert_eq!(at_fault(&answer), expected, "{} with {body}", route.id);
        }
    }
}

fn with(good: &Value, name: &str, value: Value, code: &'static str) -> (String, String, &'static str) {
    let mut changed = good.clone();
    changed[name] = value;
    (changed.to_string(), format!("/{name}"), code)
}

#[tokio::test]
async fn what_is_no_picture_and_what_is_too_large_is_refused() {
    let callers = Callers::new().await;
    for route in routes() {
        let Takes::Picture = route.takes else { continue };
        let answer = callers
            .send(&route, &[("content-type", "image/png")], b"no picture")
            .await;
        assert_refused(&answer, 422, "validation_failed", route.id);
        let answer = callers
            .send(&route, &[("content-type", "application/json")], b"{}")
            .await;
        assert_refused(&answer, 415, "unsupported_media_type", route.id);
        let answer = callers
            .send(&route, &[("content-type", "image/png")], &vec![0; LARGE_PICTURE])
            .await;
        assert_refused(&answer, 413, "body_too_large", route.id);
    }
}

/// A key compares bodies, so a call that takes none reads one as well, and not without end.
#[tokio::test]
async fn keys_of_a_wrong_form_and_large_bodies_beside_one_are_refused() {
    let callers = Callers::new().await;
    for route in routes() {
        let takes_a_key = route.operation["parameters"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["name"] == "Idempotency-Key"));
        let is_secured = !matches!(route.door, Door::Anybody);
        assert_eq!(
            takes_a_key,
            is_secured && route.acts() && !matches!(route.takes, Takes::Picture),
            "{}",
            route.id
        );
        if !takes_a_key {
            continue;
        }
        for key in ["".to_owned(), "k".repeat(256)] {
            let headers = [("idempotency-key", key.as_str()), ("content-type", "application/json")];
            let answer = callers.send(&route, &headers, &route.body()).await;
            assert_refused(&answer, 400, "idempotency_key_invalid", route.id);
        }
        let headers = [("idempotency-key", "a-key"), ("content-type", "application/json")];
        let answer = callers.send(&route, &headers, &vec![b' '; LARGE]).await;
        assert_refused(&answer, 413, "body_too_large", route.id);
    }
}

#[tokio::test]
async fn queries_of_a_wrong_form_are_refused() {
    let callers = Callers::new().await;
    let mut lists = 0;
    for route in routes() {
        let names: Vec<&str> = route.operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        lists += usize::from(names.contains(&"limit"));
        for name in names {
            let wrong: &[(&str, &str)] = match name {
                "limit" => &[
                    ("0", "invalid_query"),
                    ("201", "invalid_query"),
                    ("-1", "invalid_query"),
                    ("1e3", "invalid_query"),
                    ("99999999999999999999", "invalid_query"),
                ],
                "cursor" => &[
                    ("made-up", "invalid_cursor"),
                    ("%ff", "invalid_cursor"),
                    ("%00", "invalid_query"),
                ],
                "search" => &[("a%00b", "invalid_query")],
                "state" | "refund_needed" => &[("nonsense", "invalid_query"), ("%00", "invalid_query")],
                other => panic!("say here what is wrong for {other}"),
            };
            for (value, code) in wrong {
                let address = format!("{}?{name}={value}", route.address_in(&callers.organization));
                let answer = send(&mut callers.for_door(&route), &route, &address, b"").await;
                assert_refused(&answer, 400, code, &address);
            }
            let address = format!("{}?{name}=1&{name}=1", route.address_in(&callers.organization));
            let answer = send(&mut callers.for_door(&route), &route, &address, b"").await;
            assert_refused(&answer, 400, "invalid_query", &address);
        }
    }
    assert!(lists > 10, "{lists}");
}
