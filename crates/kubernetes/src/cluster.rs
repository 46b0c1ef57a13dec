//! The port, call by call.

use async_trait::async_trait;
use k8s_openapi::api::{
    core::v1::{LimitRange, ResourceQuota, Secret, ServiceAccount},
    networking::v1::{IngressClass, NetworkPolicy},
};
use kube::{Api, Client};
use tenantry_domain::{
    ids::InstallationId,
    provisioning::{
        Cluster, ClusterError, Placement, Quota,
        cluster::{
            Fence, HelmTurn, NamespaceApplied, OnChange, Openings, OwnedNamespace, Part, Probe, ProbeAnswer, Readiness,
            ReleaseRequest, Right, TenantSecret,
        },
    },
};

use crate::{
    account,
    apply::remove_all,
    connect::{self, ConnectError, Settings},
    errors::call,
    helm::{self, Helm},
    idle, namespace, network,
    probe::Prober,
    quota, readiness, rights, watch,
};

/// One cluster, reached by kube-rs and helm.
#[derive(Clone)]
pub struct KubernetesCluster {
    client: Client,
    helm: Helm,
    prober: Prober,
}

impl KubernetesCluster {
    /// Reads credentials; the first connection is made when something is asked.
    ///
    /// # Errors
    /// When there are no usable credentials.
    pub async fn connect(settings: Settings) -> Result<Self, ConnectError> {
        let client = connect::client(&settings).await?;
        let helm = Helm::new(settings.helm, settings.kubeconfig, settings.context).map_err(ConnectError::HelmHome)?;
        Ok(Self {
            client,
            helm,
            prober: Prober::default(),
        })
    }

    /// The client, for tests that look at what was made.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }
}

#[async_trait]
impl Cluster for KubernetesCluster {
    async fn apply_namespace(&self, placement: &Placement) -> Result<NamespaceApplied, ClusterError> {
        namespace::apply(&self.client, placement).await
    }

    async fn apply_network_policies(&self, placement: &Placement, openings: &Openings) -> Result<(), ClusterError> {
        network::apply_all(&self.client, placement, openings).await
    }

    async fn apply_quota(&self, placement: &Placement, quota: &Quota) -> Result<(), ClusterError> {
        quota::apply_both(&self.client, placement, quota).await
    }

    async fn quota_in_force(&self, placement: &Placement) -> Result<bool, ClusterError> {
        quota::in_force(&self.client, placement).await
    }

    async fn apply_service_account(&self, placement: &Placement) -> Result<(), ClusterError> {
        account::apply_account(&self.client, placement).await
    }

    async fn apply_secret(&self, placement: &Placement, secret: &TenantSecret) -> Result<(), ClusterError> {
        account::apply_secret(&self.client, placement, secret).await
    }

    async fn helm_turn(&self) -> HelmTurn {
        self.helm.turn().await
    }

    async fn apply_release(
        &self,
        placement: &Placement,
        release: &ReleaseRequest,
        _turn: HelmTurn,
        fence: &dyn Fence,
    ) -> Result<(), ClusterError> {
        helm::apply(&self.helm, &self.client, placement, release, fence).await
    }

    async fn readiness(&self, placement: &Placement) -> Result<Readiness, ClusterError> {
        readiness::observe(&self.client, placement).await
    }

    async fn probe(&self, probe: &Probe) -> Result<ProbeAnswer, ClusterError> {
        self.prober.send(probe).await
    }

    async fn remove_release(
        &self,
        placement: &Placement,
        _turn: HelmTurn,
        fence: &dyn Fence,
    ) -> Result<(), ClusterError> {
        if !namespace::is_ours(&self.client, placement).await? {
            return Ok(());
        }
        helm::remove(&self.helm, &self.client, placement, fence).await?;
        idle::end_pods(&self.client, placement, fence).await
    }

    async fn is_idle(&self, placement: &Placement) -> Result<bool, ClusterError> {
        Ok(!namespace::is_ours(&self.client, placement).await? || idle::is_idle(&self.client, placement).await?)
    }

    async fn remove(&self, placement: &Placement, part: Part, fence: &dyn Fence) -> Result<(), ClusterError> {
        if !namespace::is_ours(&self.client, placement).await? {
            return Ok(());
        }
        match part {
            Part::NetworkPolicies => remove_all::<NetworkPolicy>(&self.client, placement, fence).await,
            Part::ServiceAccount => remove_all::<ServiceAccount>(&self.client, placement, fence).await,
            Part::Secrets => remove_all::<Secret>(&self.client, placement, fence).await,
            Part::Quota => {
                remove_all::<LimitRange>(&self.client, placement, fence).await?;
                remove_all::<ResourceQuota>(&self.client, placement, fence).await
            }
        }
    }

    async fn remove_namespace(&self, placement: &Placement, fence: &dyn Fence) -> Result<(), ClusterError> {
        namespace::remove(&self.client, placement, fence).await
    }

    async fn namespace_gone(&self, placement: &Placement) -> Result<bool, ClusterError> {
        namespace::gone(&self.client, placement).await
    }

    async fn owned_namespaces(&self, installation: InstallationId) -> Result<Vec<OwnedNamespace>, ClusterError> {
        namespace::list_owned(&self.client, installation).await
    }

    async fn watch(&self, installation: InstallationId, changed: OnChange) -> Result<(), ClusterError> {
        watch::run(&self.client, installation, changed).await
    }

    async fn version(&self) -> Result<String, ClusterError> {
        let info = call("asking for the version", "version", self.client.apiserver_version()).await?;
        Ok(info.git_version)
    }

    async fn check_rights(&self) -> Result<Vec<Right>, ClusterError> {
        rights::check(&self.client).await
    }

    async fn ingress_class_exists(&self, name: &str) -> Result<bool, ClusterError> {
        let api: Api<IngressClass> = Api::all(self.client.clone());
        Ok(call(
            "reading an ingress class",
            "ingressclasses.networking.k8s.io",
            api.get_metadata_opt(name),
        )
        .await?
        .is_some())
    }

    async fn helm_version(&self) -> Result<String, ClusterError> {
        let version = self.helm.run(&["version", "--template", "{{.Version}}"], None).await?;
        Ok(version.trim().to_owned())
    }

    async fn helm_reaches_cluster(&self) -> Result<(), ClusterError> {
        // One namespace: of a whole cluster helm would fetch every record that it has.
        let arguments = ["list", "--namespace", "default", "--max", "1", "--output", "json"];
        self.helm.run(&arguments, None).await.map(drop)
    }
}
