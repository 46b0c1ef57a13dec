//! Tenants and operations as the API writes them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_app::{
    App,
    provisioning::{self as app, Failure, Reader, StepViewState},
};
use tenantry_domain::provisioning::{self as domain};

use utoipa::ToSchema;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident from $source:path { $($(#[$word_doc:meta])* $word:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$word_doc])* $word,)+ }

        impl From<$source> for $name {
            fn from(source: $source) -> Self {
                match source { $(<$source>::$word => Self::$word,)+ }
            }
        }

        impl From<$name> for $source {
            fn from(source: $name) -> Self {
                match source { $($name::$word => <$source>::$word,)+ }
            }
        }
    };
}

words! {
    /// Where a tenant stands.
    TenantState from domain::TenantState {
        /// Named, nothing runs yet.
        Pending,
        /// Being made.
        Provisioning,
        /// Runs and answers.
        Active,
        /// Rests with its data.
        Suspended,
        /// Being removed.
        Deprovisioning,
        /// Gone.
        Deleted,
        /// Making it did not succeed; we are on it.
        Failed,
        /// Runs while a new version takes its place.
        Upgrading,
    }
}

words! {
    /// Where a step stands.
    StepState from StepViewState {
        /// To come.
        Pending,
        /// At work.
        Running,
        /// Waits for something, or for its next try.
        Waiting,
        /// Done.
        Done,
        /// Gave up.
        Failed,
        /// Being taken back.
        Undoing,
        /// Taken back.
        Undone,
    }
}

words! {
    /// Where an operation stands.
    OperationState from app::OperationState {
        /// Nothing has happened yet.
        Queued,
        /// At work.
        Running,
        /// Something is not ready, or a try failed and the next one comes.
        Waiting,
        /// Going back.
        Undoing,
        /// Going back did not succeed: a person looks at it.
        Stuck,
        /// Done.
        Done,
        /// It gave up, and nothing of it is left.
        Undone,
    }
}

/// Why a tenant stands where it does.
#[derive(Debug, Serialize, ToSchema)]
pub struct StateReason {
    /// For programs.
    #[schema(example = "image_cannot_be_pulled")]
    pub code: String,
    /// For people.
    pub detail: String,
    /// What happens next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl From<domain::StateReason> for StateReason {
    fn from(reason: domain::StateReason) -> Self {
        Self {
            code: reason.code,
            detail: reason.detail,
            next: reason.next,
        }
    }
}

/// A tenant in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct TenantSummary {
    /// The tenant.
    #[schema(example = "ten_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub id: String,
    /// The label of its host.
    #[schema(example = "museum-of-examples")]
    pub name: String,
    /// Its host.
    #[schema(example = "museum-of-examples.tenants.example.net")]
    pub host: String,
    /// Where it answers.
    pub url: String,
    /// Key of its product.
    #[schema(example = "collection")]
    pub product: String,
    /// Key of its plan.
    #[schema(example = "starter")]
    pub plan: String,
    /// Where it stands.
    pub state: TenantState,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<StateReason>,
    /// When it was named.
    pub created_at: DateTime<Utc>,
}

impl TenantSummary {
    pub(crate) fn new(app: &App, view: app::TenantView) -> Self {
        // A tenant that is gone has given its host back; this is the one that it had.
        let host = view
            .host
            .unwrap_or_else(|| format!("{}.{}", view.name, app.settings.tenant_domain));
        Self {
            id: view.id.to_string(),
            url: view.url.unwrap_or_else(|| app.settings.tenant_url(&host)),
            host,
            name: view.name,
            product: view.product,
            plan: view.plan,
            state: view.state.into(),
            state_reason: view.state_reason.map(StateReason::from),
            created_at: view.created_at,
        }
    }
}

/// A customer, beside one of its things.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OrganizationRef)]
pub struct OrganizationReference {
    /// The organization.
    #[schema(example = "org_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub id: String,
    /// Its name in addresses.
    #[schema(example = "museum-of-examples")]
    pub slug: String,
    /// Its name.
    #[schema(example = "Museum of Examples")]
    pub name: String,
}

/// A tenant with its operations.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tenant {
    /// What lists show.
    #[serde(flatten)]
    pub summary: TenantSummary,
    /// Whose it is.
    pub organization: OrganizationReference,
    /// What pays for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<String>,
    /// Its namespace in the cluster.
    pub namespace: String,
    /// Its Helm release.
    pub release: String,
    /// When the next attempt starts by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<DateTime<Utc>>,
    /// What is at work on it, or waits for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_operation: Option<OperationSummary>,
    /// The latest, newest first.
    pub operations: Vec<OperationSummary>,
}

