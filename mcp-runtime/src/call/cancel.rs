//! How work learns that its call was cancelled.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::Notify;

/// Something that happens once, for any number of those who wait for it.
#[derive(Default)]
pub(crate) struct Signal {
    raised: AtomicBool,
    notify: Notify,
}

impl Signal {
    pub(crate) fn raise(&self) {
        self.raised.store(true, Ordering::Release);
        self.notify.notify_waiters();
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    /// Resolves when it is raised.
    pub(crate) async fn wait(&self) {
        loop {
            let notified = self.notify.notified();
            if self.is_raised() {
                return;
            }
            notified.await;
        }
    }
}

/// Whether a call was cancelled, for work that outlives the function: a spawned task, a thread. Cheap to clone.
///
/// The function itself need not look: its future is dropped. Given by [`Context::cancelled`](super::Context::cancelled).
#[derive(Clone)]
pub struct Cancelled(Arc<Signal>);

impl std::fmt::Debug for Cancelled {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Cancelled").field(&self.is_cancelled()).finish()
    }
}

impl Cancelled {
    /// Resolves when the call is cancelled; never, once it has been answered.
    pub async fn wait(&self) {
        self.0.wait().await;
    }

    /// Whether the call was cancelled, for threads that look now and then.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_raised()
    }
}

/// A call's own side of it. A call that is dropped before it was answered was cancelled, whatever the reason.
#[derive(Default)]
pub(super) struct Cancelling {
    signal: OnceLock<Arc<Signal>>,
    answered: bool,
}

impl Cancelling {
    /// For work of the call.
    pub(super) fn listen(&self) -> Cancelled {
        Cancelled(self.signal.get_or_init(Arc::default).clone())
    }

    /// The call is cancelled.
    pub(super) fn cancel(&self) {
        if let Some(signal) = self.signal.get() {
            signal.raise();
        }
    }

    /// The call has come to its answer: what it left behind may go on.
    pub(super) fn answered(&mut self) {
        self.answered = true;
    }
}

impl Drop for Cancelling {
    fn drop(&mut self) {
        if !self.answered {
            self.cancel();
        }
    }
}
