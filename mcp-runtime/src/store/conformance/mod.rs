//! The suites that every store must pass, one for each trait, and a store that misbehaves on purpose.
//!
//! Takes: a store. Gives: a panic that names the law which it breaks. Knows: the laws of the traits. Must not know: any
//! engine.
//!
//! ```
//! # async fn example() {
//! use std::sync::Arc;
//! use mcp_runtime::store::{MemoryStore, conformance};
//!
//! conformance::check(Arc::new(MemoryStore::new())).await;
//! # }
//! ```

mod bus;
mod concurrency;
mod events;
mod faulty;
mod lifetime;
mod probe;
mod tasks;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

pub use bus::{check_bus, check_bus_bounds};
pub use events::{check_event_log, check_event_log_lifetime, check_event_log_survival};
pub use faulty::{Fault, FaultyStore};
use probe::{LONG, Probe, random_operation, random_owner, random_session, write};
pub use tasks::{check_task_store, check_task_store_survival};

use super::{Commit, Committed, Presence, SessionKey, StateStore};

/// Checks every law of [`StateStore`], in about four seconds. The store may be in use: the suite works on random sessions
/// and removes what it made.
///
/// A call that fails with [`StoreError::Unavailable`](super::StoreError::Unavailable) is repeated a few times, a commit
/// under its old name; so a [`FaultyStore`] passes if the store in it does.
///
/// # Panics
/// If the store breaks a law; the message is the law.
pub async fn check(store: Arc<dyn StateStore>) {
    let probe = Probe { store };
    identity_is_stable(&probe).await;
    unknown_sessions_are_absent(&probe).await;
    commits_are_read_back(&probe).await;
    stale_commits_conflict(&probe).await;
    writes_happen_together(&probe).await;
    repeated_commits_are_recognised(&probe).await;
    removed_sessions_stay_gone(&probe).await;
    lists_are_the_owners(&probe).await;
    values_keep_their_bytes(&probe).await;
    concurrency::check(&probe).await;
    lifetime::check(&probe).await;
}

/// Checks that what is committed survives the end of a store that says it is
/// [`durable`](StateStore::durable). `open` opens the same place each time; the store of the time before was dropped.
///
/// # Panics
/// If the store forgets something; the message is the law.
pub async fn check_survival<S: StateStore>(open: impl AsyncFn() -> S) {
    let (kept, removed, owner) = (random_session(), random_session(), random_owner());
    let commit = Commit {
        operation: random_operation(),
        owner,
        idle: LONG,
        writes: vec![write("a", 0, b"one"), write("b", 0, b"two")],
    };
    let identity = {
        let probe = Probe { store: Arc::new(open().await) };
        assert!(probe.store.durable(), "a store whose survival is checked must call itself durable");
        probe.commit(kept, commit.clone()).await;
        probe.save(removed, owner, "a", 0, b"x").await;
        probe.remove(removed, LONG).await;
        probe.identity().await
    };
    let probe = Probe { store: Arc::new(open().await) };
    assert_eq!(probe.identity().await, identity, "a durable store must keep its identity");
    assert_eq!(
        probe.parts(kept, &["b", "a"]).await,
        [Some((b"two".to_vec(), 1)), Some((b"one".to_vec(), 1))],
        "a durable store must keep what was committed"
    );
    assert_eq!(
        probe.commit(kept, commit).await,
        Committed::Duplicate,
        "a durable store must recognise a commit from before its restart"
    );
    assert_eq!(probe.touch(removed, LONG).await, Presence::Gone, "a durable store must keep its tombstones");
    assert_eq!(probe.list(owner, None, 9).await, [kept], "a durable store must keep its lists");
    probe.remove(kept, Duration::ZERO).await;
}

async fn identity_is_stable(probe: &Probe) {
    assert_eq!(probe.identity().await, probe.identity().await, "the identity of a store must not change");
}

async fn unknown_sessions_are_absent(probe: &Probe) {
    let session = random_session();
    let loaded = probe.load(session, &["a", "b"], LONG).await;
    assert_eq!(loaded.presence, Presence::Absent, "a session that was never written must be absent");
    assert!(
        loaded.parts.len() == 2 && loaded.parts.iter().all(Option::is_none),
        "an absent session must give one None for each key asked for"
    );
    assert_eq!(probe.touch(session, LONG).await, Presence::Absent, "touching an absent session must not make it");
    assert_eq!(probe.touch(session, LONG).await, Presence::Absent, "reading an absent session must not make it");
}

