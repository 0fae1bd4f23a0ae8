//! Connections whose client has not said yet that it is ready to be asked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::session::{Process, SessionKey};

/// The stdio connections between `initialize` and `notifications/initialized`: nothing is asked there.
///
/// Over HTTP nobody is here: a session that did nothing yet is no memory of the server, messages overtake each other, and
/// a client that calls something in a session has read the answer to its `initialize`.
///
/// # Source
/// 2025-11-25 basic/lifecycle §Initialization; HTTP is our choice.
#[derive(Default)]
pub(in crate::era) struct Handshakes(Mutex<HashMap<SessionKey, Arc<Process>>>);

impl Handshakes {
    /// The client of this connection has been greeted.
    pub(super) fn begin(&self, process: &Arc<Process>) {
        self.connections().insert(process.key(), process.clone());
    }

    /// The client is ready, or gone.
    pub(in crate::era) fn end(&self, session: SessionKey) {
        self.connections().remove(&session);
    }

    /// Waits until the client can be asked; `false` when it never can.
    pub(super) async fn ready(&self, session: SessionKey) -> bool {
        let waiting = self.connections().get(&session).cloned();
        match waiting {
            Some(process) => process.until_initialized().await,
            None => true,
        }
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<SessionKey, Arc<Process>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
