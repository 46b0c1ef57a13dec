//! Notices at once what operations wait for: a quota in force, a workload available or gone, a pod that cannot start or
//! has ended.

use std::fmt::Debug;

use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    core::v1::{Namespace, Pod, ResourceQuota},
};
use kube::{
    Api, Client, Resource, ResourceExt,
    runtime::{WatchStreamExt, watcher},
};
use serde::de::DeserializeOwned;
use tenantry_domain::{
    ids::{InstallationId, TenantId},
    provisioning::{
        ClusterError,
        cluster::{Noticed, OnChange},
        identifiers,
    },
};

use crate::{diagnosis::obstacle_of_pod, quota::is_in_force, readiness::deployment_is_available};

/// Runs until a watch ends for good.
pub(crate) async fn run(client: &Client, installation: InstallationId, changed: OnChange) -> Result<(), ClusterError> {
    let selector = format!("{}={installation}", identifiers::INSTALLATION);
    let mut all = futures::stream::select_all([
        watched::<ResourceQuota>(client, &selector, |quota, is_gone| {
            progress(!is_gone && is_in_force(quota))
        }),
        watched::<Deployment>(client, &selector, |deployment, is_gone| {
            progress(is_gone || deployment_is_available(deployment))
        }),
        watched::<StatefulSet>(client, &selector, |_, is_gone| progress(!is_gone)),
        watched::<Pod>(client, &selector, |pod, is_gone| {
            progress(is_gone || obstacle_of_pod(pod).is_some())
        }),
        watched::<Namespace>(client, &selector, |_, is_gone| {
            is_gone.then_some(Noticed::NamespaceGone)
        }),
    ]);
    while let Some((tenant, noticed)) = all.next().await {
        changed(tenant, noticed);
    }
    Err(ClusterError::Unreachable {
        detail: "every watch has ended".to_owned(),
    })
}

fn progress(has_happened: bool) -> Option<Noticed> {
    has_happened.then_some(Noticed::Progress)
}

/// What objects of one kind tell. `look` is given each object, and whether it has gone.
fn watched<K>(
    client: &Client,
    selector: &str,
    look: fn(&K, bool) -> Option<Noticed>,
) -> BoxStream<'static, (TenantId, Noticed)>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let api: Api<K> = Api::all(client.clone());
    watcher(api, watcher::Config::default().labels(selector))
        .default_backoff()
        .inspect_err(|error| tracing::warn!(kind = %K::kind(&()), %error, "watch interrupted"))
        .filter_map(move |event| {
            let seen = match event {
                Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) => Some((object, false)),
                Ok(watcher::Event::Delete(object)) => Some((object, true)),
                Ok(watcher::Event::Init | watcher::Event::InitDone) | Err(_) => None,
            };
            let noticed = seen.and_then(|(object, is_gone)| Some((tenant_of(&object)?, look(&object, is_gone)?)));
            futures::future::ready(noticed)
        })
        .boxed()
}

fn tenant_of<K: Resource>(object: &K) -> Option<TenantId> {
    object.labels().get(identifiers::TENANT)?.parse().ok()
}
