//! What comes back when the store fails or other writers keep winning, in the words of every revision.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use mcp_runtime::store::{
    Commit, Committed, Loaded, MemoryStore, Owner, Presence, SessionKey, StateStore, StoreError, StoreFuture,
    StoreIdentity,
};
use serde_json::json;

use crate::{
    behaviour::Served,
    support::client::{Client, Era},
};

const WELL: u8 = 0;
/// Somebody else always wrote first.
const LOSING: u8 = 1;
/// Nothing answers.
const DOWN: u8 = 2;
/// What is written is larger than it takes.
const NARROW: u8 = 3;

const ERAS: [Era; 5] = [
    Era::Legacy("2024-11-05"),
    Era::Legacy("2025-03-26"),
    Era::Legacy("2025-06-18"),
    Era::Legacy("2025-11-25"),
    Era::Modern,
];

/// A store whose mood a test changes while it is used.
struct Moody {
    store: MemoryStore,
    mood: Arc<AtomicU8>,
}

impl Moody {
    fn unless_down<'a, T: Send + 'a>(&'a self, call: impl FnOnce() -> StoreFuture<'a, T>) -> StoreFuture<'a, T> {
        if self.mood.load(Ordering::SeqCst) == DOWN {
            let cause = std::io::Error::other("the database at 10.0.0.1 is down");
            return StoreFuture::ready(Err(StoreError::Unavailable(cause.into())));
        }
        call()
    }
}

impl StateStore for Moody {
    fn identity(&self) -> StoreFuture<'_, StoreIdentity> {
        self.store.identity()
    }

    fn durable(&self) -> bool {
        self.store.durable()
    }

    fn load<'a>(&'a self, session: SessionKey, keys: &'a [&'static str], idle: Duration) -> StoreFuture<'a, Loaded> {
        self.unless_down(move || self.store.load(session, keys, idle))
    }

    fn commit(&self, session: SessionKey, commit: Commit) -> StoreFuture<'_, Committed> {
        match self.mood.load(Ordering::SeqCst) {
            LOSING => return StoreFuture::ready(Ok(Committed::Conflict)),
            NARROW => return StoreFuture::ready(Err(StoreError::TooLarge { bytes: 1_234, limit: 1_000 })),
            _ => {}
        }
        self.unless_down(move || self.store.commit(session, commit))
    }

    fn touch(&self, session: SessionKey, idle: Duration) -> StoreFuture<'_, Presence> {
        self.unless_down(move || self.store.touch(session, idle))
    }

    fn remove(&self, session: SessionKey, tombstone: Duration) -> StoreFuture<'_, ()> {
        self.unless_down(move || self.store.remove(session, tombstone))
    }

    fn list(&self, owner: Owner, after: Option<SessionKey>, limit: usize) -> StoreFuture<'_, Vec<SessionKey>> {
        self.unless_down(move || self.store.list(owner, after, limit))
    }
}

#[test]
fn a_store_that_is_down_is_503_and_lost_races_are_a_conflict_and_neither_changes_anything() {
    let mood = Arc::new(AtomicU8::new(WELL));
    let store = Moody { store: MemoryStore::default(), mood: Arc::clone(&mood) };
    let served = Served::new(|server| server.store(store));
    for era in ERAS {
        mood.store(WELL, Ordering::SeqCst);
        let client = Client::new(served.port, era);
        // The client holds each of these answers against the schema of its revision.
        let count = || client.call_request(json!(7), "count", json!({ "by": 1 })).send(served.port);
        assert_eq!(count().json()["result"]["content"][0]["text"], "1");

        mood.store(LOSING, Ordering::SeqCst);
        let lost = count();
        assert_eq!(lost.status, 200, "{era:?}");
        let error = &lost.json()["error"];
        assert_eq!((&error["code"], &error["data"]), (&json!(-32603), &json!({ "kind": "conflict" })), "{era:?}");

        mood.store(DOWN, Ordering::SeqCst);
        let unavailable = count();
        assert_eq!(unavailable.status, 503, "{era:?}");
        assert!(unavailable.header("retry-after").is_some(), "{era:?}");
        let answer = unavailable.json();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(7), &json!(-32603)), "{era:?}");
        assert!(!unavailable.text().contains("10.0.0.1"), "{answer}");

        mood.store(WELL, Ordering::SeqCst);
        assert_eq!(count().json()["result"]["content"][0]["text"], "2", "{era:?}");
    }
}

#[test]
fn what_is_too_large_for_a_store_is_told_to_the_model_and_is_no_outage() {
    let mood = Arc::new(AtomicU8::new(WELL));
    let store = Moody { store: MemoryStore::default(), mood: Arc::clone(&mood) };
    let served = Served::new(|server| server.store(store));
    for era in ERAS {
        mood.store(WELL, Ordering::SeqCst);
        let client = Client::new(served.port, era);
        let count = || client.call_request(json!(7), "count", json!({ "by": 1 })).send(served.port);
        assert_eq!(count().json()["result"]["content"][0]["text"], "1");
        mood.store(NARROW, Ordering::SeqCst);
        let refused = count();
        assert_eq!((refused.status, refused.header("retry-after")), (200, None), "{era:?}");
        let answer = refused.json();
        assert_eq!(answer["result"]["isError"], true, "{era:?}: {answer}");
        let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_default();
        let advice = "would grow to 1234 bytes, and a session may keep 1000. Remove something first";
        assert!(text.starts_with("Nothing was written") && text.ends_with(advice), "{era:?}: {answer}");
        mood.store(WELL, Ordering::SeqCst);
        assert_eq!(count().json()["result"]["content"][0]["text"], "2", "{era:?}");
    }
}
