//! What the laws of every store leave open: bounds, sharing, accounting.

use std::{any::Any, sync::Arc};

use super::*;
use crate::store::{Encode, Write};

const HOUR: Duration = Duration::from_secs(3600);

fn session(number: u8) -> SessionKey {
    SessionKey([number; 17])
}

fn commit(number: u8, writes: Vec<Write>) -> Commit {
    Commit { operation: Operation([number; 16]), owner: Owner::default(), idle: HOUR, writes }
}

fn write(key: &'static str, expected: Revision, bytes: usize) -> Write {
    Write { key, expected, value: Blob::from_bytes(vec![0; bytes]) }
}

impl MemoryStore {
    fn used(&self) -> (usize, usize) {
        (self.usage.bytes.used.load(Ordering::Relaxed), self.usage.sessions.used.load(Ordering::Relaxed))
    }
}

async fn save(store: &MemoryStore, number: u8, operation: u8, expected: Revision, bytes: usize) -> String {
    let ended = store.commit(session(number), commit(operation, vec![write("a", expected, bytes)])).await;
    match ended {
        Ok(committed) => format!("{committed:?}"),
        Err(error) => error.to_string(),
    }
}

const FULL: &str = "the store is full";

// Proves: S-09.
#[tokio::test]
async fn a_store_full_of_sessions_refuses_new_ones_and_keeps_the_old() {
    let store = MemoryStore::new().with_max_sessions(2);
    assert_eq!(save(&store, 1, 1, 0, 10).await, "Saved");
    assert_eq!(save(&store, 2, 2, 0, 10).await, "Saved");
    assert_eq!(save(&store, 3, 3, 0, 10).await, FULL);
    assert!(matches!(store.remove(session(3), HOUR).await, Err(StoreError::Full)));
    assert_eq!(save(&store, 1, 4, 1, 20).await, "Saved");
    for number in [1, 2] {
        assert_eq!(store.touch(session(number), HOUR).await.expect("memory"), Presence::Live);
    }
    assert_eq!(store.touch(session(3), HOUR).await.expect("memory"), Presence::Absent);
    assert_eq!(store.used(), (30, 2));
    // A removal always finds a place: its own.
    store.remove(session(1), HOUR).await.expect("memory");
    assert_eq!(store.touch(session(1), HOUR).await.expect("memory"), Presence::Gone);
    assert_eq!(store.used(), (10, 2));
}

#[tokio::test]
async fn a_store_full_of_bytes_takes_only_what_does_not_grow() {
    let store = MemoryStore::new().with_max_bytes(100);
    assert_eq!(save(&store, 1, 1, 0, 60).await, "Saved");
    assert_eq!(save(&store, 2, 2, 0, 41).await, FULL);
    assert_eq!(store.touch(session(2), HOUR).await.expect("memory"), Presence::Absent);
    assert_eq!(save(&store, 2, 2, 0, 40).await, "Saved");
    assert_eq!(save(&store, 1, 3, 1, 61).await, FULL);
    assert_eq!(save(&store, 1, 4, 1, 60).await, "Saved");
    assert_eq!(save(&store, 1, 5, 2, 30).await, "Saved");
    assert_eq!(save(&store, 2, 6, 1, 70).await, "Saved");
    assert_eq!(store.used(), (100, 2));
    // Of several writes that don't fit together, none is made.
    let both = commit(7, vec![write("a", 3, 0), write("b", 0, 31)]);
    assert!(matches!(store.commit(session(1), both).await, Err(StoreError::Full)));
    let loaded = store.load(session(1), &["a", "b"], HOUR).await.expect("memory");
    assert!(matches!(&*loaded.parts, [Some((blob, 3)), None] if blob.len() == 30));
    assert_eq!(store.used(), (100, 2));
}

#[tokio::test(start_paused = true)]
async fn what_expired_makes_room_when_the_store_is_full() {
    let store = MemoryStore::new().with_max_sessions(2).with_max_bytes(100);
    assert_eq!(save(&store, 1, 1, 0, 50).await, "Saved");
    store.remove(session(2), HOUR / 2).await.expect("memory");
    assert_eq!(save(&store, 3, 3, 0, 10).await, FULL);
    tokio::time::advance(HOUR / 2).await;
    assert_eq!(save(&store, 3, 4, 0, 10).await, "Saved");
    tokio::time::advance(HOUR / 2).await;
    assert_eq!(save(&store, 4, 5, 0, 90).await, "Saved");
    assert_eq!(store.used(), (100, 2));
    assert_eq!(store.touch(session(1), HOUR).await.expect("memory"), Presence::Absent);
    assert_eq!(store.touch(session(3), HOUR).await.expect("memory"), Presence::Live);
}