async fn commits_are_read_back(probe: &Probe) {
    let (session, owner) = (random_session(), random_owner());
    assert_eq!(
        probe.save(session, owner, "a", 0, b"one").await,
        Committed::Saved,
        "the first commit must make the record"
    );
    assert_eq!(probe.touch(session, LONG).await, Presence::Live, "a session with a record must be live");
    assert_eq!(
        probe.parts(session, &["b", "a", "c"]).await,
        [None, Some((b"one".to_vec(), 1)), None],
        "parts must come in the order asked for, at revision 1 after their first write, None where there is none"
    );
    for revision in 1..5 {
        let value = [revision as u8];
        assert_eq!(
            probe.save(session, owner, "a", revision, &value).await,
            Committed::Saved,
            "a commit that expects the present revision must be saved"
        );
        assert_eq!(
            probe.parts(session, &["a"]).await,
            [Some((value.to_vec(), revision + 1))],
            "each write must raise the revision by one"
        );
    }
    probe.save(session, owner, "b", 0, b"two").await;
    assert_eq!(
        probe.parts(session, &["a", "b"]).await.map_revisions(),
        [Some(5), Some(1)],
        "each part must have a revision of its own"
    );
    assert!(probe.load(session, &[], LONG).await.parts.is_empty(), "a load of no keys must give no parts");
    probe.remove(session, Duration::ZERO).await;

    let empty = random_session();
    let commit = Commit { operation: random_operation(), owner, idle: LONG, writes: Vec::new() };
    assert_eq!(probe.commit(empty, commit).await, Committed::Saved, "a commit without writes must be saved");
    assert_eq!(probe.touch(empty, LONG).await, Presence::Live, "a commit without writes must make the record");
    probe.remove(empty, Duration::ZERO).await;
}

async fn stale_commits_conflict(probe: &Probe) {
    let (session, owner) = (random_session(), random_owner());
    assert_eq!(
        probe.save(session, owner, "a", 1, b"x").await,
        Committed::Conflict,
        "a commit that expects a revision must conflict where there is no record"
    );
    assert_eq!(probe.touch(session, LONG).await, Presence::Absent, "a conflict must not make a record");
    probe.save(session, owner, "a", 0, b"one").await;
    probe.save(session, owner, "a", 1, b"two").await;
    for (key, expected) in [("a", 0), ("a", 1), ("a", 3), ("b", 1)] {
        assert_eq!(
            probe.save(session, owner, key, expected, b"x").await,
            Committed::Conflict,
            "a commit that expects another revision must conflict"
        );
    }
    assert_eq!(
        probe.parts(session, &["a", "b"]).await,
        [Some((b"two".to_vec(), 2)), None],
        "a conflict must write nothing"
    );
    probe.remove(session, Duration::ZERO).await;
}

async fn writes_happen_together(probe: &Probe) {
    let (session, owner) = (random_session(), random_owner());
    let commit = |writes| Commit { operation: random_operation(), owner, idle: LONG, writes };
    let both = vec![write("a", 0, b"1"), write("b", 0, b"2")];
    assert_eq!(probe.commit(session, commit(both)).await, Committed::Saved, "several parts must be written at once");
    for writes in [
        vec![write("a", 1, b"x"), write("b", 0, b"x")],
        vec![write("b", 2, b"x"), write("a", 1, b"x")],
        vec![write("c", 0, b"x"), write("a", 0, b"x")],
    ] {
        assert_eq!(
            probe.commit(session, commit(writes)).await,
            Committed::Conflict,
            "one stale write must make the whole commit conflict"
        );
    }
    assert_eq!(
        probe.parts(session, &["a", "b", "c"]).await,
        [Some((b"1".to_vec(), 1)), Some((b"2".to_vec(), 1)), None],
        "of a commit that conflicts nothing must be written"
    );
    probe.remove(session, Duration::ZERO).await;
}

async fn repeated_commits_are_recognised(probe: &Probe) {
    let (session, owner) = (random_session(), random_owner());
    let commit = Commit { operation: random_operation(), owner, idle: LONG, writes: vec![write("a", 0, b"first")] };
    probe.commit(session, commit.clone()).await;
    for others in 0..16 {
        assert_eq!(
            probe.commit(session, commit.clone()).await,
            Committed::Duplicate,
            "a commit that comes again must be recognised, also after fifteen others, before its revisions are looked at"
        );
        assert_eq!(
            probe.parts(session, &["a"]).await,
            [Some((b"first".to_vec(), 1))],
            "a commit that comes again must change nothing"
        );
        if others < 15 {
            probe.save(session, owner, "b", others, b"other").await;
        }
    }
    probe.remove(session, Duration::ZERO).await;
}

