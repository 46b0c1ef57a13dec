//! How many live views one session may hold open.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tenantry_domain::ids::SessionId;

/// More than anybody looks at; each costs a connection, and a look every few seconds.
const MOST: usize = 20;

/// The open views of all sessions.
#[derive(Debug, Clone, Default)]
pub(crate) struct StreamSlots(Arc<Mutex<HashMap<SessionId, usize>>>);

/// The right to hold one view open. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct StreamSlot {
    slots: StreamSlots,
    session: SessionId,
}

impl StreamSlots {
    /// A slot for one more view of this session, unless it has too many.
    pub(crate) fn take(&self, session: SessionId) -> Option<StreamSlot> {
        let mut open = self.lock();
        let count = open.entry(session).or_default();
        if *count >= MOST {
            return None;
        }
        *count += 1;
        Some(StreamSlot {
            slots: self.clone(),
            session,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        let mut open = self.slots.lock();
        if let Some(count) = open.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.session);
            }
        }
    }
}
