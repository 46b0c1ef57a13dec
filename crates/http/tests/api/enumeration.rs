//! Whether an address is known cannot be told by what an act answers, which statements it runs, how often a password is
//! hashed, or how many mails are queued: each of them is counted here.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};

use crate::support::{Browser, PASSWORD, TestApp};

/// Every statement that this test's thread runs, as the driver logs it.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    fn record(&self) -> DefaultGuard {
        tracing::subscriber::set_default(self.clone())
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut statement = Statement::default();
        event.record(&mut statement);
        let Statement { summary, text } = statement;
        self.0
            .lock()
            .unwrap()
            .push(if text.trim().is_empty() { summary } else { text });
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Statement {
    summary: String,
    text: String,
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => self.summary = value.to_owned(),
            "db.statement" => self.text = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// What one act costs and says.
#[derive(Debug, PartialEq)]
struct Traces {
    status: u16,
    body: Value,
    headers: Vec<String>,
    statements: Vec<String>,
    argon2_runs: u64,
    mails: usize,
}

async fn traces(test: &TestApp, statements: &Statements, mut browser: Browser, path: &str, body: &Value) -> Traces {
    let (runs, mails) = (test.app.passwords.runs(), test.queued_mails().await.len());
    statements.take();
    let answer = browser.post(path, body).await;
    let statements = statements.take();
    let mut body = answer.json();
    if body.get("request_id").is_some() {
        body["request_id"] = Value::Null;
    }
    let names = answer.headers.keys().map(ToString::to_string);
    Traces {
        status: answer.status,
        body,
        headers: names.collect(),
        statements,
        argon2_runs: test.app.passwords.runs() - runs,
        mails: test.queued_mails().await.len() - mails,
    }
}

#[tokio::test]
async fn known_and_unknown_addresses_leave_the_same_traces() {
    // With a single subscriber alive, whichever thread meets a callsite first decides for all whether anybody listens.
    let _second = tracing::Dispatch::new(Statements::default());
    let test = TestApp::start().await;
    test.person("ada").await;
    let mut signed_up = test.browser();
    test.register(&mut signed_up, "waiting@example.org").await;
    let statements = Statements::default();
    let _recording = statements.record();
    let register = |email: &str| json!({ "email": email, "password": PASSWORD, "name": "Grace Hopper", "organization_name": "Navy" });
    let login = |email: &str| json!({ "email": email, "password": "another tractor hums at noon" });
    let ask = |email: &str| json!({ "email": email });
    for (path, body, status, argon2_runs, mails) in [
        ("/api/v1/auth/register", &register as &dyn Fn(&str) -> Value, 202, 1, 1),
        ("/api/v1/auth/login", &login, 401, 1, 0),
        ("/api/v1/auth/forgot-password", &ask, 202, 0, 1),
        ("/api/v1/auth/resend-verification", &ask, 202, 0, 1),
    ] {
        // Connections are opened and plans made before anything is compared.
        traces(&test, &statements, test.browser(), path, &body("first@example.org")).await;
        // A browser that nobody knows, and the one from which the sign-up was made that waits.
        for browser in [test.browser(), signed_up.clone()] {
            let leaves = async |email: &str| traces(&test, &statements, browser.clone(), path, &body(email)).await;
            let known = leaves("ada@example.org").await;
            let unknown = leaves(&format!("nobody-{mails}@example.org")).await;
            let waiting = leaves("waiting@example.org").await;
            assert_eq!(known, unknown, "{path}");
            assert_eq!(known, waiting, "{path}");
            assert_eq!(
                (known.status, known.argon2_runs, known.mails),
                (status, argon2_runs, mails),
                "{path}"
            );
            assert!(known.statements.len() > 4, "{path}: {:?}", known.statements);
        }
    }
}

#[tokio::test]
async fn what_is_left_is_told_and_nobodys_inbox_is_filled() {
    let test = TestApp::start().await;
    for path in ["/api/v1/auth/forgot-password", "/api/v1/auth/resend-verification"] {
        for left in ["4", "3", "2", "1", "0"] {
            let answer = test.browser().post(path, &json!({ "email": "ada@example.org" })).await;
            assert_eq!(answer.status, 202, "{}", answer.text());
            assert_eq!(answer.header("ratelimit-limit"), "5", "{path}");
            assert_eq!(answer.header("ratelimit-remaining"), left, "{path}");
        }
        let mails = test.queued_mails().await.len();
        let asked = json!({ "email": "Ada@Example.org" });
        let refused = test.browser().post(path, &asked).await;
        assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_attempts"));
        for (name, value) in [
            ("retry-after", "1"),
            ("ratelimit-limit", "5"),
            ("ratelimit-remaining", "0"),
            ("ratelimit-reset", "1"),
        ] {
            assert_eq!(refused.header(name), value, "{name} of {path}");
        }
        assert_eq!(test.queued_mails().await.len(), mails);
        // Whoever asks elsewhere is not kept from it, up to a number for the inbox in all.
        let mut others = 0;
        let refused = loop {
            let mut elsewhere = test.browser_from([198, 51, 100, others]);
            let answer = elsewhere.post(path, &asked).await;
            if answer.status != 202 {
                break answer;
            }
            others += 1;
        };
        assert_eq!(others, 15, "{path}");
        assert_eq!((refused.status, refused.header("ratelimit-limit")), (429, "20"));
    }
    let register = test.register(&mut test.browser(), "ada@example.org").await;
    assert_eq!(
        register.header("ratelimit-remaining"),
        "4",
        "each act has a count of its own"
    );
}
