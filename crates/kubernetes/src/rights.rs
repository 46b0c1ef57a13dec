//! What Tenantry must be allowed to do, asked of the cluster verb by verb.

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use kube::{Api, Client, api::PostParams};
use serde_json::{from_value, json};
use tenantry_domain::provisioning::{ClusterError, cluster::Right};

use crate::errors::call;

const OWN: &[&str] = &["list", "create", "patch", "delete"];
const OWN_WATCHED: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];
const OF_CHARTS: &[&str] = &["get", "list", "create", "update", "patch", "delete"];
const OF_CHARTS_WATCHED: &[&str] = &["get", "list", "watch", "create", "update", "patch", "delete"];

/// Verbs by group and resource. `cluster-role.yaml` grants exactly these; a test compares the two.
const NEEDED: &[(&str, &str, &[&str])] = &[
    ("", "namespaces", OWN_WATCHED),
    ("", "resourcequotas", OWN_WATCHED),
    ("", "limitranges", OWN),
    ("", "serviceaccounts", OWN),
    ("networking.k8s.io", "networkpolicies", OWN),
    ("", "secrets", OF_CHARTS),
    ("", "services", OF_CHARTS),
    ("", "persistentvolumeclaims", OF_CHARTS),
    ("networking.k8s.io", "ingresses", OF_CHARTS),
    ("apps", "deployments", OF_CHARTS_WATCHED),
    ("apps", "statefulsets", OF_CHARTS_WATCHED),
    ("", "pods", &["list", "watch", "delete"]),
    ("networking.k8s.io", "ingressclasses", &["get"]),
];

const AT_ONCE: usize = 16;

pub(crate) async fn check(client: &Client) -> Result<Vec<Right>, ClusterError> {
    let mut reviews = Vec::new();
    for (group, resource, verbs) in NEEDED {
        for verb in *verbs {
            reviews.push(review(client.clone(), group, resource, verb));
        }
    }
    stream::iter(reviews).buffered(AT_ONCE).try_collect().await
}

async fn review(
    client: Client,
    group: &'static str,
    resource: &'static str,
    verb: &'static str,
) -> Result<Right, ClusterError> {
    let question = json!({"spec": {"resourceAttributes": {"group": group, "resource": resource, "verb": verb}}});
    let question: SelfSubjectAccessReview = from_value(question).map_err(|error| ClusterError::Invalid {
        resource: "selfsubjectaccessreviews".to_owned(),
        detail: error.to_string(),
    })?;
    let api: Api<SelfSubjectAccessReview> = Api::all(client);
    let answer = call(
        "asking for rights",
        "selfsubjectaccessreviews",
        api.create(&PostParams::default(), &question),
    )
    .await?;
    let granted = answer.status.is_some_and(|status| status.allowed);
    Ok(Right {
        verb,
        group,
        resource,
        granted,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_role_that_is_shipped_grants_what_is_checked_and_no_more() {
        let role: Value = serde_saphyr::from_str(include_str!("../cluster-role.yaml")).unwrap();
        let mut granted = BTreeSet::new();
        let words = |list: &Value| -> Vec<String> { serde_json::from_value(list.clone()).unwrap() };
        for rule in role["rules"].as_array().unwrap() {
            for group in words(&rule["apiGroups"]) {
                for resource in words(&rule["resources"]) {
                    for verb in words(&rule["verbs"]) {
                        granted.insert((group.clone(), resource.clone(), verb));
                    }
                }
            }
        }
        let needed = NEEDED.iter().flat_map(|(group, resource, verbs)| {
            verbs
                .iter()
                .map(|verb| ((*group).to_owned(), (*resource).to_owned(), (*verb).to_owned()))
        });
        assert_eq!(granted, needed.collect());
    }
}
