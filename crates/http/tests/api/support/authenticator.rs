use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tenantry_app::clock::ManualClock;
use tenantry_domain::{accounts::TotpSecret, clock::Clock};

use super::{Answer, Browser, TestApp};

/// An authenticator app on somebody's phone.
#[derive(Clone)]
pub(crate) struct Authenticator {
    secret: Arc<TotpSecret>,
    clock: Arc<ManualClock>,
}

impl Authenticator {
    /// Learns the secret that a set-up shows.
    pub(crate) fn learn(test: &TestApp, setup: &Value) -> Self {
        let secret = TotpSecret::from_base32(setup["secret"].as_str().unwrap()).unwrap();
        Self {
            secret: Arc::new(secret),
            clock: test.clock.clone(),
        }
    }

    /// The code that is shown now.
    pub(crate) fn code(&self) -> String {
        self.secret.code_at(self.clock.now())
    }

    /// The code that was or will be shown so many steps from now.
    pub(crate) fn code_in(&self, steps: i32) -> String {
        self.secret.code_at(self.clock.now() + TimeDelta::seconds(30) * steps)
    }

    /// Waits for another code than the present one.
    pub(crate) fn next_code(&self) -> String {
        self.clock.advance(TimeDelta::seconds(30));
        self.code()
    }

    /// Six digits that are none of those that would do.
    pub(crate) fn wrong_code(&self) -> String {
        let right: Vec<String> = (-1..=1).map(|steps| self.code_in(steps)).collect();
        (0..)
            .map(|number| format!("{number:06}"))
            .find(|code| !right.contains(code))
            .unwrap()
    }
}

impl Browser {
    /// Sets a second factor up for whoever is signed in; returns it and the recovery codes.
    pub(crate) async fn sets_up_second_factor(&mut self, test: &TestApp) -> (Authenticator, Vec<String>) {
        let setup = self.post("/api/v1/me/second-factor/totp", &Value::Null).await;
        assert_eq!(setup.status, 200, "{}", setup.text());
        let app = Authenticator::learn(test, &setup.json());
        let confirmed = self
            .post("/api/v1/me/second-factor/totp/confirm", &json!({ "code": app.code() }))
            .await;
        assert_eq!(confirmed.status, 200, "{}", confirmed.text());
        (app, recovery_codes(&confirmed))
    }

    /// Answers a challenge at the customers' door.
    pub(crate) async fn answers(&mut self, challenge: &str, code: &str) -> Answer {
        let request = json!({ "challenge": challenge, "code": code });
        let answer = self.post("/api/v1/auth/login/second-factor", &request).await;
        self.remember_session(&answer);
        answer
    }
}

/// The recovery codes in an answer.
pub(crate) fn recovery_codes(answer: &Answer) -> Vec<String> {
    answer.json()["recovery_codes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code.as_str().unwrap().to_owned())
        .collect()
}
