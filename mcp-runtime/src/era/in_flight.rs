//! Calls that can be cancelled by a notification.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{call::Signal, session::SessionKey, wire::Id};

/// The calls under way that `notifications/cancelled` may name: by session (or stdio connection) and request id.
#[derive(Default)]
pub(crate) struct InFlight {
    shards: [Mutex<HashMap<(SessionKey, Id), Entry>>; SHARDS],
}

const SHARDS: usize = 16;

struct Entry {
    /// Calls under this id; of more than one, none is cancelled.
    calls: usize,
    signal: Arc<Signal>,
}

/// One call's place among those under way; it leaves when dropped.
pub(crate) struct Cancelled<'a> {
    in_flight: &'a InFlight,
    key: (SessionKey, Id),
    signal: Arc<Signal>,
}

impl InFlight {
    /// Enters a call.
    pub(crate) fn enter(&self, scope: SessionKey, id: Id) -> Cancelled<'_> {
        let key = (scope, id);
        let mut shard = self.shard(scope).lock().unwrap_or_else(PoisonError::into_inner);
        let entry = shard.entry(key.clone()).or_insert_with(|| Entry { calls: 0, signal: Arc::default() });
        entry.calls += 1;
        let signal = entry.signal.clone();
        drop(shard);
        Cancelled { in_flight: self, key, signal }
    }

    /// Cancels the call of this id, if there is exactly one; `false` if there is none here.
    pub(crate) fn cancel(&self, scope: SessionKey, id: Id) -> bool {
        let key = (scope, id);
        let mut shard = self.shard(scope).lock().unwrap_or_else(PoisonError::into_inner);
        let calls = shard.get(&key).map_or(0, |entry| entry.calls);
        if calls == 1 {
            // Taken out at once: the next call of this id is another one.
            shard.remove(&key).into_iter().for_each(|entry| entry.signal.raise());
        }
        calls > 0
    }

    /// Cancels every call of a session that is over.
    pub(crate) fn end(&self, scope: SessionKey) {
        let mut shard = self.shard(scope).lock().unwrap_or_else(PoisonError::into_inner);
        shard.extract_if(|(session, _), _| *session == scope).for_each(|(_, entry)| entry.signal.raise());
    }

    fn shard(&self, scope: SessionKey) -> &Mutex<HashMap<(SessionKey, Id), Entry>> {
        // Keys are random or digests, so that their last byte spreads them; the remainder is below the number of shards.
        &self.shards[usize::from(scope.0[16]) % SHARDS]
    }
}

impl Cancelled<'_> {
    /// Resolves when the call is cancelled.
    pub(crate) async fn wait(&self) {
        self.signal.wait().await;
    }
}

impl Drop for Cancelled<'_> {
    fn drop(&mut self) {
        let mut shard = self.in_flight.shard(self.key.0).lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever was cancelled left already, and another call may have the id by now.
        if let Some(entry) = shard.get_mut(&self.key).filter(|entry| Arc::ptr_eq(&entry.signal, &self.signal)) {
            entry.calls -= 1;
            if entry.calls == 0 {
                shard.remove(&self.key);
            }
        }
    }
}
