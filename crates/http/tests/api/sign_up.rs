//! Signing up, and the link that makes it live.

use chrono::TimeDelta;
use serde_json::json;
use tenantry_domain::mail::Message;
use tenantry_test_support::Mailpit;

use crate::support::TestApp;

#[tokio::test]
async fn the_link_in_the_mail_makes_the_account_live() {
    let inbox = Mailpit::start().await;
    let test = TestApp::start_with_mail(&inbox).await;
    let mut browser = test.browser();
    assert_eq!(test.register(&mut browser, "Ada+museum@Example.ORG").await.status, 202);
    assert_eq!(browser.get("/api/v1/session").await.code(), "unauthenticated");
    assert_eq!(
        test.count("select count(*) from users").await,
        0,
        "nothing is live before the link is followed"
    );

    let mail = inbox.wait_for_mail_to("ada+museum@example.org").await;
    let link = mail
        .text
        .split_whitespace()
        .find(|word| word.starts_with("http"))
        .unwrap();
    let (page, token) = link.split_once("#token=").unwrap();
    assert_eq!(page, "http://tenantry.localhost:8080/confirm");
    assert!(mail.html.contains(token));

    let answer = test.confirm(&mut browser, token).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let session = answer.json();
    assert_eq!(session["user"]["email"], "ada+museum@example.org");
    assert_eq!(session["organizations"][0]["slug"], "museum-of-examples");
    assert_eq!(session["organizations"][0]["role"], "owner");
    assert_eq!(browser.get("/api/v1/session").await.json(), session);

    assert_eq!(test.confirm(&mut test.browser(), token).await.code(), "link_expired");
    let credentials = json!({ "email": "ada+museum@example.org", "password": crate::support::PASSWORD });
    assert_eq!(
        test.browser().post("/api/v1/auth/login", &credentials).await.status,
        200
    );
    test.stop().await;
}

#[tokio::test]
async fn of_fifty_who_follow_one_link_one_gets_in() {
    let test = TestApp::start().await;
    test.register(&mut test.browser(), "ada@example.org").await;
    let token = test.link_token("ada@example.org").await;
    let attempts = (0..50).map(|_| {
        let mut browser = test.browser();
        let token = token.clone();
        async move {
            browser
                .post("/api/v1/auth/verify-email", &json!({ "token": token }))
                .await
                .status
        }
    });
    let mut answers = futures::future::join_all(attempts).await;
    answers.sort_unstable();
    assert_eq!(answers[0], 200);
    assert!(answers[1..].iter().all(|status| *status == 410), "{answers:?}");
    for (table, query) in [
        ("users", "select count(*) from users"),
        ("organizations", "select count(*) from organizations"),
        ("sessions", "select count(*) from sessions"),
    ] {
        assert_eq!(test.count(query).await, 1, "{table}");
    }
}

#[tokio::test]
async fn confirming_one_of_several_sign_ups_voids_the_others() {
    let test = TestApp::start().await;
    test.register(&mut test.browser(), "ada@example.org").await;
    let first = test.link_token("ada@example.org").await;
    test.register(&mut test.browser(), "ada@example.org").await;
    let second = test.link_token("ada@example.org").await;
    assert_ne!(first, second);
    let (mut one, mut other) = (test.browser(), test.browser());
    let (a, b) = tokio::join!(test.confirm(&mut one, &first), test.confirm(&mut other, &second));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410]);
    assert_eq!(test.count("select count(*) from users").await, 1);
}

#[tokio::test]
async fn a_link_works_for_a_day() {
    let test = TestApp::start().await;
    test.register(&mut test.browser(), "ada@example.org").await;
    let token = test.link_token("ada@example.org").await;
    test.clock.advance(TimeDelta::hours(24));
    assert_eq!(test.confirm(&mut test.browser(), &token).await.code(), "link_expired");
    let never_sent = "A".repeat(43);
    for unknown in [never_sent.as_str(), "", "x", "%00"] {
        let answer = test.confirm(&mut test.browser(), unknown).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (404, "link_unknown"),
            "{unknown}"
        );
    }
}