#[tokio::test(start_paused = true)]
async fn a_sweep_drops_what_expired_and_nothing_is_left() {
    let store = MemoryStore::new();
    for number in 0..200 {
        assert_eq!(save(&store, number, number, 0, 7).await, "Saved");
    }
    store.remove(session(0), HOUR / 2).await.expect("memory");
    store.touch(session(1), HOUR * 2).await.expect("memory");
    tokio::time::advance(HOUR).await;
    assert_eq!(store.sweep().await.expect("memory"), 199);
    assert_eq!(store.used(), (7, 1));
    assert_eq!(store.list(Owner::default(), None, 500).await.expect("memory"), [session(1)]);
    tokio::time::advance(HOUR).await;
    assert_eq!(store.sweep().await.expect("memory"), 1);
    assert_eq!(store.used(), (0, 0));
    for shard in &store.shards {
        let shard = lock(shard);
        assert!(shard.records.is_empty() && shard.owners.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_lifetime_beyond_any_clock_is_long() {
    let store = MemoryStore::new();
    let forever = Commit { idle: Duration::MAX, ..commit(1, Vec::new()) };
    store.commit(session(1), forever).await.expect("memory");
    store.remove(session(2), Duration::MAX).await.expect("memory");
    tokio::time::advance(HOUR * 24 * 365).await;
    assert_eq!(store.touch(session(1), Duration::MAX).await.expect("memory"), Presence::Live);
    assert_eq!(store.touch(session(2), HOUR).await.expect("memory"), Presence::Gone);
}

#[tokio::test]
async fn two_stores_have_two_identities() {
    let (one, other) = (MemoryStore::new(), MemoryStore::default());
    assert_ne!(one.identity().await.expect("random"), other.identity().await.expect("random"));
    assert!(!one.durable());
}

/// A value that looks at the store when it is dropped, and never wants to be encoded.
struct Nosy(Arc<MemoryStore>);

impl Encode for Nosy {
    fn encode(&self) -> Vec<u8> {
        panic!("the memory store must not encode")
    }
    fn encoded_len(&self) -> usize {
        3
    }
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        self.0.touch_now(session(1), HOUR);
        self.0.sweep_shard(&self.0.shards[1]);
    }
}

#[tokio::test(start_paused = true)]
async fn typed_values_are_kept_as_they_are_and_dropped_outside_the_lock() {
    let store = Arc::new(MemoryStore::new());
    let typed = |operation, expected| {
        let value = Blob::from_typed(Arc::new(Nosy(store.clone())));
        commit(operation, vec![Write { key: "a", expected, value }])
    };
    let value: Arc<dyn Encode> = Arc::new(Nosy(store.clone()));
    let first = commit(1, vec![Write { key: "a", expected: 0, value: Blob::from_typed(value.clone()) }]);
    store.commit(session(1), first).await.expect("memory");
    let loaded = store.load(session(1), &["a"], HOUR).await.expect("memory");
    let Some(Some((blob, 1))) = loaded.parts.into_iter().next() else { panic!("the value is there") };
    assert!(Arc::ptr_eq(&blob.into_any(), &value.as_any()));
    // Each of these drops a value: the replaced one, one in vain, one that expired, one removed, one swept.
    assert_eq!(store.commit(session(1), typed(2, 1)).await.expect("memory"), Committed::Saved);
    assert_eq!(store.commit(session(1), typed(3, 1)).await.expect("memory"), Committed::Conflict);
    tokio::time::advance(HOUR).await;
    assert_eq!(store.commit(session(1), typed(4, 0)).await.expect("memory"), Committed::Saved);
    store.remove(session(1), Duration::ZERO).await.expect("memory");
    assert_eq!(store.commit(session(1), typed(5, 0)).await.expect("memory"), Committed::Saved);
    tokio::time::advance(HOUR).await;
    assert_eq!(store.sweep().await.expect("memory"), 1);
    assert_eq!(store.used(), (0, 0));
}
