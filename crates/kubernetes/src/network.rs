//! Network policies: nothing passes, then the few openings.

use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::Client;
use serde_json::{Value, json};
use tenantry_domain::provisioning::{ClusterError, Placement, cluster::Openings, workload::Egress};

use crate::apply::apply;

/// Label that Kubernetes itself puts on every namespace.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

pub(crate) async fn apply_all(client: &Client, placement: &Placement, openings: &Openings) -> Result<(), ClusterError> {
    for (name, spec) in policies(openings) {
        apply::<NetworkPolicy>(client, placement, name, json!({"spec": spec})).await?;
    }
    Ok(())
}

/// The denial comes first: whatever is cut short leaves the tenant closed, not open.
fn policies(openings: &Openings) -> Vec<(&'static str, Value)> {
    let mut policies = vec![
        (
            "tenantry-default-deny",
            json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}),
        ),
        (
            "tenantry-allow-dns",
            json!({
                "podSelector": {},
                "policyTypes": ["Egress"],
                "egress": [{
                    "to": [{"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: "kube-system"}}}],
                    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
                }],
            }),
        ),
        (
            "tenantry-allow-ingress",
            json!({
                "podSelector": {},
                "policyTypes": ["Ingress"],
                "ingress": [{
                    "from": [{"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: openings.ingress_namespace}}}],
                    "ports": [{"protocol": "TCP", "port": openings.product_port}],
                }],
            }),
        ),
    ];
    if !openings.egress.is_empty() {
        let rules: Vec<Value> = openings.egress.iter().map(egress_rule).collect();
        policies.push((
            "tenantry-allow-egress",
            json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": rules}),
        ));
    }
    policies
}

fn egress_rule(egress: &Egress) -> Value {
    let ports: Vec<Value> = egress
        .ports
        .iter()
        .map(|port| json!({"protocol": "TCP", "port": port}))
        .collect();
    json!({"to": [{"ipBlock": {"cidr": egress.cidr}}], "ports": ports})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn openings(egress: Vec<Egress>) -> Openings {
        Openings {
            product_port: 8080,
            ingress_namespace: "ingress".to_owned(),
            egress,
        }
    }

    #[test]
    fn everything_is_denied_before_anything_is_opened() {
        let policies = policies(&openings(vec![]));
        assert_eq!(policies[0].1["policyTypes"], json!(["Ingress", "Egress"]));
        assert_eq!(policies[0].1.get("ingress"), None);
        assert_eq!(policies.len(), 3);
    }

    #[test]
    fn a_products_own_connections_are_opened_port_by_port() {
        let policies = policies(&openings(vec![Egress {
            cidr: "203.0.113.0/24".to_owned(),
            ports: vec![443],
        }]));
        assert_eq!(
            policies[3].1["egress"][0]["ports"],
            json!([{"protocol": "TCP", "port": 443}])
        );
    }
}