impl Tenant {
    pub(crate) fn new(
        app: &App,
        mut view: app::TenantView,
        organization: OrganizationReference,
        reader: Reader,
    ) -> Self {
        let operations: Vec<_> = std::mem::take(&mut view.operations);
        let current = operations.iter().find(|operation| operation.is_current()).cloned();
        Self {
            organization,
            subscription_id: view.subscription.map(|id| id.to_string()),
            namespace: view.namespace.clone(),
            release: view.release.clone(),
            retry_at: view.retry_at,
            current_operation: current.map(|operation| OperationSummary::new(operation, reader)),
            operations: operations
                .into_iter()
                .map(|operation| OperationSummary::new(operation, reader))
                .collect(),
            summary: TenantSummary::new(app, view),
        }
    }
}

/// Why something failed.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepError {
    /// For programs.
    #[schema(example = "chart_does_not_render")]
    pub code: String,
    /// For people.
    pub detail: String,
    /// What the other side said; for operators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technical: Option<String>,
}

impl StepError {
    fn new(failure: Failure, reader: Reader) -> Self {
        Self {
            code: failure.code.into_owned(),
            detail: failure.detail,
            // What other programs said, word for word, is for operators.
            technical: failure.technical.filter(|_| reader == Reader::Operator),
        }
    }
}

/// An operation in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperationSummary {
    /// The operation.
    #[schema(example = "op_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub id: String,
    /// What it does: `provision` or `deprovision`.
    pub kind: String,
    /// Where it stands.
    pub state: OperationState,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// When its first step began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it was queued.
    pub cause: String,
    /// Why it went back or is stuck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
}

impl OperationSummary {
    pub(crate) fn new(view: app::OperationSummary, reader: Reader) -> Self {
        Self {
            id: view.id.to_string(),
            kind: view.kind,
            state: operation_state(&view.state),
            created_at: view.created_at,
            started_at: view.started_at,
            ended_at: view.ended_at,
            cause: view.cause,
            error: view.failure.map(|failure| StepError::new(failure, reader)),
        }
    }
}

/// A state that a later release wrote shows as at work.
fn operation_state(word: &str) -> OperationState {
    use app::OperationState as State;
    [
        State::Queued,
        State::Running,
        State::Waiting,
        State::Undoing,
        State::Stuck,
        State::Done,
        State::Undone,
    ]
    .into_iter()
    .find(|state| state.as_str() == word)
    .map_or(OperationState::Running, OperationState::from)
}

/// An operation with its steps.
#[derive(Debug, Serialize, ToSchema)]
pub struct Operation {
    /// What lists show.
    #[serde(flatten)]
    pub summary: OperationSummary,
    /// On which tenant.
    pub tenant_id: String,
    /// From 1; grows when a person retries it.
    pub attempt: i32,
    /// In their order, those to come included.
    pub steps: Vec<Step>,
    /// When it looks again, while it sleeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// One step of an operation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Step {
    /// Stable, for programs.
    #[schema(example = "namespace")]
    pub name: String,
    /// What it does, in words.
    #[schema(example = "Set aside a place of its own")]
    pub title: String,
    /// Where it stands.
    pub state: StepState,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it was done, undone or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// How long it took, waiting included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// How long it usually takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual_ms: Option<u64>,
    /// How often it was begun.
    pub attempts: u32,
    /// Why it failed, or failed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
    /// What it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<String>,
    /// What the other side said about that; for operators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_technical: Option<String>,
}

impl Operation {
    pub(crate) fn new(view: app::OperationView, reader: Reader) -> Self {
        let steps = view.steps.into_iter().map(|step| Step::new(step, reader)).collect();
        Self {
            tenant_id: view.tenant.to_string(),
            attempt: view.attempt,
            steps,
            next_attempt_at: view.next_attempt_at,
            summary: OperationSummary {
                id: view.id.to_string(),
                kind: view.kind,
                state: operation_state(&view.state),
                created_at: view.created_at,
                started_at: view.started_at,
                ended_at: view.ended_at,
                cause: view.cause,
                error: view.failure.map(|failure| StepError::new(failure, reader)),
            },
        }
    }
}

impl Step {
    fn new(step: app::StepView, reader: Reader) -> Self {
        let waiting_for = step.waiting_for.map(|obstacle| StepError::new(obstacle, reader));
        let (waiting_for, waiting_technical) = match waiting_for {
            Some(obstacle) => (Some(obstacle.detail), obstacle.technical),
            None => (None, None),
        };
        Self {
            name: step.name,
            title: step.title.to_owned(),
            state: step.state.into(),
            started_at: step.started_at,
            ended_at: step.ended_at,
            duration_ms: step.duration.map(millis),
            usual_ms: step.usual.map(millis),
            attempts: step.attempts,
            error: step.failure.map(|failure| StepError::new(failure, reader)),
            waiting_for,
            waiting_technical,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
