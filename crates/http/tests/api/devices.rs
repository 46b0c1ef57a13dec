//! Browsers that signed in before: strangers do not lock their owner out, and new ones are told of.

use chrono::TimeDelta;
use serde_json::json;
use tenantry_domain::mail::Message;

use crate::support::{Answer, Browser, PASSWORD, TestApp};

const COOKIE: &str = "__Host-tenantry_device";

async fn login(browser: &mut Browser, email: &str, password: &str) -> Answer {
    let answer = browser
        .post("/api/v1/auth/login", &json!({ "email": email, "password": password }))
        .await;
    browser.remember_session(&answer);
    answer
}

async fn new_devices(test: &TestApp) -> Vec<String> {
    let mails = test.queued_mails().await;
    let told = mails.iter().filter_map(|mail| match &mail.message {
        Message::NewDevice { device, .. } => Some(device.clone()),
        _ => None,
    });
    told.collect()
}

#[tokio::test]
async fn strangers_do_not_lock_an_owner_out_of_a_device_that_is_known() {
    let test = TestApp::start().await;
    let mut owner = test.person("ada").await.browser;
    for guess in 0..1000_u32 {
        let [.., high, low] = guess.to_be_bytes();
        let mut stranger = test.browser_from([198, 51, high, low]);
        let answer = login(&mut stranger, "ada@example.org", "wrong password").await;
        assert_eq!(answer.status, 401, "each is looked at, and fails");
        if guess < 999 {
            test.clock.advance(TimeDelta::minutes(15));
        }
    }
    let mut elsewhere = test.browser_from([203, 0, 113, 99]);
    let waits = login(&mut elsewhere, "ada@example.org", PASSWORD).await;
    assert_eq!((waits.status, waits.header("retry-after")), (429, "900"));
    let answer = login(&mut owner, "ada@example.org", PASSWORD).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn strangers_do_not_keep_an_owner_from_their_mails() {
    let test = TestApp::start().await;
    let mut owner = test.person("ada").await.browser;
    let path = "/api/v1/auth/forgot-password";
    let asked = json!({ "email": "ada@example.org" });
    let mut refused = 0;
    for guess in 0..60 {
        let mut stranger = test.browser_from([198, 51, 100, guess / 6]);
        refused += usize::from(stranger.post(path, &asked).await.status == 429);
    }
    assert_eq!(refused, 40, "five for each network, twenty in all");
    assert_eq!(
        test.browser().post(path, &asked).await.status,
        429,
        "nobody knows who that is"
    );
    for left in ["4", "3", "2", "1", "0"] {
        let answer = owner.post(path, &asked).await;
        assert_eq!((answer.status, answer.header("ratelimit-remaining")), (202, left));
    }
    assert_eq!(owner.post(path, &asked).await.status, 429, "it is counted, too");
}

#[tokio::test]
async fn guesses_on_a_known_device_are_counted_too() {
    let test = TestApp::start().await;
    let mut thief = test.person("ada").await.browser;
    for _ in 0..5 {
        assert_eq!(login(&mut thief, "ada@example.org", "wrong password").await.status, 401);
    }
    assert_eq!(login(&mut thief, "ada@example.org", PASSWORD).await.status, 429);
    assert_eq!(
        login(&mut test.browser(), "ada@example.org", PASSWORD).await.status,
        200,
        "and nowhere else"
    );
    test.person("grace").await;
    for _ in 0..5 {
        assert_eq!(
            login(&mut thief, "grace@example.org", "wrong password").await.status,
            401
        );
    }
    assert_eq!(
        login(&mut test.browser(), "grace@example.org", PASSWORD).await.status,
        429,
        "it is not grace's device"
    );
}

#[tokio::test]
async fn a_new_device_is_told_of_once() {
    let test = TestApp::start().await;
    let mut known = test.person("ada").await.browser;
    assert_eq!(login(&mut known, "ada@example.org", PASSWORD).await.status, 200);
    assert!(new_devices(&test).await.is_empty(), "it is the one that signed up");
    let mut other = test.browser();
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    for _ in 0..2 {
        let answer = other
            .post_with("/api/v1/auth/login", &body, &[("user-agent", agent)])
            .await;
        assert_eq!(answer.status, 200);
    }
    assert_eq!(new_devices(&test).await, ["Firefox on Linux"]);
    test.execute(r#"update users set notifications = '{"new_device": false}'"#)
        .await;
    assert_eq!(
        login(&mut test.browser(), "ada@example.org", PASSWORD).await.status,
        200
    );
    assert_eq!(new_devices(&test).await.len(), 1, "not for who does not want to know");
}

#[tokio::test]
async fn a_device_cookie_that_was_planted_is_not_taken_over() {
    let test = TestApp::start().await;
    test.person("ada").await;
    let mut attacker = test.person("mallory").await.browser;
    let planted = attacker.cookies[COOKIE].clone();
    let mut victim = test.browser();
    victim.cookies.insert(COOKIE.to_owned(), planted.clone());
    assert_eq!(login(&mut victim, "ada@example.org", PASSWORD).await.status, 200);
    assert_ne!(victim.cookies[COOKIE], planted);
    // What mallory knows is worth nothing for ada's account: five guesses, and the account waits.
    for _ in 0..5 {
        assert_eq!(
            login(&mut attacker, "ada@example.org", "wrong password").await.status,
            401
        );
    }
    assert_eq!(
        login(&mut attacker, "ada@example.org", "wrong password").await.status,
        429
    );
    assert_eq!(login(&mut victim, "ada@example.org", PASSWORD).await.status, 200);

    let mut tossed = test.browser();
    let ours = &victim.cookies[COOKIE];
    let both = format!("{COOKIE}={}; {COOKIE}={ours}", "C".repeat(43));
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    let answer = tossed
        .post_with("/api/v1/auth/login", &body, &[("cookie", &both)])
        .await;
    assert_eq!(answer.status, 429, "two cookies of the name are none");
}

#[tokio::test]
async fn a_browser_that_two_people_share_is_known_to_both() {
    let test = TestApp::start().await;
    let mut shared = test.person("ada").await.browser;
    test.person("grace").await;
    assert_eq!(login(&mut shared, "grace@example.org", PASSWORD).await.status, 200);
    for name in ["ada", "grace"] {
        let email = format!("{name}@example.org");
        for _ in 0..5 {
            assert_eq!(login(&mut test.browser(), &email, "wrong password").await.status, 401);
        }
        assert_eq!(login(&mut test.browser(), &email, PASSWORD).await.status, 429);
        assert_eq!(login(&mut shared, &email, PASSWORD).await.status, 200, "{name}");
    }
}
