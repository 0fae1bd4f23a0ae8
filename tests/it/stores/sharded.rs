//! Session state over several stores: each session is in the one that its key names.

use std::{sync::Arc, time::Duration};

use mcp_runtime::store::{
    Commit, Committed, Loaded, MemoryStore, Owner, Presence, SessionKey, StateStore, StoreFuture, StoreIdentity,
    conformance,
};

// ANCHOR: sharded
/// Spreads sessions over stores. The order of the stores and their number are a part of the data.
struct Sharded {
    first: Arc<dyn StateStore>,
    others: Vec<Arc<dyn StateStore>>,
}

impl Sharded {
    /// The store of this session. The end of a key is random, or a digest.
    fn of(&self, session: SessionKey) -> &dyn StateStore {
        let [.., high, low] = session.0;
        let place = usize::from(u16::from_be_bytes([high, low])) % (self.others.len() + 1);
        let other = place.checked_sub(1).and_then(|place| self.others.get(place));
        &**other.unwrap_or(&self.first)
    }

    fn all(&self) -> impl Iterator<Item = &Arc<dyn StateStore>> {
        [&self.first].into_iter().chain(&self.others)
    }
}

impl StateStore for Sharded {
    fn identity(&self) -> StoreFuture<'_, StoreIdentity> {
        self.first.identity()
    }

    fn durable(&self) -> bool {
        self.all().all(|store| store.durable())
    }

    fn shared(&self) -> bool {
        self.all().any(|store| store.shared())
    }

    fn load<'a>(&'a self, session: SessionKey, keys: &'a [&'static str], idle: Duration) -> StoreFuture<'a, Loaded> {
        self.of(session).load(session, keys, idle)
    }

    fn commit(&self, session: SessionKey, commit: Commit) -> StoreFuture<'_, Committed> {
        self.of(session).commit(session, commit)
    }

    fn touch(&self, session: SessionKey, idle: Duration) -> StoreFuture<'_, Presence> {
        self.of(session).touch(session, idle)
    }

    fn remove(&self, session: SessionKey, tombstone: Duration) -> StoreFuture<'_, ()> {
        self.of(session).remove(session, tombstone)
    }

    fn list(&self, owner: Owner, after: Option<SessionKey>, limit: usize) -> StoreFuture<'_, Vec<SessionKey>> {
        StoreFuture::new(async move {
            let mut found = Vec::new();
            for store in self.all() {
                found.extend(store.list(owner, after, limit).await?);
            }
            found.sort_unstable();
            found.truncate(limit);
            Ok(found)
        })
    }

    fn sweep(&self) -> StoreFuture<'_, usize> {
        StoreFuture::new(async move {
            let mut dropped = 0;
            for store in self.all() {
                dropped += store.sweep().await?;
            }
            Ok(dropped)
        })
    }
}
// ANCHOR_END: sharded

#[tokio::test(flavor = "multi_thread")]
async fn sessions_over_several_stores_obey_the_laws_of_session_state() {
    let store = || Arc::new(MemoryStore::new()) as Arc<dyn StateStore>;
    conformance::check(Arc::new(Sharded { first: store(), others: vec![store(), store()] })).await;
}

#[test]
fn sessions_are_spread_evenly() {
    let stores: Vec<_> = (0..4).map(|_| Arc::new(MemoryStore::new()) as Arc<dyn StateStore>).collect();
    let sharded = Sharded { first: Arc::clone(&stores[0]), others: stores[1..].to_vec() };
    let mut sessions = [0; 4];
    for end in 0..4000_u16 {
        let mut key = [7; 17];
        key[15..].copy_from_slice(&end.wrapping_mul(40_503).to_be_bytes());
        let of = sharded.of(SessionKey(key)) as *const dyn StateStore;
        let place = stores.iter().position(|store| std::ptr::addr_eq(Arc::as_ptr(store), of));
        sessions[place.expect("it is one of them")] += 1;
    }
    assert!(sessions.iter().all(|sessions| (900..1100).contains(sessions)), "{sessions:?}");
}
