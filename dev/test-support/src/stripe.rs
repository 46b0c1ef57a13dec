//! The Stripe stand-in, as a process of a test's own.

use std::{env, path::PathBuf, process::Stdio, time::Duration};

use tokio::{process::Command, sync::OnceCell};

use crate::{
    files::{private_folder, repository},
    http::client,
    ports::free_port,
    supervised::Supervised,
    wait::wait_for,
};

/// The key that the stand-in accepts.
const API_KEY: &str = "sk_test_tenantry_tests";

/// A Stripe of a test's own, empty at first.
#[derive(Debug)]
pub struct StripeStandIn {
    /// Where the API and the hosted pages are; without a slash at the end.
    pub url: String,
    /// The secret key that it accepts.
    pub api_key: String,
    _process: Supervised,
}

static PROGRAM: OnceCell<PathBuf> = OnceCell::const_new();

impl StripeStandIn {
    /// Starts one.
    ///
    /// # Panics
    /// When it cannot be built or does not start.
    pub async fn start() -> Self {
        let program = PROGRAM.get_or_init(build).await;
        for _ in 0..3 {
            if let Some(stand_in) = Self::try_start(program).await {
                return stand_in;
            }
        }
        panic!("the Stripe stand-in found no free port three times");
    }

    async fn try_start(program: &std::path::Path) -> Option<Self> {
        let folder = private_folder("tenantry-stripe-", None);
        let port = free_port();
        let url = format!("http://127.0.0.1:{port}");
        let mut process = Supervised::start(
            program,
            &[
                "serve".to_owned(),
                "--listen".to_owned(),
                format!("127.0.0.1:{port}"),
                "--public-url".to_owned(),
                url.clone(),
                "--api-key".to_owned(),
                API_KEY.to_owned(),
            ],
            &[],
            None,
            Some(&folder),
            "TERM",
            &folder.join("log"),
        );
        let health = format!("{url}/_control/health");
        let up = wait_for("the Stripe stand-in to start", Duration::from_secs(10), async || {
            if let Some(obituary) = process.obituary() {
                assert!(obituary.contains("in use"), "the Stripe stand-in ended: {obituary}");
                return Some(false);
            }
            let answer = client().get(&health).send().await.ok()?;
            answer.status().is_success().then_some(true)
        })
        .await;
        up.then(|| Self {
            url,
            api_key: API_KEY.to_owned(),
            _process: process,
        })
    }
}

/// The program that `TENANTRY_TEST_STRIPE_STAND_IN` names, else that of this checkout. A test of another crate does not
/// build it, so it is built here, which takes a moment when nothing changed.
async fn build() -> PathBuf {
    if let Some(chosen) = env::var_os("TENANTRY_TEST_STRIPE_STAND_IN") {
        return PathBuf::from(chosen);
    }
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "tenantry-stripe-stand-in"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(repository())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await
        .expect("cargo");
    assert!(output.status.success(), "the Stripe stand-in does not build");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| {
            let program = message.get("executable")?.as_str()?;
            program.ends_with("stripe-stand-in").then(|| PathBuf::from(program))
        })
        .expect("the path of the built program")
}
