//! What is kept in a file survives; what a client sees of a start is what the documentation says.

mod common;

use std::process::Command;

use common::StandIn;
use serde_json::{Value, json};

async fn post(url: &str, path: &str, form: &[(&str, &str)], key: Option<&str>) -> reqwest::Result<Value> {
    let mut request = reqwest::Client::new()
        .post(format!("{url}{path}"))
        .bearer_auth("sk_test_restart")
        .form(form);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    request.send().await?.json().await
}

async fn get(url: &str, path: &str) -> reqwest::Result<Value> {
    let request = reqwest::Client::new()
        .get(format!("{url}{path}"))
        .bearer_auth("sk_test_restart");
    request.send().await?.json().await
}

#[tokio::test]
async fn state_survives_a_restart() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let arguments = ["--state", file.to_str().unwrap()];

    let first = StandIn::start(&arguments);
    let customer = post(&first.url, "/v1/customers", &[("name", "A")], Some("key"))
        .await
        .unwrap();
    let endpoint = [("url", "http://127.0.0.1:1/"), ("enabled_events[]", "customer.created")];
    post(&first.url, "/v1/webhook_endpoints", &endpoint, None)
        .await
        .unwrap();
    reqwest::Client::new()
        .post(format!("{}/_control/clock/advance", first.url))
        .json(&json!({"seconds": 3_600}))
        .send()
        .await
        .unwrap();
    first.stop();

    let second = StandIn::start(&arguments);
    assert_eq!(get(&second.url, "/v1/customers").await.unwrap()["data"][0], customer);
    assert_eq!(
        post(&second.url, "/v1/customers", &[("name", "A")], Some("key"))
            .await
            .unwrap()["id"],
        customer["id"]
    );
    assert_eq!(
        get(&second.url, "/v1/events").await.unwrap()["data"][0]["type"],
        "customer.created"
    );
    assert_eq!(
        get(&second.url, "/v1/webhook_endpoints").await.unwrap()["data"][0]["enabled_events"],
        json!(["customer.created"])
    );
    assert_eq!(get(&second.url, "/_control/clock").await.unwrap()["offset_secs"], 3_600);
    second.stop();
}

#[tokio::test]
async fn only_its_own_key_is_accepted_where_one_is_set() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let stand_in = StandIn::start(&["--api-key", "sk_test_other"]);
    let refused = get(&stand_in.url, "/v1/customers").await.unwrap();
    assert_eq!(refused["error"]["message"], "Invalid API Key provided: sk_test_***tart");
    stand_in.stop();
}

#[test]
fn a_live_key_is_refused_at_the_start() {
    let output = Command::new(env!("CARGO_BIN_EXE_stripe-stand-in"))
        .args(["serve", "--listen", "127.0.0.1:0", "--api-key", "sk_live_x"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("test keys"));
}
