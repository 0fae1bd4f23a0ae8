//! What the tests of this room share: a store, faults, principals, time.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{SessionState, clock};
use crate::{
    auth::Principal,
    store::{
        Blob, Commit, Committed, Loaded, Operation, Owner, Presence, Revision, SessionKey, StateStore, StoreError,
        StoreFuture, StoreIdentity,
    },
};

/// A person who is not the other one.
pub(super) fn alice() -> Principal {
    Principal::new("https://issuer.example", "alice", "client-1")
}

/// Lets this time pass, for the calendar and for timers (the test's runtime must be paused).
pub(super) async fn pass(time: Duration) {
    clock::jump(time.as_secs().cast_signed());
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

/// A small store in memory that counts its calls and fails on demand.
pub(super) struct Shelf {
    identity: StoreIdentity,
    durable: bool,
    sessions: Mutex<HashMap<SessionKey, Record>>,
    faults: Mutex<VecDeque<Fault>>,
    pub(super) calls: AtomicUsize,
}

#[derive(Default)]
struct Record {
    gone: bool,
    expires: u64,
    owner: Owner,
    parts: HashMap<&'static str, (Blob, Revision)>,
    operations: HashSet<[u8; 16]>,
}

impl Shelf {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self::with(super::random(), false))
    }

    /// One that survives the process, as far as it says.
    pub(super) fn durable() -> Arc<Self> {
        Arc::new(Self::with(super::random(), true))
    }

    fn with(identity: [u8; 16], durable: bool) -> Self {
        Self {
            identity: StoreIdentity(identity),
            durable,
            sessions: Mutex::default(),
            faults: Mutex::default(),
            calls: AtomicUsize::new(0),
        }
    }

    /// These go wrong with the next calls, in this order.
    pub(super) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// How many records there are, tombstones included.
    pub(super) fn records(&self) -> usize {
        self.sessions.lock().unwrap().len()
    }

    /// The bytes and revision of a part.
    pub(super) fn part(&self, session: SessionKey, key: &'static str) -> Option<(Vec<u8>, Revision)> {
        let sessions = self.sessions.lock().unwrap();
        sessions.get(&session)?.parts.get(key).map(|(blob, revision)| (blob.bytes(), *revision))
    }

    /// Puts bytes where a part is.
    pub(super) fn put(&self, session: SessionKey, key: &'static str, bytes: &[u8]) {
        let mut sessions = self.sessions.lock().unwrap();
        let record = sessions.entry(session).or_default();
        record.expires = u64::MAX;
        record.parts.insert(key, (Blob::from_bytes(bytes.to_vec()), 1));
    }

    pub(super) fn owner(&self, session: SessionKey) -> Option<Owner> {
        self.sessions.lock().unwrap().get(&session).map(|record| record.owner)
    }

    fn answer<T: Send + 'static>(&self, act: impl FnOnce(&mut HashMap<SessionKey, Record>) -> T) -> StoreFuture<'_, T> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let fault = self.faults.lock().unwrap().pop_front().unwrap_or(Fault::None);
        let mut sessions = self.sessions.lock().unwrap();
        let now = clock::now();
        sessions.retain(|_, record| now < record.expires);
        match fault {
            Fault::None => {
                let done = act(&mut sessions);
                // As over a network: others get a chance to run.
                Box::pin(async move {
                    tokio::task::yield_now().await;
                    Ok(done)
                })
            }
            Fault::Refuse => Box::pin(std::future::ready(Err(StoreError::Unavailable("refused".into())))),
            Fault::Full => Box::pin(std::future::ready(Err(StoreError::Full))),
            Fault::LoseAnswer => {
                act(&mut sessions);
                Box::pin(std::future::ready(Err(StoreError::Unavailable("connection lost".into()))))
            }
            Fault::Hang => Box::pin(std::future::pending()),
        }
    }
}

fn presence(record: Option<&Record>) -> Presence {
    match record {
        None => Presence::Absent,
        Some(Record { gone: true, .. }) => Presence::Gone,
        Some(_) => Presence::Live,
    }
}

fn renew(record: Option<&mut Record>, idle: Duration) {
    if let Some(record) = record.filter(|record| !record.gone) {
        record.expires = record.expires.max(clock::now() + idle.as_secs());
    }
}

impl StateStore for Shelf {
    fn identity(&self) -> StoreFuture<'_, StoreIdentity> {
        Box::pin(std::future::ready(Ok(self.identity)))
    }

    fn durable(&self) -> bool {
        self.durable
    }

    fn load<'a>(&'a self, session: SessionKey, keys: &'a [&'static str], idle: Duration) -> StoreFuture<'a, Loaded> {
        self.answer(|sessions| {
            renew(sessions.get_mut(&session), idle);
            let record = sessions.get(&session);
            let part = |key: &&'static str| record.and_then(|record| record.parts.get(key).cloned());
            Loaded { presence: presence(record), parts: keys.iter().map(part).collect() }
        })
    }

    fn commit(&self, session: SessionKey, commit: Commit) -> StoreFuture<'_, Committed> {
        let Commit { operation: Operation(operation), owner, idle, writes } = commit;
        self.answer(move |sessions| {
            if sessions.get(&session).is_some_and(|record| record.gone) {
                return Committed::Gone;
            }
            let record = sessions.get(&session);
            if record.is_some_and(|record| record.operations.contains(&operation)) {
                return Committed::Duplicate;
            }
            let revision = |key| record.and_then(|record| record.parts.get(key)).map_or(0, |(_, revision)| *revision);
            if writes.iter().any(|write| revision(write.key) != write.expected) {
                return Committed::Conflict;
            }
            let record = sessions.entry(session).or_insert_with(|| Record { owner, ..Record::default() });
            record.operations.insert(operation);
            record.expires = clock::now() + idle.as_secs();
            for write in writes {
                record.parts.insert(write.key, (write.value, write.expected + 1));
            }
            Committed::Saved
        })
    }

    fn touch(&self, session: SessionKey, idle: Duration) -> StoreFuture<'_, Presence> {
        self.answer(|sessions| {
            renew(sessions.get_mut(&session), idle);
            presence(sessions.get(&session))
        })
    }

    fn remove(&self, session: SessionKey, tombstone: Duration) -> StoreFuture<'_, ()> {
        self.answer(|sessions| {
            let expires = clock::now() + tombstone.as_secs();
            sessions.insert(session, Record { gone: true, expires, ..Record::default() });
        })
    }

    fn list(&self, owner: Owner, after: Option<SessionKey>, limit: usize) -> StoreFuture<'_, Vec<SessionKey>> {
        self.answer(|sessions| {
            let mut keys: Vec<SessionKey> = sessions
                .iter()
                .filter(|(key, record)| {
                    record.owner == owner && !record.gone && after.is_none_or(|after| **key > after)
                })
                .map(|(key, _)| *key)
                .collect();
            keys.sort_unstable();
            keys.truncate(limit);
            keys
        })
    }
}
