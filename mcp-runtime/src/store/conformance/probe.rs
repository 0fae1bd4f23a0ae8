//! The suite's hands: calls that are repeated when the store is unavailable.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinHandle, time::timeout};

use crate::store::{
    Blob, Commit, Committed, Loaded, Operation, Owner, Presence, Revision, SessionKey, StateStore, StoreError,
    StoreFuture, StoreIdentity, Write,
};

/// A lifetime that does not end during the suite.
pub(super) const LONG: Duration = Duration::from_secs(300);

/// By then, what waits for a change in the same process must have heard of it.
const SOON: Duration = Duration::from_secs(20);

/// How often a call is repeated.
pub(super) const ATTEMPTS: usize = 100;

#[derive(Clone)]
pub(super) struct Probe {
    pub(super) store: Arc<dyn StateStore>,
}

/// The value of a part and its revision, if it exists.
pub(super) type FoundPart = Option<(Vec<u8>, Revision)>;

/// What a call gives, repeated until the store answers, and whether it was repeated.
pub(super) async fn repeat<'a, T>(call: impl Fn() -> StoreFuture<'a, T>) -> (T, bool) {
    let mut repeated = false;
    for _ in 0..ATTEMPTS {
        match attempt(call()).await {
            Some(value) => return (value, repeated),
            None => repeated = true,
        }
    }
    unavailable()
}

/// One attempt: `None` where it is not known what became of it.
pub(super) async fn attempt<T>(call: StoreFuture<'_, T>) -> Option<T> {
    match call.await {
        Ok(value) => Some(value),
        Err(StoreError::Unavailable(_)) => None,
        Err(error) => panic!("the store must take what the suite brings, but: {error}"),
    }
}

pub(super) fn unavailable() -> ! {
    panic!("the store must become available within {ATTEMPTS} attempts")
}

impl Probe {
    pub(super) async fn identity(&self) -> StoreIdentity {
        repeat(|| self.store.identity()).await.0
    }

    pub(super) async fn load(&self, session: SessionKey, keys: &[&'static str], idle: Duration) -> Loaded {
        let loaded = repeat(|| self.store.load(session, keys, idle)).await.0;
        assert_eq!(loaded.parts.len(), keys.len(), "a load must give one entry for each key asked for");
        loaded
    }

    /// The values and revisions of a session that must be live.
    pub(super) async fn parts(&self, session: SessionKey, keys: &[&'static str]) -> Vec<FoundPart> {
        let loaded = self.load(session, keys, LONG).await;
        assert_eq!(loaded.presence, Presence::Live, "a session that was committed must be live");
        loaded.parts.into_iter().map(|part| part.map(|(blob, revision)| (blob.bytes(), revision))).collect()
    }

    /// A commit, repeated under its name until the store answers.
    pub(super) async fn commit(&self, session: SessionKey, commit: Commit) -> Committed {
        self.commit_or_repeat(session, commit).await.0
    }

    /// The same, and whether an attempt went unanswered: after that, a conflict with many others leaves open what became of
    /// it, because a store remembers the names of the last commits alone.
    pub(super) async fn commit_or_repeat(&self, session: SessionKey, commit: Commit) -> (Committed, bool) {
        match repeat(|| self.store.commit(session, commit.clone())).await {
            // The attempt that went unanswered had been saved.
            (Committed::Duplicate, true) => (Committed::Saved, true),
            answered => answered,
        }
    }

    /// A new commit of one part.
    pub(super) async fn save(
        &self,
        session: SessionKey,
        owner: Owner,
        key: &'static str,
        expected: Revision,
        value: &[u8],
    ) -> Committed {
        self.save_for(session, owner, key, expected, value, LONG).await
    }

    /// A new commit of one part, with an idle lifetime.
    pub(super) async fn save_for(
        &self,
        session: SessionKey,
        owner: Owner,
        key: &'static str,
        expected: Revision,
        value: &[u8],
        idle: Duration,
    ) -> Committed {
        let writes = vec![write(key, expected, value)];
        self.commit(session, Commit { operation: random_operation(), owner, idle, writes }).await
    }

    pub(super) async fn touch(&self, session: SessionKey, idle: Duration) -> Presence {
        repeat(|| self.store.touch(session, idle)).await.0
    }

    pub(super) async fn remove(&self, session: SessionKey, tombstone: Duration) {
        repeat(|| self.store.remove(session, tombstone)).await;
    }

    pub(super) async fn list(&self, owner: Owner, after: Option<SessionKey>, limit: usize) -> Vec<SessionKey> {
        repeat(|| self.store.list(owner, after, limit)).await.0
    }

    pub(super) async fn sweep(&self) -> usize {
        repeat(|| self.store.sweep()).await.0
    }
}

pub(super) fn write(key: &'static str, expected: Revision, value: &[u8]) -> Write {
    Write { key, expected, value: Blob::from_bytes(value.to_vec()) }
}

pub(super) fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

pub(super) fn random_session() -> SessionKey {
    SessionKey(random())
}

pub(super) fn random_owner() -> Owner {
    Owner(random())
}

pub(super) fn random_operation() -> Operation {
    Operation(random())
}

/// Waits for someone who waits for a change.
pub(super) async fn heard(waiting: JoinHandle<()>, law: &str) {
    match timeout(SOON, waiting).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => std::panic::resume_unwind(error.into_panic()),
        Err(_) => panic!("{law}"),
    }
}
