//! What people say of themselves.

use chrono::TimeDelta;
use http::Method;
use serde_json::{Value, json};
use tenantry_domain::mail::Message;

use crate::support::{Answer, Browser, TestApp};

async fn patch(browser: &mut Browser, body: &str) -> Answer {
    let headers = [("content-type", "application/json")];
    browser
        .send(Method::PATCH, "/api/v1/me", &headers, body.as_bytes().to_vec())
        .await
}

#[tokio::test]
async fn a_profile_is_read_and_changed() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let profile = ada.browser.get("/api/v1/me").await.json();
    assert_eq!(profile["email"], "ada@example.org");
    assert_eq!(
        (&profile["locale"], &profile["time_zone"]),
        (&json!("en"), &json!("UTC"))
    );
    assert_eq!(profile["avatar_url"], Value::Null);
    assert_eq!(profile["second_factor"], false);
    let usual = json!({ "new_device": true, "tenant_ready": true, "payment_failed": true, "product_news": false });
    assert_eq!(profile["notifications"], usual);

    let change = json!({
        "name": " Ada   King ", "locale": "de-at", "time_zone": "europe/vienna",
        "notifications": { "product_news": true, "new_device": false },
    });
    let changed = patch(&mut ada.browser, &change.to_string()).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let changed = changed.json();
    assert_eq!(
        (&changed["name"], &changed["locale"], &changed["time_zone"]),
        (&json!("Ada King"), &json!("de-AT"), &json!("Europe/Vienna"))
    );
    let chosen = json!({ "new_device": false, "tenant_ready": true, "payment_failed": true, "product_news": true });
    assert_eq!(changed["notifications"], chosen);
    assert_eq!(ada.browser.get("/api/v1/me").await.json(), changed);
    let answer = patch(&mut ada.browser, r#"{"notifications":{"new_device":true}}"#).await;
    assert_eq!(answer.json()["notifications"]["product_news"], true, "the others stay");
    assert_eq!(patch(&mut ada.browser, "{}").await.json(), answer.json());
    assert_eq!(
        test.count(
            "select count(*) from audit_events where action = 'profile.changed' and body::text !~ 'Vienna|King'"
        )
        .await,
        2,
        "what changed is written down, and not to what"
    );
}

#[tokio::test]
async fn whose_alerts_end_is_told_so() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let told = async || {
        let mails = test.queued_mails().await;
        let alerts = mails.into_iter().filter_map(|mail| match mail.message {
            Message::DeviceAlertsOff { link, .. } => Some((mail.to, link)),
            _ => None,
        });
        alerts.collect::<Vec<_>>()
    };
    let off = r#"{"notifications":{"new_device":false}}"#;
    for other in [
        r#"{"notifications":{"tenant_ready":false}}"#,
        r#"{"notifications":{"new_device":true}}"#,
    ] {
        assert_eq!(patch(&mut ada.browser, other).await.status, 200);
    }
    assert!(told().await.is_empty(), "nothing that matters ended");
    for _ in 0..2 {
        let answer = patch(&mut ada.browser, off).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["notifications"]["new_device"], false);
    }
    let link = "http://tenantry.localhost:8080/account/sessions".to_owned();
    assert_eq!(told().await, [("ada@example.org".to_owned(), link)], "once");
    test.clock.advance(TimeDelta::seconds(1));
    patch(&mut ada.browser, r#"{"notifications":{"new_device":true}}"#).await;
    patch(&mut ada.browser, off).await;
    assert_eq!(told().await.len(), 2);
}

#[tokio::test]
async fn bad_values_are_refused_at_their_field() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let before = ada.browser.get("/api/v1/me").await.json();
    for (field, value, code) in [
        ("name", json!(""), "required"),
        ("name", json!("a".repeat(10_000)), "too_long"),
        ("name", json!("a\u{202e}b"), "control_character"),
        ("name", json!("a\nb"), "control_character"),
        ("name", json!("a\u{0}b"), "control_character"),
        ("name", json!(7), "invalid_type"),
        ("locale", json!("english"), "locale_invalid"),
        ("locale", json!("en_GB"), "locale_invalid"),
        ("time_zone", json!("Mars/Olympus_Mons"), "time_zone_unknown"),
        ("time_zone", json!("+02:00"), "time_zone_unknown"),
        ("time_zone", json!("../../etc/passwd"), "time_zone_unknown"),
        ("time_zone", json!(""), "time_zone_unknown"),
        ("email", json!("grace@example.org"), "unknown_field"),
    ] {
        let answer = patch(&mut ada.browser, &json!({ field: value }).to_string()).await;
        assert_eq!(answer.status, 422, "{field} {code}: {}", answer.text());
        let error = &answer.json()["errors"][0];
        assert_eq!(
            (error["pointer"].as_str(), error["code"].as_str()),
            (Some(&*format!("/{field}")), Some(code))
        );
    }
    for (body, status, code) in [
        (r#"{"name":"a","name":"b"}"#.to_owned(), 422, "validation_failed"),
        (
            r#"{"notifications":{"new_device":true,"new_device":false}}"#.to_owned(),
            422,
            "validation_failed",
        ),
        (
            r#"{"notifications":{"password_changed":false}}"#.to_owned(),
            422,
            "validation_failed",
        ),
        (
            format!(r#"{{"name":{}1{}}}"#, "[".repeat(5_000), "]".repeat(5_000)),
            400,
            "malformed_json",
        ),
        (r#"{"name":"a"} trailing"#.to_owned(), 400, "malformed_json"),
    ] {
        let answer = patch(&mut ada.browser, &body).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{body:.60}");
    }
    assert_eq!(ada.browser.get("/api/v1/me").await.json(), before);
}

#[tokio::test]
async fn names_of_any_script_are_taken() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    for name in ["آدا لوفلايس", "עדה", "李", "O’Neill <b>", "👩🏽‍🚀", "x"] {
        let answer = patch(&mut ada.browser, &json!({ "name": name }).to_string()).await;
        assert_eq!(answer.json()["name"], name, "{}", answer.text());
    }
}
