//! Calls that can be cancelled by a notification.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;

use crate::{session::SessionKey, wire::Id};

/// The calls under way that `notifications/cancelled` may name: by session (or stdio connection) and request id.
pub(crate) struct InFlight {
    shards: [Mutex<HashMap<(SessionKey, Id), Entry>>; 16],
    hasher: RandomState,
}

struct Entry {
    /// Calls under this id; of more than one, none is cancelled.
    calls: usize,
    signal: Arc<Signal>,
}

#[derive(Default)]
struct Signal {
    cancelled: AtomicBool,
    notify: Notify,
}

/// One call's place among those under way; it leaves when dropped.
pub(crate) struct Cancelled<'a> {
    in_flight: &'a InFlight,
    key: (SessionKey, Id),
    signal: Arc<Signal>,
}

impl Default for InFlight {
    fn default() -> Self {
        Self { shards: Default::default(), hasher: RandomState::new() }
    }
}

impl InFlight {
    /// Enters a call.
    pub(crate) fn enter(&self, scope: SessionKey, id: Id) -> Cancelled<'_> {
        let key = (scope, id);
        let mut shard = self.shard(&key).lock().unwrap_or_else(PoisonError::into_inner);
        let entry = shard.entry(key.clone()).or_insert_with(|| Entry { calls: 0, signal: Arc::default() });
        entry.calls += 1;
        let signal = entry.signal.clone();
        drop(shard);
        Cancelled { in_flight: self, key, signal }
    }

    /// Cancels the call of this id, if there is exactly one.
    pub(crate) fn cancel(&self, scope: SessionKey, id: Id) {
        let key = (scope, id);
        let shard = self.shard(&key).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Entry { calls: 1, signal }) = shard.get(&key) {
            signal.cancelled.store(true, Ordering::Release);
            signal.notify.notify_waiters();
        }
    }

    fn shard(&self, key: &(SessionKey, Id)) -> &Mutex<HashMap<(SessionKey, Id), Entry>> {
        // The remainder is below the number of shards.
        &self.shards[(self.hasher.hash_one(key) % 16) as usize]
    }
}

impl Cancelled<'_> {
    /// Resolves when the call is cancelled.
    pub(crate) async fn wait(&self) {
        loop {
            let notified = self.signal.notify.notified();
            if self.signal.cancelled.load(Ordering::Acquire) {
                return;
            }
            notified.await;
        }
    }
}

impl Drop for Cancelled<'_> {
    fn drop(&mut self) {
        let mut shard = self.in_flight.shard(&self.key).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = shard.get_mut(&self.key) {
            entry.calls -= 1;
            if entry.calls == 0 {
                shard.remove(&self.key);
            }
        }
    }
}
