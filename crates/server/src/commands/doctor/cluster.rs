//! Version, rights verb by verb, ingress class, helm.

use tenantry_domain::provisioning::{Cluster, ClusterError};

use super::Finding;
use crate::{config::Configuration, wiring};

const AREA: &str = "cluster";

pub(super) async fn check(configuration: &Configuration) -> Vec<Finding> {
    let cluster = match wiring::cluster(configuration).await {
        Ok(cluster) => cluster,
        Err(failure) => {
            let mend = "give TENANTRY_KUBECONFIG, or run inside the cluster with a service account";
            return vec![Finding::wrong(AREA, "connection", failure, mend)];
        }
    };
    let helm = match cluster.helm_version().await {
        Ok(version) => Finding::ok("Helm", "program", version),
        Err(error) => {
            let mend = "install helm 3.14 or newer, or name it by TENANTRY_HELM";
            Finding::wrong("Helm", "program", error, mend)
        }
    };
    let mut findings = match cluster.version().await {
        Ok(version) => {
            let mut findings = vec![Finding::ok(AREA, "API server", version)];
            findings.extend(rights(&cluster).await);
            findings.push(ingress_class(&cluster, &configuration.ingress_class).await);
            findings
        }
        Err(error) => vec![unreachable(&error)],
    };
    findings.push(helm);
    findings
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
