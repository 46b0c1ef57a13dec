//! Why a workload does not run yet, in one plain sentence.

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ContainerStatus, Pod},
};
use kube::{Api, Client};
use tenantry_domain::provisioning::{ClusterError, Placement, cluster::Obstacle};

use crate::{errors::call, readiness::of_release};

/// Looks at the pods, then at what keeps pods from being made. The most telling obstacle wins.
pub(crate) async fn diagnose(
    client: &Client,
    placement: &Placement,
    deployments: &[Deployment],
) -> Result<Obstacle, ClusterError> {
    let api: Api<Pod> = Api::namespaced(client.clone(), &placement.namespace);
    let pods = call("listing pods", "pods", api.list(&of_release(placement))).await?;
    let obstacles = deployments
        .iter()
        .filter_map(pods_refused)
        .chain(pods.iter().filter_map(obstacle_of_pod));
    Ok(obstacles
        .max_by_key(|obstacle| obstacle.stubborn)
        .unwrap_or_else(|| Obstacle {
            code: "starting",
            detail: match pods.items.len() {
                0 => "no pod has been made yet".to_owned(),
                1 => "1 pod is starting".to_owned(),
                more => format!("{more} pods are starting"),
            },
            stubborn: false,
        }))
}

/// The deployment could not make its pods at all.
fn pods_refused(deployment: &Deployment) -> Option<Obstacle> {
    let conditions = deployment.status.as_ref()?.conditions.as_ref()?;
    let failure = conditions
        .iter()
        .find(|condition| condition.type_ == "ReplicaFailure" && condition.status == "True")?;
    let detail = failure.message.clone().unwrap_or_default();
    let code = if detail.contains("exceeded quota") {
        "quota_exceeded"
    } else {
        "pods_refused"
    };
    Some(Obstacle {
        code,
        detail,
        stubborn: true,
    })
}

/// What keeps one pod from being ready; `None` for one that is merely starting.
pub(crate) fn obstacle_of_pod(pod: &Pod) -> Option<Obstacle> {
    if pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let status = pod.status.as_ref()?;
    let containers = [&status.init_container_statuses, &status.container_statuses];
    let in_container = containers
        .into_iter()
        .flatten()
        .flatten()
        .find_map(obstacle_of_container);
    in_container.or_else(|| {
        let conditions = status.conditions.as_ref()?;
        let unscheduled = conditions.iter().find(|condition| {
            condition.type_ == "PodScheduled"
                && condition.status == "False"
                && condition.reason.as_deref() == Some("Unschedulable")
        })?;
        Some(Obstacle {
            code: "waiting_for_capacity",
            detail: format!(
                "no node has room: {}",
                unscheduled.message.as_deref().unwrap_or("unschedulable")
            ),
            stubborn: false,
        })
    })
}

fn obstacle_of_container(status: &ContainerStatus) -> Option<Obstacle> {
    let state = status.state.as_ref()?;
    if let Some(waiting) = &state.waiting {
        let said = waiting.message.as_deref().unwrap_or_default();
        let (code, detail) = match waiting.reason.as_deref()? {
            "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" | "ImageInspectError" => (
                "image_cannot_be_pulled",
                format!("the image {} cannot be pulled: {said}", status.image),
            ),
            "CrashLoopBackOff" => ("container_crashes", crashed(status)),
            "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
                ("container_cannot_be_made", format!("container {}: {said}", status.name))
            }
            _ => return None,
        };
        return Some(Obstacle {
            code,
            detail,
            stubborn: true,
        });
    }
    let failed = state.terminated.as_ref().is_some_and(|ended| ended.exit_code != 0);
    failed.then(|| Obstacle {
        code: "container_crashes",
        detail: crashed(status),
        stubborn: true,
    })
}

fn crashed(status: &ContainerStatus) -> String {
    let ended = [&status.state, &status.last_state]
        .into_iter()
        .flatten()
        .find_map(|state| state.terminated.as_ref());
    let how = ended.map_or_else(String::new, |ended| match ended.reason.as_deref() {
        Some("OOMKilled") => " (out of memory)".to_owned(),
        _ => format!(" (exit code {})", ended.exit_code),
    });
    format!(
        "container {} ends by itself{how}, {} restarts",
        status.name, status.restart_count
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn obstacle(status: serde_json::Value) -> Option<(&'static str, bool)> {
        let pod: Pod = serde_json::from_value(json!({"metadata": {"name": "p"}, "status": status})).unwrap();
        obstacle_of_pod(&pod).map(|obstacle| (obstacle.code, obstacle.stubborn))
    }

    fn container(state: serde_json::Value) -> serde_json::Value {
        json!({"containerStatuses": [{
            "name": "product", "image": "localhost/none:1", "imageID": "", "ready": false, "restartCount": 2, "state": state,
        }]})
    }

    #[test]
    fn pods_say_what_is_in_the_way() {
        let waiting = |reason: &str| obstacle(container(json!({"waiting": {"reason": reason, "message": "m"}})));
        assert_eq!(waiting("ImagePullBackOff"), Some(("image_cannot_be_pulled", true)));
        assert_eq!(waiting("ErrImageNeverPull"), Some(("image_cannot_be_pulled", true)));
        assert_eq!(waiting("CrashLoopBackOff"), Some(("container_crashes", true)));
        assert_eq!(
            waiting("CreateContainerConfigError"),
            Some(("container_cannot_be_made", true))
        );
        assert_eq!(waiting("ContainerCreating"), None);
        assert_eq!(
            obstacle(container(json!({"terminated": {"exitCode": 3}}))),
            Some(("container_crashes", true))
        );
    }

    #[test]
    fn no_room_is_waited_for() {
        let status = json!({"conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available",
        }]});
        assert_eq!(obstacle(status), Some(("waiting_for_capacity", false)));
    }
}
