//! Every part of the demonstration, and how it is started.

pub mod control_plane;
mod local;
mod marker;
mod operator;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{process::Command, time::Instant};
use url::Url;

pub use operator::Authenticator;

use crate::{error::DemoError, options::Options, report::say, supervisor::Supervisor};

/// What runs, and how it is reached.
pub struct Parts {
    /// The application.
    pub public_url: Url,
    /// The first customer's address.
    pub customer_email: String,
    /// What the first customer's tenant is called.
    pub tenant_name: String,
    /// Made for this run.
    pub customer_password: String,
    /// The operator's address.
    pub operator_email: String,
    /// Made for this run.
    pub operator_password: String,
    /// The operator's second factor; `None` in a database that was there before.
    pub operator_app: Option<Authenticator>,
    /// The mail inbox's page, where it is ours.
    pub inbox_url: Option<String>,
    /// Where payments are looked at.
    pub stripe_url: String,
    /// Whether Stripe is the stand-in, so that a script may pay.
    pub stripe_is_stand_in: bool,
    /// The cluster.
    pub kubeconfig: PathBuf,
    /// Where the ingress answers.
    pub ingress_address: String,
    /// Whether tenants run the sample product, which shows whose it is.
    pub is_sample_product: bool,
    /// The environment that `tenantry` runs with.
    pub environment: HashMap<String, String>,
    /// From starting `tenantry serve` to its readiness.
    pub start_to_ready: Duration,
}

/// What the local parts tell the control plane.
struct Surroundings {
    database: Database,
    smtp_url: String,
    inbox_url: Option<String>,
    stripe_key: String,
    stripe_api: Option<String>,
    cluster: HashMap<String, String>,
}

/// A ledger, and how far the demonstration may take it for its own.
struct Database {
    /// The URLs of owner and log-in roles, by their variables.
    urls: HashMap<String, String>,
    claim: marker::Claim,
    /// The owner's URL of a database that was given, to be marked when its schema is made.
    given: Option<Url>,
}

impl Parts {
    /// Starts what is not given by `DEMO_…`, all at once, then the control plane on top.
    pub async fn start(options: &Options, supervisor: &mut Supervisor) -> Result<Self, DemoError> {
        if options.state.exists() {
            std::fs::remove_dir_all(&options.state)?;
        }
        std::fs::create_dir_all(options.state.join("log"))?;
        let surroundings = local::start(options, supervisor).await?;
        control_plane::start(options, supervisor, surroundings).await
    }
}

/// Runs a command to its end and returns what it printed.
pub async fn output(part: &'static str, command: &mut Command) -> Result<String, DemoError> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .await
        .map_err(|error| DemoError::Part {
            part,
            reason: error.to_string(),
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = said.lines().rev().take(12).collect();
    Err(DemoError::Part {
        part,
        reason: last.into_iter().rev().collect::<Vec<_>>().join("\n"),
    })
}

/// Reads `NAME=value` lines, with or without `export` and quotes.
fn assignments(text: &str) -> HashMap<String, String> {
    text.lines()
        .filter_map(|line| line.trim().trim_start_matches("export ").split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches(['\'', '"']).to_owned()))
        .collect()
}

/// The port if it is free, else one that the system chooses.
pub fn free_port(preferred: u16) -> Result<u16, DemoError> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", preferred)).or_else(|_| {
        say(&format!("port {preferred} is taken; using another"));
        std::net::TcpListener::bind(("127.0.0.1", 0))
    })?;
    Ok(listener.local_addr()?.port())
}

/// Asks until the address answers with success.
pub async fn until_answers(part: &'static str, url: &str, patience: Duration) -> Result<(), DemoError> {
    let begun = Instant::now();
    let mut last = String::new();
    while begun.elapsed() < patience {
        match reqwest::get(url).await {
            Ok(response) if response.status().is_success() => return Ok(()),
            Ok(response) => last = format!("it answers {}", response.status()),
            Err(error) => last = error.to_string(),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(DemoError::Part {
        part,
        reason: format!("{url} does not answer after {} s: {last}", patience.as_secs()),
    })
}

/// A path as text for the environment of a program.
fn text(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_shell_would() {
        let read = assignments("export A='1'\nB=two\n# nothing\n");
        assert_eq!((read["A"].as_str(), read["B"].as_str()), ("1", "two"));
    }
}
