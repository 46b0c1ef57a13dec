//! Releases by the real helm program. Values travel on standard input; no secret is among them.

use std::{collections::BTreeMap, path::Path};

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, api::ListParams};
use tenantry_domain::provisioning::{
    ClusterError, Placement,
    cluster::{Fence, ReleaseRequest},
};

mod command;
mod failure;

pub(crate) use command::Helm;

use crate::errors::call;

/// A helm that was killed leaves its revision *pending*. Helm without `--wait` is done within seconds, and the server kills
/// its own after 20. A server that is killed itself takes no helm along, and the record was written by another machine's
/// clock: hence three times that until a pending record belongs to nobody.
const ABANDONED_AFTER_SECONDS: i64 = 60;

/// How the newest revision of a release stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Absent,
    /// Installed or failed: helm can upgrade it.
    Settled,
    /// Another helm is at work.
    Busy,
    /// A first install, or an uninstall, was cut short.
    HalfInstalled,
    /// An upgrade or rollback of a release that had worked was cut short.
    HalfUpgraded,
}

/// Installs or upgrades, after mending what a killed helm may have left.
pub(crate) async fn apply(
    helm: &Helm,
    client: &Client,
    placement: &Placement,
    request: &ReleaseRequest,
    fence: &dyn Fence,
) -> Result<(), ClusterError> {
    if !request.chart.join("Chart.yaml").is_file() {
        return Err(ClusterError::ChartMissing {
            directory: request.chart.display().to_string(),
        });
    }
    match standing(client, placement).await? {
        Standing::Absent | Standing::Settled => {}
        Standing::Busy => {
            return Err(ClusterError::ReleaseBusy {
                release: placement.release.clone(),
            });
        }
        // Nothing ever ran from it, so nothing is lost.
        Standing::HalfInstalled => uninstall(helm, placement, "background", fence).await?,
        Standing::HalfUpgraded => {
            fence.check().await?;
            helm.run(
                &["rollback", &placement.release, "--namespace", &placement.namespace],
                None,
            )
            .await?;
        }
    }
    let chart = path_text(&request.chart)?;
    let description = format!("by operation {}", placement.operation);
    let arguments = [
        "upgrade",
        &placement.release,
        chart,
        "--install",
        "--namespace",
        &placement.namespace,
        "--values",
        "-",
        // All that this asks is whether the API server can validate; it does, strictly, as each object is applied. The
        // question costs half of helm's time: the description of the whole API is fetched and parsed.
        "--disable-openapi-validation",
        "--history-max",
        "10",
        "--description",
        &description,
        "--output",
        "json",
    ];
    let values = serde_json::to_vec(&request.values).map_err(|error| ClusterError::ChartDoesNotRender {
        detail: format!("the values cannot be written: {error}"),
    })?;
    fence.check().await?;
    helm.run(&arguments, Some(values)).await.map(drop)
}

/// Uninstalls, also what is only half installed. The namespace need not exist. In the foreground: the workloads stay in
/// sight until their pods have ended.
pub(crate) async fn remove(
    helm: &Helm,
    client: &Client,
    placement: &Placement,
    fence: &dyn Fence,
) -> Result<(), ClusterError> {
    match standing(client, placement).await? {
        Standing::Absent => Ok(()),
        Standing::Busy => Err(ClusterError::ReleaseBusy {
            release: placement.release.clone(),
        }),
        Standing::Settled | Standing::HalfInstalled | Standing::HalfUpgraded => {
            uninstall(helm, placement, "foreground", fence).await
        }
    }
}

/// The fence is asked last: between it and Helm's first call lies nothing but the start of a process.
async fn uninstall(helm: &Helm, placement: &Placement, cascade: &str, fence: &dyn Fence) -> Result<(), ClusterError> {
    let arguments = [
        "uninstall",
        &placement.release,
        "--namespace",
        &placement.namespace,
        "--ignore-not-found",
        "--cascade",
        cascade,
    ];
    fence.check().await?;
    helm.run(&arguments, None).await.map(drop)
}

fn path_text(path: &Path) -> Result<&str, ClusterError> {
    path.to_str().ok_or_else(|| ClusterError::ChartMissing {
        directory: path.display().to_string(),
    })
}

/// Reads the labels that helm puts on its records; the records themselves are not opened.
async fn standing(client: &Client, placement: &Placement) -> Result<Standing, ClusterError> {
    let api: Api<Secret> = Api::namespaced(client.clone(), &placement.namespace);
    let of_release = ListParams::default().labels(&format!("owner=helm,name={}", placement.release));
    let records = call("listing release records", "secrets", api.list_metadata(&of_release)).await?;
    let now = chrono::Utc::now().timestamp();
    let newest = records
        .iter()
        .filter_map(|record| {
            let labels = record.metadata.labels.as_ref()?;
            let written = record
                .metadata
                .creation_timestamp
                .as_ref()
                .map(|time| time.0.as_second());
            let modified = number(labels, "modifiedAt").or(written).unwrap_or(now);
            Some((number(labels, "version")?, labels.get("status")?.as_str(), modified))
        })
        .max();
    Ok(newest.map_or(Standing::Absent, |(version, status, modified)| {
        stands(version, status, now - modified)
    }))
}

fn number(labels: &BTreeMap<String, String>, key: &str) -> Option<i64> {
    labels.get(key)?.parse().ok()
}

fn stands(version: i64, status: &str, age_seconds: i64) -> Standing {
    let cut_short = matches!(
        status,
        "pending-install" | "pending-upgrade" | "pending-rollback" | "uninstalling"
    );
    if !cut_short {
        Standing::Settled
    } else if age_seconds < ABANDONED_AFTER_SECONDS {
        Standing::Busy
    } else if version > 1 && status.starts_with("pending-") {
        Standing::HalfUpgraded
    } else {
        Standing::HalfInstalled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_pending_record_belongs_to_somebody_an_old_one_to_nobody() {
        assert_eq!(stands(1, "pending-install", 3), Standing::Busy);
        assert_eq!(stands(1, "pending-install", 40), Standing::Busy);
        assert_eq!(stands(1, "pending-install", 60), Standing::HalfInstalled);
        assert_eq!(stands(4, "pending-upgrade", 60), Standing::HalfUpgraded);
        assert_eq!(stands(4, "uninstalling", 60), Standing::HalfInstalled);
    }

    #[test]
    fn what_helm_finished_can_be_upgraded() {
        for status in [
            "deployed",
            "failed",
            "superseded",
            "uninstalled",
            "a-word-of-a-later-helm",
        ] {
            assert_eq!(stands(1, status, 0), Standing::Settled);
        }
    }
}
