//! Line breaks where somebody would have them begin a header, a line of the log or another mail.

use http::Method;
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp, Wire};

#[tokio::test]
async fn a_break_in_a_header_begins_no_other_one() {
    let test = TestApp::start().await;
    let wire = Wire::of(&test).await;
    for (what, header) in [
        ("a folded line", "user-agent: a\r\n set-cookie: forged=1\r\n"),
        ("a carriage return", "user-agent: a\rset-cookie: forged=1\r\n"),
        ("a NUL", "user-agent: a\0set-cookie: forged=1\r\n"),
        ("an escape of terminals", "user-agent: \u{1b}[2Kforged\r\n"),
        ("a break in a name", "x-a\rset-cookie: forged=1\r\n"),
    ] {
        let answer = wire.get("/api/v1/meta", header).await;
        assert_eq!(answer.status(), 400, "{what}: {answer:?}");
        assert!(!answer.contains("forged"), "{what}: {answer:?}");
    }
    // A line feed alone ends a line for many; then what follows is a header of this request, and none of the answer.
    for header in [
        "user-agent: a\nset-cookie: forged=1\r\n",
        "x-request-id: a\nset-cookie: forged=1\r\n",
    ] {
        let answer = wire.get("/api/v1/meta", header).await;
        assert_eq!(answer.status(), 200, "{answer:?}");
        assert!(!answer.contains("forged"), "{answer:?}");
        let own = answer
            .headers()
            .filter(|line| line.starts_with("x-request-id: req_"))
            .count();
        assert_eq!(own, 1, "{answer:?}");
    }
    let answer = wire
        .send("GET /nothing\rset-cookie:forged HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await;
    assert!(matches!(answer.status(), 0 | 400), "{answer:?}");
}

/// The fields that a refusal points to.
fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().filter_map(|error| error["pointer"].as_str()).collect()
}

#[tokio::test]
async fn a_break_in_a_name_or_an_address_is_refused_where_it_stands() {
    let test = TestApp::start().await;
    let person = test.person("ada").await;
    let mut ada = person.browser;
    let mails = test.queued_mails().await.len();
    for forged in [
        "Ada\r\nBcc: all@example.org",
        "Ada\nforged",
        "Ada\rforged",
        "Ada\u{85}forged",
        "Ada\u{1b}[2K",
    ] {
        for (member, value) in [
            ("name", forged.to_owned()),
            ("organization_name", forged.to_owned()),
            ("email", format!("{forged}@example.org")),
            ("email", format!("ada@example.org{}", forged.trim_start_matches("Ada"))),
        ] {
            let mut request = json!({
                "email": "grace@example.org", "password": PASSWORD, "name": "Grace", "organization_name": "Museum",
            });
            request[member] = json!(value);
            let answer = test.browser().post("/api/v1/auth/register", &request).await;
            assert_eq!(answer.status, 422, "{request}: {}", answer.text());
            assert_eq!(pointers(&answer.json()), [format!("/{member}")], "{request}");
        }
        let organization = ada.post("/api/v1/organizations", &json!({ "name": forged })).await;
        assert_eq!(pointers(&organization.json()), ["/name"], "{forged:?}");
        let json_type = [("content-type", "application/json")];
        let body = json!({ "name": forged }).to_string().into_bytes();
        let profile = ada.send(Method::PATCH, "/api/v1/me", &json_type, body).await;
        assert_eq!(pointers(&profile.json()), ["/name"], "{forged:?}: {}", profile.text());
    }
    assert_eq!(test.queued_mails().await.len(), mails);
    assert_eq!(
        test.count("select count(*) from users where name ~ '[[:cntrl:]]'")
            .await,
        0
    );
}
