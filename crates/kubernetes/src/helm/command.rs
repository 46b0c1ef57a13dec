//! The helm program as a child process: bounded in time, killed with its caller, with an environment of its own.

use std::{
    path::PathBuf,
    process::{Output, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use tempfile::TempDir;
use tenantry_domain::provisioning::{ClusterError, cluster::HelmTurn};
use tokio::{io::AsyncWriteExt, process::Command, sync::Semaphore};

use super::failure;

/// Without `--wait` helm writes a dozen objects; what takes longer is stuck.
const TIMEOUT: Duration = Duration::from_secs(20);
/// What helm is allowed to wait for by itself: hooks.
const HOOK_TIMEOUT: &str = "15s";
/// For each processor. Helm waits for the cluster half of its time, so that one computes while another waits.
const TURNS: usize = 2;
/// Helm lives for less than a second, of which collecting its garbage takes a third. Only one with a very large chart
/// reaches the bound from which it collects after all.
const GARBAGE: [(&str, &str); 2] = [("GOGC", "off"), ("GOMEMLIMIT", "256MiB")];

/// The helm program.
#[derive(Debug, Clone)]
pub(crate) struct Helm {
    program: PathBuf,
    kubeconfig: Option<PathBuf>,
    context: Option<String>,
    /// Helm's own directories, so that no plugin, repository or setting of the machine takes part.
    home: Arc<TempDir>,
    /// Fifty of it on two processors would all be late; in turn, the first pods start while the last ones' objects are
    /// still to be written.
    turns: Arc<Semaphore>,
}

impl Helm {
    pub(crate) fn new(
        program: PathBuf,
        kubeconfig: Option<PathBuf>,
        context: Option<String>,
    ) -> Result<Self, std::io::Error> {
        let home = Arc::new(tempfile::Builder::new().prefix("tenantry-helm-").tempdir()?);
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            program,
            kubeconfig,
            context,
            home,
            turns: Arc::new(Semaphore::new(processors * TURNS)),
        })
    }

    /// In the order of asking.
    pub(crate) async fn turn(&self) -> HelmTurn {
        // Fails only when the semaphore is closed, which nobody does.
        HelmTurn::new(Arc::clone(&self.turns).acquire_owned().await.ok())
    }

    /// Runs helm and returns its standard output. `input` is written to its standard input.
    pub(crate) async fn run(&self, arguments: &[&str], input: Option<Vec<u8>>) -> Result<String, ClusterError> {
        let finished = tokio::time::timeout(TIMEOUT, self.output(arguments, input)).await;
        let Ok(output) = finished else {
            return Err(ClusterError::Timeout {
                action: "helm",
                seconds: TIMEOUT.as_secs(),
            });
        };
        let output = output.map_err(|error| ClusterError::HelmUnusable {
            detail: format!("{}: {error}", self.program.display()),
        })?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(failure::classify(&String::from_utf8_lossy(&output.stderr)))
        }
    }

    async fn output(&self, arguments: &[&str], input: Option<Vec<u8>>) -> Result<Output, std::io::Error> {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env_clear()
            .envs(inherited())
            .envs(GARBAGE)
            .env("HOME", self.home.path())
            .env("HELM_CACHE_HOME", self.home.path().join("cache"))
            .env("HELM_CONFIG_HOME", self.home.path().join("config"))
            .env("HELM_DATA_HOME", self.home.path().join("data"))
            .env("HELM_DRIVER", "secret")
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if matches!(arguments.first(), Some(&("upgrade" | "rollback" | "uninstall"))) {
            command.args(["--timeout", HOOK_TIMEOUT]);
        }
        if let Some(kubeconfig) = &self.kubeconfig {
            command.env("KUBECONFIG", kubeconfig);
        }
        if let Some(context) = &self.context {
            command.args(["--kube-context", context]);
        }
        let mut child = command.spawn()?;
        if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
            // A helm that fails early does not read to the end; its own words tell why.
            let _ = pipe.write_all(&input).await;
        }
        child.wait_with_output().await
    }
}

/// What helm needs of our environment: credential plugins on `PATH`, and the address of the API server in a pod.
fn inherited() -> impl Iterator<Item = (&'static str, std::ffi::OsString)> {
    [
        "PATH",
        "KUBERNETES_SERVICE_HOST",
        "KUBERNETES_SERVICE_PORT",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "HTTPS_PROXY",
        "NO_PROXY",
    ]
    .into_iter()
    .filter_map(|name| std::env::var_os(name).map(|value| (name, value)))
}
