//! A master key is added: nothing that a client holds stops being worth something.

use serde_json::json;

use crate::support::{MASTER_KEYS, PASSWORD, TestApp};

const NEWER: &str = "k2 QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoyMzQ1Njc=";

#[tokio::test]
async fn cursors_forms_and_counted_failures_outlive_a_new_master_key() {
    let mut test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    for name in ["Second", "Third"] {
        let made = ada.post("/api/v1/organizations", &json!({ "name": name })).await;
        assert_eq!(made.status, 201, "{}", made.text());
    }
    let page = ada.get("/api/v1/organizations?limit=1").await.json();
    let cursor = page["next_cursor"].as_str().unwrap().to_owned();
    let guess = json!({ "email": "ada@example.org", "password": "wrong password" });
    for _ in 0..5 {
        assert_eq!(test.browser().post("/api/v1/auth/login", &guess).await.status, 401);
    }

    test.restart_with_keys(&format!("{MASTER_KEYS}{NEWER}")).await;
    let mut moved = test.browser();
    moved.cookies = ada.cookies;
    moved.csrf_token = ada.csrf_token;
    let next = moved
        .get(&format!("/api/v1/organizations?limit=1&cursor={cursor}"))
        .await;
    assert_eq!(next.status, 200, "{}", next.text());
    let made = moved.post("/api/v1/organizations", &json!({ "name": "Fourth" })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let right = json!({ "email": "ada@example.org", "password": PASSWORD });
    let paused = test.browser().post("/api/v1/auth/login", &right).await;
    assert_eq!((paused.status, paused.code().as_str()), (429, "too_many_attempts"));
}
