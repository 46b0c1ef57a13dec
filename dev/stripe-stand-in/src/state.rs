//! The whole state of the stand-in behind one lock, and the verbs by which the rest changes it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::agenda::Agenda;
use crate::clock::{Clock, Timestamp};
use crate::errors::ApiError;
use crate::events;
use crate::faults::Faults;
use crate::idempotency::IdempotencyKeys;
use crate::ids::new_id;
use crate::outbox::Outbox;
use crate::store::{Kind, Store};

/// The one version of Stripe's API that the stand-in speaks.
pub(crate) const API_VERSION: &str = "2026-08-26.dahlia";

/// The request that is being served: events name it.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestContext {
    pub(crate) id: String,
    pub(crate) idempotency_key: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) agenda: Agenda,
    pub(crate) outbox: Outbox,
    pub(crate) idempotency: IdempotencyKeys,
    pub(crate) next_invoice_number: u64,
    #[serde(skip)]
    pub(crate) faults: Faults,
    #[serde(skip)]
    pub(crate) request: Option<RequestContext>,
    /// Where the hosted payment page is found.
    #[serde(skip)]
    pub(crate) public_url: String,
    /// Counts changes, so that a snapshot is written only when there is something new.
    #[serde(skip)]
    pub(crate) revision: u64,
}

impl State {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The object that a path names.
    pub(crate) fn get(&self, kind: Kind, id: &str) -> Result<Value, ApiError> {
        self.store
            .object(kind, id)
            .cloned()
            .ok_or_else(|| ApiError::no_such(kind.noun(), id))
    }

    /// The object that a parameter names.
    pub(crate) fn get_for_param(&self, kind: Kind, id: &str, param: &str) -> Result<Value, ApiError> {
        match self.store.object(kind, id) {
            Some(object) if object["deleted"] != json!(true) => Ok(object.clone()),
            _ => Err(ApiError::no_such_param(kind.noun(), id, param)),
        }
    }

    /// A value that the API does not show.
    pub(crate) fn hidden(&self, kind: Kind, id: &str, name: &str) -> Value {
        self.store
            .record(kind, id)
            .map_or(Value::Null, |record| record.hidden[name].clone())
    }

    pub(crate) fn set_hidden(&mut self, kind: Kind, id: &str, name: &str, value: Value) {
        self.revision += 1;
        self.store.edit_hidden(kind, id, |hidden| hidden[name] = value);
    }

    /// Stores a new object under a new id; `object` may bring an id of its own.
    pub(crate) fn create(&mut self, kind: Kind, mut object: Value, hidden: Value) -> Value {
        self.revision += 1;
        if object["id"].is_null() {
            object["id"] = json!(new_id(kind.prefix()));
        }
        self.store.put(kind, object.clone(), hidden);
        object
    }

    /// Changes an object. Where `event_type` is given and something changed, the event tells the previous values.
    pub(crate) fn change(
        &mut self,
        kind: Kind,
        id: &str,
        event_type: Option<&str>,
        edit: impl FnOnce(&mut Value),
    ) -> Value {
        let Some(record) = self.store.record(kind, id) else {
            return Value::Null;
        };
        let (before, hidden) = (record.object.clone(), record.hidden.clone());
        let mut after = before.clone();
        edit(&mut after);
        if before == after {
            return after;
        }
        self.revision += 1;
        self.store.put(kind, after.clone(), hidden);
        if let Some(event_type) = event_type {
            let previous = events::previous_attributes(&before, &after);
            events::emit(self, event_type, &after, Some(previous));
        }
        after
    }

    /// Records that something happened to an object as it is now.
    pub(crate) fn emit(&mut self, event_type: &str, object: &Value) {
        events::emit(self, event_type, object, None);
    }
}

/// The state as tasks and handlers share it.
#[derive(Clone, Default)]
pub(crate) struct Shared {
    state: Arc<Mutex<State>>,
    /// Woken when there may be something to deliver.
    pub(crate) deliveries: Arc<Notify>,
}

impl Shared {
    pub(crate) fn new(state: State) -> Self {
        Self {
            state: Arc::new(Mutex::new(state)),
            deliveries: Arc::new(Notify::new()),
        }
    }

    /// Each change is complete when its lock is released, so a poisoned lock still guards a usable state.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
