//! The suite against our stores, sound and disturbed, and against stores that break a law.

use super::*;
use crate::store::{Loaded, MemoryStore, Owner, StoreFuture, StoreIdentity};

/// Every fault, in an order that no call repeats.
pub(super) fn faults() -> Vec<Fault> {
    let short = Duration::from_millis(1);
    vec![
        Fault::None,
        Fault::Before,
        Fault::After,
        Fault::Twice,
        Fault::None,
        Fault::Delay(short),
        Fault::Before,
        Fault::SlowAnswer(short),
        Fault::Twice,
        Fault::After,
        Fault::After,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_store_obeys_the_laws() {
    check(Arc::new(MemoryStore::new())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disturbed_memory_store_obeys_the_laws() {
    check(Arc::new(FaultyStore::new(MemoryStore::new(), faults()))).await;
}

#[cfg(feature = "file")]
mod file {
    use super::*;
    use crate::store::FileStore;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_file_store_obeys_the_laws() {
        let folder = tempfile::tempdir().expect("a folder");
        check(Arc::new(FileStore::open(folder.path().join("sessions")).expect("a store"))).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_disturbed_file_store_obeys_the_laws() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::open(folder.path().join("sessions")).expect("a store");
        check(Arc::new(FaultyStore::new(store, faults()))).await;
    }

    #[tokio::test]
    async fn the_file_store_survives() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sessions");
        check_survival(async || FileStore::open(&path).expect("a store")).await;
    }
}

#[tokio::test]
#[should_panic = "a durable store must keep its identity"]
async fn a_store_that_forgets_everything_is_found() {
    check_survival(async || Broken { store: MemoryStore::new(), law: Law::Durable }).await;
}

/// Which law a broken store breaks.
#[derive(Clone, Copy, PartialEq)]
enum Law {
    Durable,
    Conflicts,
    Together,
    Duplicates,
    Tombstones,
    Lists,
    Lifetimes,
    Looks,
}

/// A store that breaks one law.
struct Broken {
    store: MemoryStore,
    law: Law,
}

impl StateStore for Broken {
    fn identity(&self) -> StoreFuture<'_, StoreIdentity> {
        self.store.identity()
    }

    fn durable(&self) -> bool {
        self.law == Law::Durable
    }

    fn load<'a>(&'a self, session: SessionKey, keys: &'a [&'static str], idle: Duration) -> StoreFuture<'a, Loaded> {
        let idle = match self.law {
            Law::Lifetimes if !idle.is_zero() => LONG,
            Law::Looks if idle.is_zero() => LONG,
            _ => idle,
        };
        self.store.load(session, keys, idle)
    }

    fn commit(&self, session: SessionKey, mut commit: Commit) -> StoreFuture<'_, Committed> {
        StoreFuture::new(async move {
            match self.law {
                Law::Conflicts => {
                    for write in &mut commit.writes {
                        let part = self.store.load(session, &[write.key], LONG).await?.parts.pop().flatten();
                        write.expected = part.map_or(0, |(_, revision)| revision);
                    }
                }
                Law::Together if !commit.writes.is_empty() => {
                    let mut committed = Committed::Saved;
                    for write in commit.writes {
                        let operation = random_operation();
                        let commit = Commit { operation, owner: commit.owner, idle: commit.idle, writes: vec![write] };
                        committed = self.store.commit(session, commit).await?;
                    }
                    return Ok(committed);
                }
                Law::Duplicates => commit.operation = random_operation(),
                Law::Lists => commit.owner = Owner::default(),
                _ => {}
            }
            self.store.commit(session, commit).await
        })
    }

    fn touch(&self, session: SessionKey, idle: Duration) -> StoreFuture<'_, Presence> {
        self.store.touch(session, idle)
    }

    fn remove(&self, session: SessionKey, tombstone: Duration) -> StoreFuture<'_, ()> {
        let tombstone = if self.law == Law::Tombstones { Duration::ZERO } else { tombstone };
        self.store.remove(session, tombstone)
    }

    fn list(&self, owner: Owner, after: Option<SessionKey>, limit: usize) -> StoreFuture<'_, Vec<SessionKey>> {
        self.store.list(owner, after, limit)
    }
}

async fn check_broken(law: Law) {
    check(Arc::new(Broken { store: MemoryStore::new(), law })).await;
}

#[tokio::test]
#[should_panic = "a commit that expects a revision must conflict where there is no record"]
async fn a_store_where_the_last_write_wins_is_found() {
    check_broken(Law::Conflicts).await;
}

#[tokio::test]
#[should_panic = "of a commit that conflicts nothing must be written"]
async fn a_store_that_writes_one_by_one_is_found() {
    check_broken(Law::Together).await;
}

#[tokio::test]
#[should_panic = "a commit that comes again must be recognised"]
async fn a_store_that_knows_no_operations_is_found() {
    check_broken(Law::Duplicates).await;
}

#[tokio::test]
#[should_panic = "a removed session must be gone"]
async fn a_store_without_tombstones_is_found() {
    check_broken(Law::Tombstones).await;
}

#[tokio::test]
#[should_panic = "a list must hold the owner's sessions"]
async fn a_store_that_ignores_owners_is_found() {
    check_broken(Law::Lists).await;
}

#[tokio::test]
#[should_panic = "a renewed lifetime must end too"]
async fn a_store_whose_sessions_live_for_ever_is_found() {
    check_broken(Law::Lifetimes).await;
}

#[tokio::test]
#[should_panic = "reading a session with a lifetime of zero must not renew its lifetime"]
async fn a_store_where_a_look_is_a_use_is_found() {
    check_broken(Law::Looks).await;
}

#[tokio::test]
async fn an_injected_fault_meets_the_next_call_alone() {
    let store = FaultyStore::new(MemoryStore::new(), []);
    store.inject(Fault::Before);
    store.inject(Fault::After);
    let (session, commit) = (
        random_session(),
        Commit { operation: random_operation(), owner: Owner::default(), idle: LONG, writes: Vec::new() },
    );
    assert!(store.commit(session, commit.clone()).await.is_err());
    assert_eq!(store.inner().touch(session, LONG).await.expect("memory"), Presence::Absent);
    assert!(store.commit(session, commit.clone()).await.is_err());
    assert_eq!(store.inner().touch(session, LONG).await.expect("memory"), Presence::Live);
    assert_eq!(store.commit(session, commit).await.expect("memory"), Committed::Duplicate);
}
