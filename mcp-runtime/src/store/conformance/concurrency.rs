//! The laws of many at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{task::JoinSet, time};

use super::probe::{LONG, Probe, random_operation, random_owner, random_session, write};
use crate::store::{Commit, Committed, Presence};

/// How many writers there are at once.
const WRITERS: u64 = 100;

pub(super) async fn check(probe: &Probe) {
    no_update_is_lost(probe).await;
    no_commit_outlives_a_removal(probe).await;
    dropped_commits_are_whole_or_nothing(probe).await;
}

async fn no_update_is_lost(probe: &Probe) {
    let (session, owner) = (random_session(), random_owner());
    let open = Arc::<AtomicU64>::default();
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let (probe, open) = (probe.clone(), open.clone());
        writers.spawn(async move {
            loop {
                let loaded = probe.load(session, &["count"], LONG).await;
                let (count, revision) = match loaded.parts.first() {
                    Some(Some((blob, revision))) => (number(&blob.bytes()), *revision),
                    _ => (0, 0),
                };
                assert_eq!(count, revision, "the value and the revision of a part must be of the same moment");
                let writes = vec![write("count", revision, &(count + 1).to_be_bytes())];
                let commit = Commit { operation: random_operation(), owner, idle: LONG, writes };
                match probe.commit_or_repeat(session, commit).await {
                    (Committed::Saved, _) => break,
                    (Committed::Conflict, unanswered) => {
                        open.fetch_add(unanswered.into(), Ordering::Relaxed);
                    }
                    (other, _) => panic!("a commit among writers must be saved or conflict, not end as {other:?}"),
                }
            }
        });
    }
    join(writers).await;
    let parts = probe.parts(session, &["count"]).await;
    // Exactly as many, where every attempt was answered.
    let most = WRITERS + open.load(Ordering::Relaxed);
    let counted = matches!(&*parts, [Some((value, revision))]
        if number(value) == *revision && (WRITERS..=most).contains(revision));
    assert!(counted, "of {WRITERS} concurrent updates none must be lost or done twice");
    assert_eq!(probe.list(owner, None, 9).await, [session], "a session made by several at once must be listed once");
    probe.remove(session, Duration::ZERO).await;
}

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map(u64::from_be_bytes).expect("the store must give whole values")
}

async fn no_commit_outlives_a_removal(probe: &Probe) {
    for round in 0..8 {
        let (session, owner) = (random_session(), random_owner());
        let mut writers = JoinSet::new();
        for writer in 0..4 {
            let probe = probe.clone();
            let key = ["a", "b", "c", "d"][writer];
            writers.spawn(async move {
                let mut revision = 0;
                // Should the store forget a removal, the writers go on, and are ended with the set.
                while probe.save(session, owner, key, revision, b"x").await == Committed::Saved {
                    revision += 1;
                    time::sleep(Duration::from_micros(200)).await;
                }
            });
        }
        time::sleep(Duration::from_millis(round)).await;
        probe.remove(session, LONG).await;
        for _ in 0..5 {
            let presence = probe.load(session, &["a"], LONG).await.presence;
            assert_eq!(presence, Presence::Gone, "no commit must outlive the removal of its session");
            time::sleep(Duration::from_millis(1)).await;
        }
        let ended = time::timeout(Duration::from_secs(30), join(writers)).await;
        assert!(ended.is_ok(), "commits must fail once their session is removed");
        assert_eq!(probe.list(owner, None, 9).await, [], "a removed session must not be listed, whatever raced");
    }
}

async fn dropped_commits_are_whole_or_nothing(probe: &Probe) {
    let owner = random_owner();
    let mut sessions = Vec::new();
    for round in 0..60 {
        let session = random_session();
        let value = vec![round as u8; 4096];
        let commit = Commit {
            operation: random_operation(),
            owner,
            idle: LONG,
            writes: vec![write("a", 0, &value), write("b", 0, &value)],
        };
        // Either it ends in time or it is dropped under way.
        let _ = time::timeout(Duration::from_micros(40 * round), probe.store.commit(session, commit)).await;
        sessions.push(session);
        whole_or_nothing(probe, &sessions).await;
    }
    time::sleep(Duration::from_millis(100)).await;
    whole_or_nothing(probe, &sessions).await;
    for session in sessions {
        probe.remove(session, Duration::ZERO).await;
    }
}

async fn whole_or_nothing(probe: &Probe, sessions: &[crate::store::SessionKey]) {
    for session in sessions.iter().rev().take(4) {
        let loaded = probe.load(*session, &["a", "b"], LONG).await;
        let whole = matches!((loaded.presence, &*loaded.parts), (Presence::Live, [Some((_, 1)), Some((_, 1))]));
        let nothing = matches!((loaded.presence, &*loaded.parts), (Presence::Absent, [None, None]));
        assert!(whole || nothing, "a commit whose future was dropped must happen as a whole or not at all");
    }
}

async fn join(mut tasks: JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}
