//! Signing up, and the link that makes it live.

use chrono::TimeDelta;
use serde_json::json;
use tenantry_domain::mail::Message;
use tenantry_test_support::Mailpit;

use crate::support::{Answer, Browser, PASSWORD, TestApp};

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
    for word in ["Lovelace", "Museum"] {
        let all = [&mail.text, &mail.html];
        assert!(all.iter().all(|text| !text.contains(word)), "anybody's words: {mail:?}");
    }
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
async fn of_two_hundred_who_follow_one_link_one_gets_in() {
    let test = TestApp::start().await;
    let mut signed_up = test.browser();
    test.register(&mut signed_up, "ada@example.org").await;
    let token = test.link_token("ada@example.org").await;
    let attempts = (0..200).map(|_| {
        let mut browser = signed_up.clone();
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
    let (mut one, mut other) = (test.browser(), test.browser());
    test.register(&mut one, "ada@example.org").await;
    let first = test.link_token("ada@example.org").await;
    test.register(&mut other, "ada@example.org").await;
    let second = test.link_token("ada@example.org").await;
    assert_ne!(first, second);
    let (a, b) = tokio::join!(test.confirm(&mut one, &first), test.confirm(&mut other, &second));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410]);
    assert_eq!(test.count("select count(*) from users").await, 1);
}

/// What a link would confirm.
async fn look(browser: &mut Browser, token: &str) -> Answer {
    let path = "/api/v1/auth/verify-email/link";
    browser.post(path, &json!({ "token": token })).await
}

#[tokio::test]
async fn a_link_is_confirmed_by_the_browser_that_signed_up_or_with_the_password_chosen_there() {
    const MALLORYS: &str = "copper lighthouse folds slowly";
    let test = TestApp::start().await;
    let (mut mallory, mut victim) = (test.browser(), test.browser());
    let request = json!({
        "email": "ada@example.org", "password": MALLORYS, "name": "Mallory", "organization_name": "Not Ada's",
    });
    assert_eq!(mallory.post("/api/v1/auth/register", &request).await.status, 202);
    let planted = test.link_token("ada@example.org").await;
    test.register(&mut victim, "ada@example.org").await;
    let own = test.link_token("ada@example.org").await;

    // Whatever follows the links in her mail: nothing becomes live by looking, and the stranger's not by her password.
    let seen = look(&mut victim, &planted).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    let expected = json!({
        "email": "ada@example.org", "name": "Mallory", "organization_name": "Not Ada's", "asks_for_password": true,
    });
    assert_eq!(seen.json(), expected);
    let bare = test.confirm(&mut victim, &planted).await;
    assert_eq!(bare.status, 422, "{}", bare.text());
    let error = bare.json()["errors"][0].clone();
    assert_eq!(
        (&error["pointer"], &error["code"]),
        (&json!("/password"), &json!("required"))
    );
    let wrong = test.confirm_with_password(&mut victim, &planted, PASSWORD).await;
    assert_eq!(wrong.json()["errors"][0]["code"], "password_wrong", "{}", wrong.text());
    assert_eq!(wrong.header("ratelimit-remaining"), "4");
    assert_eq!(test.count("select count(*) from users").await, 0);

    assert_eq!(look(&mut victim, &own).await.json()["asks_for_password"], false);
    let mut phone = test.browser();
    assert_eq!(look(&mut phone, &own).await.json()["asks_for_password"], true);
    let right = test.confirm_with_password(&mut phone, &own, PASSWORD).await;
    assert_eq!(right.status, 200, "{}", right.text());
    assert_eq!(right.json()["user"]["name"], "Ada Lovelace");
    assert_eq!(look(&mut victim, &own).await.code(), "link_expired");
    assert_eq!(look(&mut mallory, &planted).await.code(), "link_expired");
    assert_eq!(look(&mut mallory, "nonsense").await.code(), "link_unknown");
    let credentials = json!({ "email": "ada@example.org", "password": MALLORYS });
    assert_eq!(
        test.browser().post("/api/v1/auth/login", &credentials).await.status,
        401
    );
}

#[tokio::test]
async fn passwords_of_a_sign_up_are_not_guessed() {
    let test = TestApp::start().await;
    let mut signed_up = test.browser();
    test.register(&mut signed_up, "ada@example.org").await;
    let token = test.link_token("ada@example.org").await;
    for guess in 0..5 {
        let mut thief = test.browser_from([198, 51, 100, guess]);
        let answer = test
            .confirm_with_password(&mut thief, &token, "not the one that was chosen")
            .await;
        assert_eq!(answer.status, 422, "{}", answer.text());
    }
    let paused = test.confirm_with_password(&mut test.browser(), &token, PASSWORD).await;
    assert_eq!((paused.status, paused.code().as_str()), (429, "too_many_attempts"));
    assert_eq!(
        test.confirm(&mut signed_up, &token).await.status,
        200,
        "nobody keeps the browser from confirming that signed up"
    );
    assert!(!signed_up.cookies.contains_key("__Host-tenantry_signup"));
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
    for network in 0..4 {
        let mut stranger = test.browser_from([198, 51, 100, network]);
        for _ in 0..5 {
            assert_eq!(test.register(&mut stranger, "ada@example.org").await.status, 202);
        }
        let answer = test.register(&mut stranger, "ada@example.org").await;
        assert_eq!((answer.status, answer.code().as_str()), (429, "too_many_attempts"));
    }
    let answer = test.register(&mut test.browser(), "ada@example.org").await;
    assert_eq!((answer.status, answer.code().as_str()), (429, "too_many_attempts"));
    assert_eq!(test.queued_mails().await.len(), 20);
    assert_eq!(
        test.register(&mut test.browser(), "grace@example.org").await.status,
        202
    );
    test.clock.advance(TimeDelta::seconds(1));
    assert_eq!(test.register(&mut test.browser(), "ada@example.org").await.status, 202);
}
