//! A cluster that says what it is told to: for what a real one cannot be made to say at will.

use std::{
    collections::HashSet,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use tenantry_domain::{
    ids::InstallationId,
    provisioning::{
        Cluster, ClusterError, Placement, Quota,
        cluster::{
            Fence, HelmTurn, NamespaceApplied, Obstacle, OnChange, Openings, OwnedNamespace, Part, Probe, ProbeAnswer,
            Readiness, ReleaseRequest, Right, TenantSecret,
        },
    },
};

/// Everything succeeds at once, but for what is set.
pub struct ScriptedCluster {
    readiness: Mutex<Readiness>,
    asked: AtomicU32,
    owned: Mutex<Vec<OwnedNamespace>>,
    stubborn: Mutex<HashSet<String>>,
    removed: Mutex<Vec<String>>,
}

impl Default for ScriptedCluster {
    fn default() -> Self {
        Self {
            readiness: Mutex::new(Readiness::Ready),
            asked: AtomicU32::new(0),
            owned: Mutex::default(),
            stubborn: Mutex::default(),
            removed: Mutex::default(),
        }
    }
}

impl ScriptedCluster {
    /// From now on this is in the way of every release.
    pub fn obstruct(&self, code: &'static str, detail: &str, stubborn: bool) {
        *self.readiness.lock().unwrap() = Readiness::Waiting(Obstacle {
            code,
            detail: detail.to_owned(),
            stubborn,
        });
    }

    /// From now on every release runs.
    pub fn clear(&self) {
        *self.readiness.lock().unwrap() = Readiness::Ready;
    }

    /// How often anybody has asked whether a release runs.
    pub fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    /// There is a namespace with our label, which may refuse to go.
    pub fn own(&self, namespace: OwnedNamespace, stays: bool) {
        if stays {
            self.stubborn.lock().unwrap().insert(namespace.name.clone());
        }
        self.owned.lock().unwrap().push(namespace);
    }

    /// The namespaces that were removed, in order.
    pub fn removed(&self) -> Vec<String> {
        self.removed.lock().unwrap().clone()
    }
}

#[async_trait]
impl Cluster for ScriptedCluster {
    async fn apply_namespace(&self, _: &Placement) -> Result<NamespaceApplied, ClusterError> {
        Ok(NamespaceApplied::Created)
    }

    async fn apply_network_policies(&self, _: &Placement, _: &Openings) -> Result<(), ClusterError> {
        Ok(())
    }

    async fn apply_quota(&self, _: &Placement, _: &Quota) -> Result<(), ClusterError> {
        Ok(())
    }

    async fn quota_in_force(&self, _: &Placement) -> Result<bool, ClusterError> {
        Ok(true)
    }

    async fn apply_service_account(&self, _: &Placement) -> Result<(), ClusterError> {
        Ok(())
    }

    async fn apply_secret(&self, _: &Placement, _: &TenantSecret) -> Result<(), ClusterError> {
        Ok(())
    }

    async fn helm_turn(&self) -> HelmTurn {
        HelmTurn::new(())
    }

    async fn apply_release(
        &self,
        _: &Placement,
        _: &ReleaseRequest,
        _: HelmTurn,
        fence: &dyn Fence,
    ) -> Result<(), ClusterError> {
        fence.check().await
    }

    async fn readiness(&self, _: &Placement) -> Result<Readiness, ClusterError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(self.readiness.lock().unwrap().clone())
    }

    async fn probe(&self, _: &Probe) -> Result<ProbeAnswer, ClusterError> {
        Ok(ProbeAnswer::Healthy)
    }

    async fn remove_release(&self, _: &Placement, _: HelmTurn, fence: &dyn Fence) -> Result<(), ClusterError> {
        fence.check().await
    }

    async fn is_idle(&self, _: &Placement) -> Result<bool, ClusterError> {
        Ok(true)
    }

    async fn remove(&self, _: &Placement, _: Part, fence: &dyn Fence) -> Result<(), ClusterError> {
        fence.check().await
    }

    async fn remove_namespace(&self, placement: &Placement, fence: &dyn Fence) -> Result<(), ClusterError> {
        fence.check().await?;
        let namespace = placement.namespace.clone();
        if self.stubborn.lock().unwrap().contains(&namespace) {
            return Err(ClusterError::Conflict {
                resource: format!("namespace {namespace}"),
                owner: "somebody else".to_owned(),
            });
        }
        self.removed.lock().unwrap().push(namespace);
        Ok(())
    }

    async fn namespace_gone(&self, _: &Placement) -> Result<bool, ClusterError> {
        Ok(true)
    }

    async fn owned_namespaces(&self, _: InstallationId) -> Result<Vec<OwnedNamespace>, ClusterError> {
        Ok(self.owned.lock().unwrap().clone())
    }

    async fn watch(&self, _: InstallationId, _: OnChange) -> Result<(), ClusterError> {
        std::future::pending().await
    }

    async fn version(&self) -> Result<String, ClusterError> {
        Ok("v1.36.3".to_owned())
    }

    async fn check_rights(&self) -> Result<Vec<Right>, ClusterError> {
        Ok(Vec::new())
    }

    async fn ingress_class_exists(&self, _: &str) -> Result<bool, ClusterError> {
        Ok(true)
    }

    async fn helm_version(&self) -> Result<String, ClusterError> {
        Ok("v4.2.4".to_owned())
    }

    async fn helm_reaches_cluster(&self) -> Result<(), ClusterError> {
        Ok(())
    }
}
