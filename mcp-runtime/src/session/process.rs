//! The one session of a stdio process.
//!
//! Takes: the session that `initialize` opened. Gives: it back for each later line. Knows: that there is at most one. Must
//! not know: lines.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::{ProtocolSession, SessionKey};

/// What a stdio connection remembers between lines: its session, once `initialize` opened one.
#[derive(Debug)]
pub struct Process {
    key: SessionKey,
    session: Mutex<Option<Arc<ProtocolSession>>>,
    told: watch::Sender<Told>,
}

/// Whether the client can be told things that it did not ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// It has not said that it is ready.
    NotYet,
    /// It said `notifications/initialized`.
    Now,
    /// It is gone.
    Never,
}

impl Process {
    /// A connection whose state hangs on this key.
    pub(crate) fn new(key: SessionKey) -> Self {
        Self { key, session: Mutex::new(None), told: watch::Sender::new(Told::NotYet) }
    }

    /// Where the state of this connection hangs.
    pub(crate) fn key(&self) -> SessionKey {
        self.key
    }

    /// The session, if `initialize` opened one.
    pub(crate) fn session(&self) -> Option<Arc<ProtocolSession>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The client may be told things from now on.
    pub(crate) fn initialized(&self) {
        self.told.send_replace(Told::Now);
    }

    /// The client says nothing more, and need not be waited for.
    pub(crate) fn finish(&self) {
        self.told.send_if_modified(|told| {
            let waited = *told == Told::NotYet;
            if waited {
                *told = Told::Never;
            }
            waited
        });
    }

    /// Waits until the client may be told things; `false` when it never may.
    pub(crate) async fn until_initialized(&self) -> bool {
        let mut told = self.told.subscribe();
        // The sender is here, so that the wait can't fail.
        let told = told.wait_for(|told| *told != Told::NotYet).await;
        told.is_ok_and(|told| *told == Told::Now)
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
