//! Values that no field takes, or that every field takes: addresses and names, wherever a body has them.

use serde_json::{Value, json};

use super::{
    Route, assert_refused, routes, send,
    table::{Door, Takes, sample},
};
use crate::support::{Answer, Browser, TestApp};

/// Members that hold what people call something.
const NAMES: [&str; 2] = ["name", "organization_name"];

async fn put(browser: &Browser, route: &Route, schema: &'static Value, member: &str, value: &Value) -> Answer {
    let mut body = sample(schema);
    body[member] = value.clone();
    let address = route.address_in("museum-of-examples");
    send(&mut browser.clone(), route, &address, body.to_string().as_bytes()).await
}

/// The routes that a person or nobody may call and that take this member.
fn taking(member: &str) -> Vec<(Route, &'static Value)> {
    let routes = routes().into_iter().filter_map(|route| match route.takes {
        Takes::Json(schema) if schema["properties"].get(member).is_some() => Some((route, schema)),
        _ => None,
    });
    routes
        .filter(|(route, _)| !matches!(route.door, Door::Operator(_)))
        .collect()
}

#[tokio::test]
async fn addresses_that_no_mail_reaches_are_refused_at_their_field() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let taking = taking("email");
    assert!(taking.len() >= 6, "{taking:?}");
    let sign_ups = test.count("select count(*) from sign_ups").await;
    let labels = format!("{}.{}.{}", "b".repeat(63), "c".repeat(63), "d".repeat(60));
    let exactly_255 = format!("{}@{labels}.e", "a".repeat(64));
    assert_eq!(exactly_255.len(), 255);
    for (route, schema) in taking {
        for (value, code) in [
            ("", "email_invalid"),
            ("ada", "email_invalid"),
            ("@example.org", "email_invalid"),
            ("ada@", "email_invalid"),
            ("ada@b@example.org", "email_invalid"),
            (exactly_255.as_str(), "too_long"),
            ("\"ada lovelace\"@example.org", "email_local_part_unsupported"),
            ("\"ada@home\"@example.org", "email_local_part_unsupported"),
            ("\"\"@example.org", "email_local_part_unsupported"),
            ("ада@example.org", "email_local_part_unsupported"),
            ("ada\u{202e}@example.org", "email_local_part_unsupported"),
            ("ada..b@example.org", "email_local_part_unsupported"),
            ("ada@exa\u{7}mple.org", "email_domain_invalid"),
            ("ada@localhost", "email_domain_invalid"),
            ("ada@[127.0.0.1]", "email_domain_invalid"),
            ("Ada <ada@example.org>", "email_local_part_unsupported"),
        ] {
            let answer = put(&ada.browser, &route, schema, "email", &json!(value)).await;
            let what = format!("{} with {value:?}", route.id);
            assert_refused(&answer, 422, "validation_failed", &what);
            let error = &answer.json()["errors"][0];
            assert_eq!(
                (&error["pointer"], &error["code"]),
                (&json!("/email"), &json!(code)),
                "{what}"
            );
        }
    }
    assert_eq!(test.count("select count(*) from sign_ups").await, sign_ups);
}

/// Plus signs, other alphabets after the `@`, and the longest address that there is.
#[tokio::test]
async fn unusual_addresses_are_kept_as_mail_servers_know_them() {
    let test = TestApp::start().await;
    let labels = format!("{}.{}.{}", "b".repeat(63), "c".repeat(63), "d".repeat(59));
    let longest = format!("{}@{labels}.e", "a".repeat(64));
    assert_eq!(longest.len(), 254);
    for (typed, kept) in [
        ("ada+museum@example.org", "ada+museum@example.org"),
        ("Ada@Bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@例え.example", "ada@xn--r8jz45g.example"),
        ("o'neill@example.org", "o'neill@example.org"),
        (longest.as_str(), longest.as_str()),
    ] {
        let mut browser = test.browser();
        assert_eq!(test.register(&mut browser, typed).await.status, 202, "{typed}");
        let session = test.confirm(&mut browser, &test.link_token(kept).await).await;
        assert_eq!(session.json()["user"]["email"], kept, "{}", session.text());
    }
}

#[tokio::test]
async fn names_that_cannot_be_shown_are_refused_at_their_field() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let long = "a".repeat(10_000);
    let mut fields = 0;
    for member in NAMES {
        for (route, schema) in taking(member) {
            fields += 1;
            for (value, code) in [
                ("", "required"),
                (" \t ", "required"),
                (long.as_str(), "too_long"),
                ("a\nb", "control_character"),
                ("a\u{0}b", "control_character"),
                ("a\u{1b}[31mb", "control_character"),
                ("\u{202e}b", "control_character"),
                ("a\u{2066}b", "control_character"),
                ("a\u{2028}b", "control_character"),
            ] {
                let answer = put(&ada.browser, &route, schema, member, &json!(value)).await;
                let what = format!("{member} of {} with {value:?}", route.id);
                assert_refused(&answer, 422, "validation_failed", &what);
                let error = &answer.json()["errors"][0];
                let pointer = format!("/{member}");
                assert_eq!(
                    (&error["pointer"], &error["code"]),
                    (&json!(pointer), &json!(code)),
                    "{what}"
                );
            }
        }
    }
    assert!(fields >= 4, "{fields}");
}

#[tokio::test]
async fn names_of_one_letter_and_of_any_script_are_kept() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let longest = "字".repeat(200);
    for name in ["x", "李", "عدا", "עדה לאבלייס", "\u{200f}א", longest.as_str()] {
        for (route, schema) in taking("name") {
            if matches!(route.door, Door::Anybody) {
                continue;
            }
            let answer = put(&ada.browser, &route, schema, "name", &json!(name)).await;
            assert!(matches!(answer.status, 200 | 201), "{}: {}", route.id, answer.text());
            assert_eq!(answer.json()["name"], name, "{}", route.id);
        }
    }
}
