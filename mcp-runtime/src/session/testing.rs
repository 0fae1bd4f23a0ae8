//! What the tests of this room share: a store, faults, principals, time.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::SessionState;
use crate::{
    auth::Principal,
    store::{
        Blob, Commit, Committed, Loaded, MemoryStore, Operation, Owner, Presence, Revision, SessionKey, StateStore,
        StoreError, StoreFuture, StoreIdentity, Write,
    },
};

/// A person who is not the other one.
pub(super) fn alice() -> Principal {
    Principal::new("https://issuer.example", "alice", "client-1")
}

/// Lets this time pass, for the calendar and for timers (the test's runtime must be paused).
pub(super) async fn pass(time: Duration) {
    tokio::time::advance(time).await;
}

/// State of a session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Notes {
    pub(super) notes: Vec<String>,
}

impl SessionState for Notes {
    const KEY: &'static str = "Notes";
    fn draft(&self) -> Self {
        self.clone()
    }
}

/// Another state of the same session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Counter {
    pub(super) count: u64,
}

impl SessionState for Counter {
    const KEY: &'static str = "Counter";
    const VERSION: u32 = 3;
    fn draft(&self) -> Self {
        self.clone()
    }
}

/// What goes wrong with the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// It fails and does nothing.
    Refuse,
    /// It is done, and the answer is lost.
    LoseAnswer,
    /// It is never answered.
    Hang,
    /// There is no room.
    Full,
}

/// The memory store, whose calls are counted and fail on demand.
pub(super) struct Shelf {
    store: MemoryStore,
    durable: bool,
    shared: bool,
    faults: Mutex<VecDeque<Fault>>,
    calls: AtomicUsize,
}

impl Shelf {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self::with(false, false))
    }

    /// One that survives the process, as far as it says.
    pub(super) fn durable() -> Arc<Self> {
        Arc::new(Self::with(true, false))
    }

    /// One that several instances share, as far as it says.
    pub(super) fn shared() -> Arc<Self> {
        Arc::new(Self::with(true, true))
    }

    fn with(durable: bool, shared: bool) -> Self {
        Self { store: MemoryStore::new(), durable, shared, faults: Mutex::default(), calls: AtomicUsize::new(0) }
    }

    /// These go wrong with the next calls, in this order.
    pub(super) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// How often the store was asked for anything but its identity.
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// How many live records this owner has.
    pub(super) async fn records(&self, owner: Owner) -> usize {
        self.store.list(owner, None, usize::MAX).await.unwrap().len()
    }

    /// The bytes and revision of a part; looking does not count as a call.
    pub(super) async fn part(&self, session: SessionKey, key: &'static str) -> Option<(Vec<u8>, Revision)> {
        let loaded = self.store.load(session, &[key], Duration::from_secs(1800)).await.unwrap();
        let (blob, revision) = loaded.parts.into_iter().next()??;
        Some((blob.bytes(), revision))
    }

    /// Puts bytes where a part is to be.
    pub(super) async fn put(&self, session: SessionKey, key: &'static str, bytes: &[u8]) {
        let commit = Commit {
            operation: Operation(super::random()),
            owner: Owner::default(),
            idle: Duration::from_secs(1800),
            writes: vec![Write { key, expected: 0, value: Blob::from_bytes(bytes.to_vec()) }],
        };
        assert_eq!(self.store.commit(session, commit).await.unwrap(), Committed::Saved);
    }

    fn answer<'a, T: Send + 'a>(&'a self, asked: StoreFuture<'a, T>) -> StoreFuture<'a, T> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let fault = self.faults.lock().unwrap().pop_front().unwrap_or(Fault::None);
        StoreFuture::new(async move {
            match fault {
                Fault::None => {
                    let done = asked.await;
                    // As over a network: others get a chance to run.
                    tokio::task::yield_now().await;
                    done
                }
                Fault::Refuse => Err(StoreError::Unavailable("refused".into())),
                Fault::Full => Err(StoreError::Full),
                Fault::LoseAnswer => {
                    asked.await?;
                    Err(StoreError::Unavailable("connection lost".into()))
                }
                Fault::Hang => std::future::pending().await,
            }
        })
    }

    /// The store's future, begun when it is first polled: a refused call does nothing.
    fn later<'a, T: Send + 'a>(&'a self, ask: impl FnOnce() -> StoreFuture<'a, T> + Send + 'a) -> StoreFuture<'a, T> {
        self.answer(StoreFuture::new(async move { ask().await }))
    }
}

impl StateStore for Shelf {
    fn identity(&self) -> StoreFuture<'_, StoreIdentity> {
        self.store.identity()
    }

    fn durable(&self) -> bool {
        self.durable
    }

    fn shared(&self) -> bool {
        self.shared
    }

    fn load<'a>(&'a self, session: SessionKey, keys: &'a [&'static str], idle: Duration) -> StoreFuture<'a, Loaded> {
        self.later(move || self.store.load(session, keys, idle))
    }

    fn commit(&self, session: SessionKey, commit: Commit) -> StoreFuture<'_, Committed> {
        self.later(move || self.store.commit(session, commit))
    }

    fn touch(&self, session: SessionKey, idle: Duration) -> StoreFuture<'_, Presence> {
        self.later(move || self.store.touch(session, idle))
    }

    fn remove(&self, session: SessionKey, tombstone: Duration) -> StoreFuture<'_, ()> {
        self.later(move || self.store.remove(session, tombstone))
    }

    fn list(&self, owner: Owner, after: Option<SessionKey>, limit: usize) -> StoreFuture<'_, Vec<SessionKey>> {
        self.later(move || self.store.list(owner, after, limit))
    }
}
