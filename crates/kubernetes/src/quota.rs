//! Resource quota and limit range.

use k8s_openapi::api::core::v1::{LimitRange, ResourceQuota};
use kube::{Api, Client};
use serde_json::json;
use tenantry_domain::provisioning::{ClusterError, Placement, Quota};

use crate::{
    apply::{OBJECT_NAME, apply},
    errors::call,
};

pub(crate) async fn apply_both(client: &Client, placement: &Placement, quota: &Quota) -> Result<(), ClusterError> {
    let hard = json!({
        "requests.cpu": cpu(quota.requests_cpu_milli),
        "requests.memory": quota.requests_memory_bytes.to_string(),
        "limits.cpu": cpu(quota.limits_cpu_milli),
        "limits.memory": quota.limits_memory_bytes.to_string(),
        "requests.storage": quota.storage_bytes.to_string(),
        "pods": quota.pods.to_string(),
        // A tenant is reached through the ingress and in no other way.
        "services.nodeports": "0",
        "services.loadbalancers": "0",
    });
    apply::<ResourceQuota>(client, placement, OBJECT_NAME, json!({"spec": {"hard": hard}})).await?;

    let share = quota.container_share();
    let limits = json!([{
        "type": "Container",
        "default": {"cpu": cpu(share.limit_cpu_milli), "memory": share.limit_memory_bytes.to_string()},
        "defaultRequest": {"cpu": cpu(share.request_cpu_milli), "memory": share.request_memory_bytes.to_string()},
    }]);
    apply::<LimitRange>(client, placement, OBJECT_NAME, json!({"spec": {"limits": limits}})).await?;
    Ok(())
}

/// The quota controller has looked at it once its status repeats the bounds.
pub(crate) async fn in_force(client: &Client, placement: &Placement) -> Result<bool, ClusterError> {
    let api: Api<ResourceQuota> = Api::namespaced(client.clone(), &placement.namespace);
    let quota = call("reading the quota", "ResourceQuota tenantry", api.get(OBJECT_NAME)).await?;
    Ok(is_in_force(&quota))
}

pub(crate) fn is_in_force(quota: &ResourceQuota) -> bool {
    let wanted = quota.spec.as_ref().and_then(|spec| spec.hard.as_ref());
    let enforced = quota.status.as_ref().and_then(|status| status.hard.as_ref());
    wanted.is_some() && wanted == enforced
}

fn cpu(milli: u64) -> String {
    format!("{milli}m")
}
