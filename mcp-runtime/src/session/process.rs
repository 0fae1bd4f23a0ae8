//! The one session of a stdio process.
//!
//! Takes: the session that `initialize` opened. Gives: it back for each later line. Knows: that there is at most one. Must
//! not know: lines.

use std::sync::{Arc, Mutex, PoisonError};

use super::{ProtocolSession, SessionKey};

/// What a stdio connection remembers between lines: its session, once `initialize` opened one.
#[derive(Debug)]
pub struct Process {
    key: SessionKey,
    session: Mutex<Option<Arc<ProtocolSession>>>,
}

impl Process {
    /// A connection whose state hangs on this key.
    pub(crate) fn new(key: SessionKey) -> Self {
        Self { key, session: Mutex::new(None) }
    }

    /// Where the state of this connection hangs.
    pub(crate) fn key(&self) -> SessionKey {
        self.key
    }

    /// The session, if `initialize` opened one.
    pub(crate) fn session(&self) -> Option<Arc<ProtocolSession>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens the session; `false` if there is one already.
    pub(crate) fn open(&self, session: ProtocolSession) -> bool {
        let mut slot = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = slot.is_none();
        if fresh {
            *slot = Some(Arc::new(session));
        }
        fresh
    }
}
