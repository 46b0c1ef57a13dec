//! What can go wrong with a cluster, and what to do about it.

/// Why a cluster did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// No answer, or the connection broke.
    #[error("the cluster does not answer: {detail}")]
    Unreachable {
        /// As the connection said it.
        detail: String,
    },
    /// No answer in time.
    #[error("{action} took longer than {seconds} s")]
    Timeout {
        /// What was being done.
        action: &'static str,
        /// The bound.
        seconds: u64,
    },
    /// The cluster is there and busy (too many requests, a server error).
    #[error("the cluster is busy: {detail}")]
    Busy {
        /// As the cluster said it.
        detail: String,
    },
    /// The credentials are not accepted.
    #[error("the cluster does not accept our credentials: {detail}")]
    Unauthenticated {
        /// As the cluster said it.
        detail: String,
    },
    /// A right is missing.
    #[error("not allowed to {verb} {resource}")]
    Forbidden {
        /// As in RBAC.
        verb: String,
        /// Plural name with group, such as `networkpolicies.networking.k8s.io`.
        resource: String,
        /// How to mend it.
        mend: String,
    },
    /// The namespace exists and belongs to someone else. It is never touched.
    #[error("namespace {namespace} exists and belongs to {owner}")]
    NamespaceNotOurs {
        /// Its name.
        namespace: String,
        /// What its labels tell.
        owner: String,
    },
    /// Another worker has taken the operation over; nothing was done.
    #[error("another worker has taken over")]
    Superseded,
    /// Whether another worker has taken over could not be found out; nothing was done.
    #[error("whether the operation is still ours is not known: {detail}")]
    FenceUnanswered {
        /// As the ledger said it.
        detail: String,
    },
    /// The namespace is still being removed.
    #[error("namespace {namespace} is being removed")]
    NamespaceTerminating {
        /// Its name.
        namespace: String,
    },
    /// Another manager owns a field that we write.
    #[error("{resource} is also written by {owner}")]
    Conflict {
        /// Kind and name.
        resource: String,
        /// The other field manager.
        owner: String,
    },
    /// The bounds of the plan do not admit it.
    #[error("the plan's quota does not admit it: {detail}")]
    QuotaExceeded {
        /// As the cluster said it.
        detail: String,
    },
    /// The cluster refuses the object.
    #[error("the cluster refuses {resource}: {detail}")]
    Invalid {
        /// Kind and name.
        resource: String,
        /// As the cluster said it.
        detail: String,
    },
    /// The thing is not there.
    #[error("{resource} is not there")]
    NotFound {
        /// Kind and name.
        resource: String,
    },
    /// The chart cannot be rendered with these values.
    #[error("the chart does not render: {detail}")]
    ChartDoesNotRender {
        /// As Helm said it.
        detail: String,
    },
    /// The chart is not where it should be.
    #[error("there is no chart in {directory}")]
    ChartMissing {
        /// Where it was looked for.
        directory: String,
    },
    /// Another Helm works on the release.
    #[error("another operation of Helm on release {release} is in progress")]
    ReleaseBusy {
        /// Its name.
        release: String,
    },
    /// The helm program cannot be started.
    #[error("helm cannot be run: {detail}")]
    HelmUnusable {
        /// As the system said it.
        detail: String,
    },
    /// Helm failed in a way that has no name yet.
    #[error("helm failed: {detail}")]
    HelmFailed {
        /// As Helm said it.
        detail: String,
    },
}

/// What to do after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// It may pass: try again with growing pauses.
    Retry,
    /// It will not pass: undo.
    GiveUp,
    /// It will pass by itself: ask again soon, without counting an attempt.
    NotYet,
}

impl ClusterError {
    /// What to do.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::Busy { .. }
            | Self::Unauthenticated { .. }
            | Self::Conflict { .. }
            | Self::NotFound { .. }
            | Self::HelmUnusable { .. }
            | Self::HelmFailed { .. }
            | Self::Superseded
            | Self::FenceUnanswered { .. } => Remedy::Retry,
            Self::Forbidden { .. }
            | Self::NamespaceNotOurs { .. }
            | Self::QuotaExceeded { .. }
            | Self::Invalid { .. }
            | Self::ChartDoesNotRender { .. }
            | Self::ChartMissing { .. } => Remedy::GiveUp,
            Self::NamespaceTerminating { .. } | Self::ReleaseBusy { .. } => Remedy::NotYet,
        }
    }

    /// Stable, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "cluster_unreachable",
            Self::Timeout { .. } => "cluster_timeout",
            Self::Busy { .. } => "cluster_busy",
            Self::Unauthenticated { .. } => "cluster_credentials_refused",
            Self::Forbidden { .. } => "forbidden",
            Self::NamespaceNotOurs { .. } => "namespace_not_ours",
            Self::NamespaceTerminating { .. } => "namespace_terminating",
            Self::Superseded => "superseded",
            Self::FenceUnanswered { .. } => "fence_unanswered",
            Self::Conflict { .. } => "field_conflict",
            Self::QuotaExceeded { .. } => "quota_exceeded",
            Self::Invalid { .. } => "object_refused",
            Self::NotFound { .. } => "object_not_found",
            Self::ChartDoesNotRender { .. } => "chart_does_not_render",
            Self::ChartMissing { .. } => "chart_missing",
            Self::ReleaseBusy { .. } => "release_in_progress",
            Self::HelmUnusable { .. } => "helm_unusable",
            Self::HelmFailed { .. } => "helm_failed",
        }
    }

    /// How an operator mends it.
    #[must_use]
    pub fn mend(&self) -> String {
        match self {
            Self::Forbidden { mend, .. } => mend.clone(),
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Busy { .. } => {
                "Check that the cluster is up and reachable from here; `tenantry doctor` shows how it is reached.".to_owned()
            }
            Self::Unauthenticated { .. } => "Renew the credentials in the kubeconfig or service account.".to_owned(),
            Self::NamespaceNotOurs { .. } => {
                "Nothing was touched. Find out who uses that namespace; it carries the name that belongs to this tenant.".to_owned()
            }
            Self::QuotaExceeded { .. } => "Give the plan a larger quota, or the chart smaller requests.".to_owned(),
            Self::ChartDoesNotRender { .. } | Self::ChartMissing { .. } => {
                "Mend the chart or the product's values in the catalog, then retry.".to_owned()
            }
            Self::HelmUnusable { .. } => "Install Helm 4 and name it by TENANTRY_HELM.".to_owned(),
            Self::Conflict { owner, .. } => format!("Stop {owner} from writing to this object, then retry."),
            Self::FenceUnanswered { .. } => "Check that the database answers.".to_owned(),
            Self::Invalid { .. } => {
                "Mend the chart, the product's values, or the cluster's policy that refuses it, then retry.".to_owned()
            }
            Self::Superseded
            | Self::NamespaceTerminating { .. }
            | Self::NotFound { .. }
            | Self::ReleaseBusy { .. }
            | Self::HelmFailed { .. } => "Retry; when it stays, look at the objects in the namespace.".to_owned(),
        }
    }
}
