//! The operator's second factor, without which nobody opens the console: set up as a person would, through the API.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use totp_rs::Totp;
use url::Url;

use crate::error::DemoError;

const STEP_SECS: u64 = 30;

/// An authenticator app that knows one secret.
#[derive(Debug)]
pub struct Authenticator {
    /// What a person types into an app.
    pub secret: String,
    /// The address that a real app reads from a QR code.
    pub otpauth_uri: String,
    totp: Totp,
}

impl Authenticator {
    fn learn(setup: Setup) -> Result<Self, DemoError> {
        let Setup { secret, otpauth_uri } = setup;
        let totp = Totp::from_url(&otpauth_uri).map_err(failed)?;
        Ok(Self {
            secret,
            otpauth_uri,
            totp,
        })
    }

    /// The code that is shown now, or was so many steps ago.
    fn code(&self, steps_ago: u64) -> String {
        self.totp.generate(now() - STEP_SECS * steps_ago).to_string()
    }

    /// The code that is shown now, and for how many seconds still.
    #[must_use]
    pub fn present(&self) -> (String, u64) {
        (self.code(0), STEP_SECS - now() % STEP_SECS)
    }
}

#[derive(Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
enum SignIn {
    SecondFactor {},
    SetUpSecondFactor { challenge: Challenge },
}

#[derive(Deserialize)]
struct Challenge {
    token: String,
}

#[derive(Deserialize)]
struct Setup {
    secret: String,
    otpauth_uri: String,
}

/// Sets the second factor up; `None` for an operator of a database that was there before, who has one.
pub(super) async fn set_up(public_url: &Url, email: &str, password: &str) -> Result<Option<Authenticator>, DemoError> {
    let client = Client::new();
    let auth = format!("{public_url}api/v1/operator/auth");
    let credentials = json!({ "email": email, "password": password });
    let answer: SignIn =
        serde_json::from_value(post(&client, &format!("{auth}/login"), &credentials).await?).map_err(failed)?;
    let SignIn::SetUpSecondFactor { challenge } = answer else {
        return Ok(None);
    };
    let path = format!("{auth}/second-factor/totp");
    let setup = post(&client, &path, &json!({ "challenge": challenge.token })).await?;
    let setup: Setup = serde_json::from_value(setup).map_err(failed)?;
    let app = Authenticator::learn(setup)?;
    // The code before the present one will do, and leaves the present one to whoever reads it here.
    let confirmation = json!({ "challenge": challenge.token, "code": app.code(1) });
    post(&client, &format!("{auth}/second-factor/confirm"), &confirmation).await?;
    Ok(Some(app))
}

async fn post(client: &Client, url: &str, body: &Value) -> Result<Value, DemoError> {
    let answer = client.post(url).json(body).send().await.map_err(failed)?;
    let status = answer.status();
    let body: Value = answer.json().await.map_err(failed)?;
    if status.is_success() {
        Ok(body)
    } else {
        Err(failed(format!("{url} answers {status}: {}", body["detail"])))
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map(|since| since.as_secs())
        .unwrap_or_default()
}

fn failed(reason: impl ToString) -> DemoError {
    DemoError::Part {
        part: "the operator's second factor",
        reason: reason.to_string(),
    }
}