async fn removed_sessions_stay_gone(probe: &Probe) {
    let (session, other, never, owner) = (random_session(), random_session(), random_session(), random_owner());
    probe.save(session, owner, "a", 0, b"one").await;
    probe.save(other, owner, "a", 0, b"one").await;
    for _ in 0..2 {
        probe.remove(session, LONG).await;
        let loaded = probe.load(session, &["a"], LONG).await;
        assert_eq!(loaded.presence, Presence::Gone, "a removed session must be gone");
        assert!(matches!(&*loaded.parts, [None]), "a removed session must have no parts");
        assert_eq!(probe.touch(session, LONG).await, Presence::Gone, "a removed session must be gone for touch too");
        for expected in [0, 1] {
            assert_eq!(
                probe.save(session, owner, "a", expected, b"x").await,
                Committed::Gone,
                "no commit must bring a removed session back"
            );
        }
    }
    assert_eq!(probe.touch(other, LONG).await, Presence::Live, "removing a session must leave the others alone");
    probe.remove(never, LONG).await;
    assert_eq!(
        probe.save(never, owner, "a", 0, b"x").await,
        Committed::Gone,
        "removing a session that has no record must leave a tombstone too"
    );
    probe.remove(other, Duration::ZERO).await;
}

async fn lists_are_the_owners(probe: &Probe) {
    let (owner, other) = (random_owner(), random_owner());
    let mut sessions: Vec<SessionKey> = (0..9).map(|_| random_session()).collect();
    for session in &sessions {
        probe.save(*session, owner, "a", 0, b"x").await;
    }
    let foreign = random_session();
    probe.save(foreign, other, "a", 0, b"x").await;
    probe.save(foreign, owner, "a", 1, b"x").await;
    sessions.sort_unstable();
    assert_eq!(
        probe.list(owner, None, 100).await,
        sessions,
        "a list must hold the owner's sessions, whose owner is the one of their first commit, in the order of their keys"
    );
    assert_eq!(probe.list(other, None, 100).await, [foreign], "a list must hold nobody else's sessions");
    assert_eq!(probe.list(owner, None, 0).await, [], "a list must not be longer than its limit");
    let mut paged = Vec::new();
    while let page = probe.list(owner, paged.last().copied(), 4).await
        && !page.is_empty()
    {
        assert!(page.len() <= 4, "a list must not be longer than its limit");
        paged.extend(page);
    }
    assert_eq!(paged, sessions, "the pages of a list must hold each session once");
    let removed = sessions.remove(4);
    probe.remove(removed, LONG).await;
    assert_eq!(probe.list(owner, None, 100).await, sessions, "a list must not hold removed sessions");
    assert_eq!(
        probe.list(owner, Some(removed), 100).await,
        sessions.get(4..).unwrap_or_default(),
        "a list must go on after a session that is gone"
    );
    for session in sessions.into_iter().chain([foreign]) {
        probe.remove(session, Duration::ZERO).await;
    }
}

async fn values_keep_their_bytes(probe: &Probe) {
    let (session, owner) = (random_session(), random_owner());
    let large: Vec<u8> = (0..1 << 20).map(|byte: u32| (byte.wrapping_mul(31) >> 3) as u8).collect();
    let every: Vec<u8> = (0..=u8::MAX).collect();
    for (expected, value) in [&[][..], &every, &large, &[], b"\0"].into_iter().enumerate() {
        probe.save(session, owner, "a", expected as u64, value).await;
        let parts = probe.parts(session, &["a"]).await;
        let same = matches!(&*parts, [Some((found, _))] if found == value);
        assert!(same, "a value of {} bytes must come back as it was written", value.len());
    }
    let longest = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\
                   kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk";
    for key in [longest, "ключ/:*{}", "A", "a b"] {
        assert_eq!(
            probe.save(session, owner, key, 0, key.as_bytes()).await,
            Committed::Saved,
            "any key of up to 128 bytes without NUL must be taken, and be its own"
        );
    }
    assert_eq!(
        probe.parts(session, &[longest]).await,
        [Some((longest.as_bytes().to_vec(), 1))],
        "a part with a long key must be found again"
    );
    probe.remove(session, Duration::ZERO).await;
}

/// For looking at revisions alone.
trait MapRevisions {
    fn map_revisions(&self) -> Vec<Option<u64>>;
}

impl MapRevisions for Vec<Option<(Vec<u8>, u64)>> {
    fn map_revisions(&self) -> Vec<Option<u64>> {
        self.iter().map(|part| part.as_ref().map(|(_, revision)| *revision)).collect()
    }
}
