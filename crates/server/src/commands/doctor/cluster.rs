//! Version, rights verb by verb, ingress class, helm, and namespaces that nobody knows.

use tenantry_app::provisioning::{self, ReconcileError};
use tenantry_domain::provisioning::{Cluster, ClusterError};
use tenantry_postgres::provisioning::installation;

use super::Finding;
use crate::{config::Configuration, wiring};

const AREA: &str = "cluster";
/// Oldest versions that are known to work, major and minor. Helm 3 knows other flags, and words its failures otherwise.
const HELM: (u32, u32) = (4, 0);
const HELM_MEND: &str = "install helm 4, or name it by TENANTRY_HELM";
/// The oldest in which server-side apply and pod security are as they are used.
const KUBERNETES: (u32, u32) = (1, 25);

pub(super) async fn check(configuration: &Configuration) -> Vec<Finding> {
    let cluster = match wiring::cluster(configuration).await {
        Ok(cluster) => cluster,
        Err(failure) => {
            let mend = "give TENANTRY_KUBECONFIG, or run inside the cluster with a service account";
            return vec![Finding::wrong(AREA, "connection", failure, mend)];
        }
    };
    let helm = match cluster.helm_version().await {
        Ok(version) => judged("Helm", "program", version, HELM, HELM_MEND),
        Err(error) => Finding::wrong("Helm", "program", error, HELM_MEND),
    };
    let mut findings = match cluster.version().await {
        Ok(version) => {
            let mend = "upgrade the cluster";
            let mut findings = vec![judged(AREA, "API server", version, KUBERNETES, mend)];
            findings.extend(rights(&cluster).await);
            findings.push(ingress_class(&cluster, &configuration.ingress_class).await);
            findings.extend(helm_log_in(&cluster).await);
            findings.extend(unknown_namespaces(&cluster, configuration).await);
            findings
        }
        Err(error) => vec![unreachable(&error)],
    };
    findings.push(helm);
    findings
}

/// Compares a version, such as `v1.36.3` or `v1.28.5+k3s1`, with the oldest that will do.
fn judged(area: &'static str, check: &str, version: String, oldest: (u32, u32), mend: &str) -> Finding {
    match major_and_minor(&version) {
        Some(found) if found >= oldest => Finding::ok(area, check, version),
        Some(_) => {
            let detail = format!("{version} is older than {}.{}", oldest.0, oldest.1);
            Finding::wrong(area, check, detail, mend)
        }
        None => Finding::warning(
            area,
            check,
            format!("{version} is not a version that can be read"),
            mend,
        ),
    }
}

fn major_and_minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().trim_start_matches('v').splitn(3, '.');
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next()?;
    let digits = minor
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(minor.len());
    Some((major, minor.get(..digits)?.parse().ok()?))
}

fn unreachable(error: &ClusterError) -> Finding {
    let mend = match error {
        ClusterError::Unauthenticated { .. } => "renew the credentials in TENANTRY_KUBECONFIG",
        _ => "check the server's address in TENANTRY_KUBECONFIG, and the network to it",
    };
    Finding::wrong(AREA, "API server", error, mend)
}

async fn rights(cluster: &impl Cluster) -> Vec<Finding> {
    let rights = match cluster.check_rights().await {
        Ok(rights) => rights,
        Err(error) => {
            return vec![Finding::wrong(
                AREA,
                "rights",
                error,
                "allow create on selfsubjectaccessreviews",
            )];
        }
    };
    let missing: Vec<Finding> = rights
        .iter()
        .filter(|right| !right.granted)
        .map(|right| {
            let group = if right.group.is_empty() { "core" } else { right.group };
            let mend = format!(
                "add verb {} on {} (API group {group}) to Tenantry's ClusterRole",
                right.verb, right.resource
            );
            Finding::wrong(
                AREA,
                format!("right to {} {}", right.verb, right.resource),
                "not granted",
                mend,
            )
        })
        .collect();
    if missing.is_empty() {
        vec![Finding::ok(AREA, "rights", format!("all {} are granted", rights.len()))]
    } else {
        missing
    }
}

async fn ingress_class(cluster: &impl Cluster, name: &str) -> Finding {
    match cluster.ingress_class_exists(name).await {
        Ok(true) => Finding::ok(AREA, "ingress class", name),
        Ok(false) => {
            let mend = "install an ingress controller, or name its class by TENANTRY_INGRESS_CLASS";
            Finding::wrong(AREA, "ingress class", format!("{name} does not exist"), mend)
        }
        Err(error) => Finding::wrong(AREA, "ingress class", error, "allow get on ingressclasses"),
    }
}

/// Helm logs in by itself, so that it may fail where we do not.
async fn helm_log_in(cluster: &impl Cluster) -> Option<Finding> {
    match cluster.helm_reaches_cluster().await {
        Ok(()) => Some(Finding::ok("Helm", "log-in", "gets into the cluster")),
        // There is no program: said elsewhere.
        Err(ClusterError::HelmUnusable { .. }) => None,
        Err(error) => {
            let mend = "run `helm list --kubeconfig` with the file that TENANTRY_KUBECONFIG names, as the user that runs \
                        Tenantry; a credential plugin has to be on PATH and find its settings";
            Some(Finding::wrong("Helm", "log-in", error, mend))
        }
    }
}

/// A ledger that cannot be read is told of elsewhere.
async fn unknown_namespaces(cluster: &impl Cluster, configuration: &Configuration) -> Option<Finding> {
    let database = wiring::database(configuration).await.ok()?;
    let mut tx = database.read_system("name the installation to its doctor").await.ok()?;
    let installation = installation::id(&mut tx).await.ok()?;
    tx.commit().await.ok()?;
    match provisioning::unknown_namespaces(&database, cluster, installation).await {
        Ok(unknown) if unknown.is_empty() => Some(Finding::ok(AREA, "namespaces", "each belongs to a known tenant")),
        Ok(unknown) => {
            let detail = format!("labelled as ours, of no tenant in the ledger: {}", unknown.join(", "));
            let mend = "was the database restored from an older copy? look at what is in them, and delete those that nobody \
                        needs: they are left alone";
            Some(Finding::warning(AREA, "namespaces", detail, mend))
        }
        Err(ReconcileError::Cluster(error)) => {
            Some(Finding::wrong(AREA, "namespaces", error, "allow list on namespaces"))
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Verdict;

    #[test]
    fn versions_are_compared_by_number() {
        let verdict = |version: &str, oldest| judged(AREA, "x", version.to_owned(), oldest, "mend").verdict;
        assert_eq!(verdict("v4.2.4", HELM), Verdict::Ok);
        assert_eq!(verdict("v3.18.0", HELM), Verdict::Wrong);
        assert_eq!(verdict("v10.0.0", HELM), Verdict::Ok);
        assert_eq!(verdict("v1.36.3", KUBERNETES), Verdict::Ok);
        assert_eq!(verdict("v1.28.5+k3s1", KUBERNETES), Verdict::Ok);
        assert_eq!(verdict("v1.24+", KUBERNETES), Verdict::Wrong);
        assert_eq!(verdict("v1.9.0", KUBERNETES), Verdict::Wrong);
        assert_eq!(verdict("unknown", KUBERNETES), Verdict::Warning);
    }
}
