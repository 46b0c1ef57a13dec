//! The helm program as a child process: bounded in time, killed with its caller, with settings of its own.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
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
            .envs(std::env::vars_os().filter(|(name, _)| !is_withheld(name)))
            .envs(GARBAGE)
            .env("HELM_CACHE_HOME", self.home.path().join("cache"))
            .env("HELM_CONFIG_HOME", self.home.path().join("config"))
            .env("HELM_DATA_HOME", self.home.path().join("data"))
            .env("KUBECACHEDIR", self.home.path().join("kube"))
            .env("HELM_DRIVER", "secret")
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if matches!(arguments.first(), Some(&("upgrade" | "rollback" | "uninstall"))) {
            command.args(["--timeout", HOOK_TIMEOUT]);
        }
        // Without one, the pod's service account: not what lies in somebody's home.
        command.env(
            "KUBECONFIG",
            self.kubeconfig.as_deref().unwrap_or(Path::new("/dev/null")),
        );
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

/// Helm logs in as we do: the plugin that a kubeconfig names finds what it goes by in the home and the environment of
/// whoever runs us (`AWS_…`, `GOOGLE_…`, a proxy). It does not get what is ours alone, since that holds passwords, nor what
/// would set helm up differently.
const WITHHELD: [&str; 4] = ["TENANTRY_", "DATABASE_", "STRIPE_", "HELM_"];

fn is_withheld(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    WITHHELD.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt};

    use super::*;

    /// What a child of ours finds in its environment.
    async fn environment(kubeconfig: Option<PathBuf>) -> BTreeMap<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("helm");
        fs::write(&program, "#!/bin/sh\nexec env\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        let said = Helm::new(program, kubeconfig, None)
            .unwrap()
            .run(&[], None)
            .await
            .unwrap();
        said.lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    #[tokio::test]
    async fn helm_finds_what_credential_plugins_go_by() {
        let found = environment(Some("/etc/kubeconfig".into())).await;
        // The second is any variable that is not ours: cargo sets it.
        for name in ["HOME", "CARGO_PKG_NAME", "PATH"] {
            assert_eq!(found.get(name), std::env::var(name).ok().as_ref(), "{name}");
        }
        assert_eq!(found["KUBECONFIG"], "/etc/kubeconfig");
        assert!(found["HELM_CONFIG_HOME"].contains("tenantry-helm-"));
        assert_eq!(environment(None).await["KUBECONFIG"], "/dev/null");
    }

    #[test]
    fn what_is_ours_alone_is_withheld() {
        for name in [
            "STRIPE_SECRET_KEY",
            "DATABASE_URL",
            "TENANTRY_SMTP_URL",
            "HELM_KUBETOKEN",
        ] {
            assert!(is_withheld(OsStr::new(name)), "{name}");
        }
        for name in [
            "AWS_PROFILE",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "HTTPS_PROXY",
            "XDG_CONFIG_HOME",
        ] {
            assert!(!is_withheld(OsStr::new(name)), "{name}");
        }
    }
}
