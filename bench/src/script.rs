//! The baseline of P2: what a careful person would script. The same namespace, policies, quota, account and secrets by
//! `kubectl apply`, then `helm install --wait` of the same chart with the same values.

use std::{
    path::PathBuf,
    process::Stdio,
    sync::atomic::{AtomicU32, Ordering},
    time::Instant,
};

use futures::future::try_join_all;
use serde_json::{Value, json};
use tenantry_demo::{
    error::DemoError,
    parts::{Parts, output},
};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::{processor::until_quiet, provisioning::Round, usage::Snapshot};

const COPIED: &str = "networkpolicies,resourcequotas,limitranges,serviceaccounts,secrets";

/// One of our tenants, ready to be copied.
pub struct Script {
    tools: Tools,
    template: Template,
}

/// Namespaces of different rounds must differ: one is gone before its name is.
static NEXT: AtomicU32 = AtomicU32::new(1);

impl Script {
    /// Reads what is in the namespace of one of our tenants.
    pub async fn copying(parts: &Parts, namespace: &str) -> Result<Self, String> {
        let tools = Tools::of(parts)?;
        let template = Template::read(&tools, namespace)
            .await
            .map_err(|error| error.to_string())?;
        Ok(Self { tools, template })
    }

    /// Makes copies, all at once, and removes them.
    pub async fn measure(&self, together: usize) -> Result<Round, String> {
        let text = |error: DemoError| error.to_string();
        let copies: Vec<Copy> = (0..together)
            .map(|_| {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                self.template.copy(&format!("script-{number}"))
            })
            .collect();
        let busy_before = until_quiet().await;
        let (used, begun) = (Snapshot::take(), Instant::now());
        let runs = copies.iter().map(|copy| async {
            copy.install(&self.tools).await?;
            Ok::<_, DemoError>(begun.elapsed().as_secs_f64())
        });
        let each_secs = try_join_all(runs).await.map_err(text)?;
        let round = Round {
            all_secs: begun.elapsed().as_secs_f64(),
            each_secs,
            processor_secs: Snapshot::take().since(&used),
            busy_before,
            ..Round::default()
        };
        let namespaces = copies.iter().map(|copy| copy.namespace.as_str());
        let mut delete = self.tools.kubectl();
        delete.args(["delete", "namespace"]).args(namespaces);
        output("kubectl", &mut delete).await.map_err(text)?;
        Ok(round)
    }
}

struct Tools {
    kubeconfig: PathBuf,
    kubectl: PathBuf,
    helm: PathBuf,
    chart: PathBuf,
}

impl Tools {
    fn of(parts: &Parts) -> Result<Self, String> {
        let setting = |name: &str| {
            parts
                .environment
                .get(name)
                .map(PathBuf::from)
                .ok_or(format!("{name} is not set"))
        };
        let helm = setting("TENANTRY_HELM")?;
        Ok(Self {
            kubeconfig: parts.kubeconfig.clone(),
            kubectl: helm.with_file_name("kubectl"),
            helm,
            chart: setting("TENANTRY_CHART_DIRECTORY")?.join("tenant"),
        })
    }

    fn kubectl(&self) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.env("KUBECONFIG", &self.kubeconfig);
        command
    }

    fn helm(&self) -> Command {
        let mut command = Command::new(&self.helm);
        command.env("KUBECONFIG", &self.kubeconfig);
        command
    }
}

/// What one tenant's namespace holds, without what the cluster added.
struct Template {
    original: String,
    namespace_labels: Value,
    objects: Vec<Value>,
    values: String,
}

impl Template {
    async fn read(tools: &Tools, namespace: &str) -> Result<Self, DemoError> {
        let get = |what: &str| {
            let mut command = tools.kubectl();
            command.args(["get", what, "-n", namespace, "-o", "json"]);
            command
        };
        let parse = |text: String| {
            serde_json::from_str::<Value>(&text).map_err(|error| DemoError::NotProvisioned(error.to_string()))
        };
        let of_namespace = parse(
            output(
                "kubectl",
                tools.kubectl().args(["get", "namespace", namespace, "-o", "json"]),
            )
            .await?,
        )?;
        let listed = parse(output("kubectl", &mut get(COPIED)).await?)?;
        let releases = parse(output("helm", tools.helm().args(["list", "-n", namespace, "-o", "json"])).await?)?;
        let release = releases[0]["name"].as_str().unwrap_or_default().to_owned();
        let values = output(
            "helm",
            tools
                .helm()
                .args(["get", "values", &release, "-n", namespace, "-o", "json"]),
        )
        .await?;
        let objects = listed["items"].as_array().cloned().unwrap_or_default();
        Ok(Self {
            original: namespace.to_owned(),
            namespace_labels: of_namespace["metadata"]["labels"].clone(),
            objects: objects.into_iter().filter(ours).map(bare).collect(),
            values,
        })
    }

    fn copy(&self, namespace: &str) -> Copy {
        let labels =
            json!({"pod-security.kubernetes.io/enforce": self.namespace_labels["pod-security.kubernetes.io/enforce"]});
        let mut items = vec![json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels},
        })];
        items.extend(self.objects.iter().cloned().map(|mut object| {
            object["metadata"]["namespace"] = json!(namespace);
            object
        }));
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        // The original's name stands in selectors and in the host.
        Copy {
            namespace: namespace.to_owned(),
            objects: list.to_string(),
            values: renamed(&self.values, namespace).replace(&self.original, namespace),
        }
    }
}

/// Not what the cluster or Helm itself put there.
fn ours(object: &Value) -> bool {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    !(name == "default" || name.starts_with("sh.helm.release"))
}

/// Name and content; no identity, no history.
fn bare(mut object: Value) -> Value {
    let name = object["metadata"]["name"].clone();
    object["metadata"] = json!({"name": name});
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    object
}

/// The same values under another host.
fn renamed(values: &str, namespace: &str) -> String {
    let mut parsed: Value = serde_json::from_str(values).unwrap_or_default();
    if parsed["ingress"]["host"].is_string() {
        parsed["ingress"]["host"] = json!(format!("{namespace}.tenants.localhost"));
    }
    parsed.to_string()
}

struct Copy {
    namespace: String,
    objects: String,
    values: String,
}

impl Copy {
    async fn install(&self, tools: &Tools) -> Result<(), DemoError> {
        feed(tools.kubectl().args(["apply", "-f", "-"]), &self.objects).await?;
        let chart = tools.chart.display().to_string();
        let arguments = ["install", "site", &chart, "-n", &self.namespace, "-f", "-", "--wait"];
        feed(tools.helm().args(arguments), &self.values).await
    }
}

/// Runs a command with text on standard input.
async fn feed(command: &mut Command, text: &str) -> Result<(), DemoError> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(text.as_bytes()).await?;
    }
    let output = child.wait_with_output().await?;
    if output.status.success() {
        return Ok(());
    }
    Err(DemoError::Part {
        part: "the script",
        reason: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_its_own_host() {
        assert_eq!(
            renamed(r#"{"ingress":{"host":"a.example.net"}}"#, "n"),
            r#"{"ingress":{"host":"n.tenants.localhost"}}"#
        );
    }
}
