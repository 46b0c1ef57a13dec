//! Apps that show codes: confirmed in time, and whoever wrote them.

use std::{path::Path, process::Command};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tenantry_domain::accounts::TotpSecret;

use crate::{
    second_factors::{TOTP, challenge},
    support::{Authenticator, PASSWORD, TestApp},
};

#[tokio::test]
async fn an_app_is_confirmed_soon_by_somebody_who_proved_who_they_are_and_does_not_guess() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let confirm = format!("{TOTP}/confirm");
    let (step_up, proof) = ("/api/v1/auth/step-up", json!({ "password": PASSWORD }));
    let setup = ada.post(TOTP, &Value::Null).await.json();
    let app = Authenticator::learn(&test, &setup);

    test.clock.advance(TimeDelta::minutes(10) + TimeDelta::seconds(1));
    let unproved = ada.post(&confirm, &json!({ "code": app.code() })).await;
    assert_eq!((unproved.status, unproved.code().as_str()), (403, "step_up_required"));
    assert_eq!(ada.post(step_up, &proof).await.status, 204);
    let late = ada.post(&confirm, &json!({ "code": app.code() })).await;
    assert_eq!(
        (late.status, late.code().as_str()),
        (401, "code_invalid"),
        "it waited too long"
    );

    let setup = ada.post(TOTP, &Value::Null).await.json();
    let app = Authenticator::learn(&test, &setup);
    let mut left = Vec::new();
    for _ in 0..4 {
        let wrong = ada.post(&confirm, &json!({ "code": app.wrong_code() })).await;
        assert_eq!(wrong.code(), "code_invalid");
        left.push(wrong.header("ratelimit-remaining").to_owned());
    }
    assert_eq!(left, ["3", "2", "1", "0"]);
    let paused = ada.post(&confirm, &json!({ "code": app.code() })).await;
    assert_eq!((paused.status, paused.code().as_str()), (429, "too_many_attempts"));
    assert_eq!(ada.get("/api/v1/me/second-factor").await.json()["enabled"], false);
    test.clock.advance(TimeDelta::minutes(1));
    let right = ada.post(&confirm, &json!({ "code": app.code() })).await;
    assert_eq!(right.status, 200, "{}", right.text());

    // An app that is to take the place of one that counts waits no longer.
    let replacement = Authenticator::learn(&test, &ada.post(TOTP, &Value::Null).await.json());
    test.clock.advance(TimeDelta::minutes(11));
    assert_eq!(ada.post(step_up, &json!({ "code": app.code() })).await.status, 204);
    let late = ada.post(&confirm, &json!({ "code": replacement.code() })).await;
    assert_eq!(late.code(), "code_invalid");
}

/// What pyotp makes of an address: whose it is, and the codes of so many steps from a moment on.
fn pyotp(uri: &str, from: DateTime<Utc>, steps: usize) -> (String, Vec<String>) {
    const SCRIPT: &str = "import pyotp, sys\n\
        totp = pyotp.parse_uri(sys.argv[1])\n\
        print(totp.issuer, totp.name)\n\
        for step in range(int(sys.argv[3])): print(totp.at(int(sys.argv[2]) + 30 * step))";
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dev/tools/install");
    let python = Command::new(tools).arg("python-venv").output().unwrap();
    assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
    let python = String::from_utf8(python.stdout).unwrap();
    let output = Command::new(python.trim())
        .args(["-c", SCRIPT, uri, &from.timestamp().to_string(), &steps.to_string()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let mut lines = said.lines().map(str::to_owned);
    let name = lines.next().unwrap();
    let codes: Vec<String> = lines.collect();
    assert_eq!(codes.len(), steps);
    (name, codes)
}

#[tokio::test]
async fn another_implementation_shows_the_same_codes() {
    let secret = TotpSecret::from_random(*b"a secret of 20 bytes");
    let uri = secret.otpauth_uri("Tenantry", "ada@example.org").unwrap();
    let now = Utc::now();
    let (name, codes) = pyotp(uri.expose_secret(), now, 100);
    assert_eq!(name, "Tenantry ada@example.org");
    for (step, theirs) in (0..).zip(codes) {
        let ours = secret.code_at(now + TimeDelta::seconds(30 * step));
        assert_eq!(theirs, ours, "step {step}");
    }
}

#[tokio::test]
async fn another_implementation_is_set_up_and_signs_in() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let setup = ada.post(TOTP, &Value::Null).await.json();
    let (name, codes) = pyotp(setup["otpauth_uri"].as_str().unwrap(), test.now(), 2);
    assert_eq!(name, "Tenantry ada@example.org");
    let confirmed = ada.post(&format!("{TOTP}/confirm"), &json!({ "code": codes[0] })).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text());
    let mut browser = test.browser();
    let token = challenge(&mut browser, "ada@example.org").await;
    test.clock.advance(TimeDelta::seconds(30));
    let answer = browser.answers(&token, &codes[1]).await;
    assert_eq!(answer.json()["result"], "session", "{}", answer.text());
}