#[tokio::test]
async fn whether_an_address_has_an_account_shows_in_its_inbox_alone() {
    let test = TestApp::start().await;
    test.person("ada").await;
    let before = test.count("select count(*) from jobs").await;

    let known = test.register(&mut test.browser(), "ada@example.org").await;
    let unknown = test.register(&mut test.browser(), "grace@example.org").await;
    assert_eq!((known.status, known.text()), (unknown.status, unknown.text()));
    let names = |answer: &crate::support::Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&known), names(&unknown));
    assert_eq!(test.count("select count(*) from jobs").await, before + 2);
    assert_eq!(
        test.count("select count(*) from sign_ups").await,
        3,
        "the same rows are written for both"
    );

    let mails = test.queued_mails().await;
    let about = |email: &str| &mails.iter().rev().find(|mail| mail.to == email).unwrap().message;
    assert!(matches!(about("ada@example.org"), Message::AlreadyRegistered { .. }));
    assert!(matches!(about("grace@example.org"), Message::Confirm { .. }));
}

#[tokio::test]
async fn bad_input_is_refused_at_its_field() {
    let test = TestApp::start().await;
    let good = json!({
        "email": "ada@example.org", "password": "violet tractor hums at noon", "name": "Ada", "organization_name": "Museum",
    });
    for (field, value, code) in [
        ("email", json!("ada"), "email_invalid"),
        ("email", json!(format!("{}@example.org", "a".repeat(255))), "too_long"),
        (
            "email",
            json!("\"ada @ home\"@example.org"),
            "email_local_part_unsupported",
        ),
        ("email", json!("ada@example.org\r\nBcc: x@example.org"), "email_invalid"),
        ("email", json!(null), "invalid_type"),
        ("password", json!("short"), "too_short"),
        ("password", json!("a".repeat(1025)), "too_long"),
        ("password", json!("password1234"), "password_too_weak"),
        ("name", json!(""), "required"),
        ("name", json!("a".repeat(10_000)), "too_long"),
        ("organization_name", json!("a\u{0}b"), "control_character"),
        ("organization_name", json!("a\nb"), "control_character"),
        ("organization_name", json!("a\u{202e}b"), "control_character"),
        ("plan", json!("free"), "unknown_field"),
    ] {
        let mut request = good.clone();
        request[field] = value;
        let answer = test.browser().post("/api/v1/auth/register", &request).await;
        assert_eq!(answer.status, 422, "{field} {code}: {}", answer.text());
        assert_eq!(answer.code(), "validation_failed");
        let error = &answer.json()["errors"][0];
        assert_eq!(
            (error["pointer"].as_str(), error["code"].as_str()),
            (Some(&*format!("/{field}")), Some(code))
        );
    }
    assert_eq!(test.count("select count(*) from sign_ups").await, 0);
}

#[tokio::test]
async fn organizations_may_have_any_name() {
    let test = TestApp::start().await;
    let emoji = "🏛".repeat(200);
    for (index, (name, slug)) in [
        (r#""; {{ x }}"#, "x"),
        (emoji.as_str(), "organization"),
        ("متحف الأمثلة", "organization-2"),
        ("Robert'); DROP TABLE users;--", "robert-drop-table-users"),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("person{index}@example.org");
        let mut browser = test.browser();
        let request = json!({ "email": email, "password": "violet tractor hums at noon", "name": name, "organization_name": name });
        assert_eq!(browser.post("/api/v1/auth/register", &request).await.status, 202);
        let session = test.confirm(&mut browser, &test.link_token(&email).await).await.json();
        assert_eq!(session["organizations"][0]["name"], name);
        assert_eq!(session["organizations"][0]["slug"], slug);
    }
}

#[tokio::test]
async fn nobodys_inbox_is_filled() {
    let test = TestApp::start().await;
    for _ in 0..5 {
        assert_eq!(test.register(&mut test.browser(), "ada@example.org").await.status, 202);
    }
    let answer = test
        .register(&mut test.browser_from([198, 51, 100, 1]), "ada@example.org")
        .await;
    assert_eq!((answer.status, answer.code().as_str()), (429, "too_many_attempts"));
    assert_eq!(test.queued_mails().await.len(), 5);
    assert_eq!(
        test.register(&mut test.browser(), "grace@example.org").await.status,
        202
    );
    test.clock.advance(TimeDelta::seconds(1));
    assert_eq!(test.register(&mut test.browser(), "ada@example.org").await.status, 202);
}
