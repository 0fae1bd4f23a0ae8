//! Typed state during a call: load, draft, commit.
//!
//! Takes: a session and the parts that a function borrows. Gives: slots to run on, and whether their commit held. Knows:
//! turns, revisions, limits. Must not know: tools, tokens, what runs between load and commit.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Ahead, PartCard, PartSlot,
    ahead::load,
    part::{Form, Held},
    patience::{PATIENCE, answer},
    sealed::{self, Carried},
    turns::{Taken, Turn, Turns},
    witness::Seen,
};
use crate::store::{
    Commit, Committed, Loaded, Operation, Owner, Presence, SessionKey, StateStore, StoreError, StoreFuture, Write,
};

/// How large one part may be, encoded.
///
/// # Source
/// Our choice, because a session's part is read and written whole at each call; what is larger belongs in a database.
const LARGEST_PART: usize = 1024 * 1024;
/// Turns are waited for this long in all; then the call goes on, and its commit may lose.
const TURN_PATIENCE: Duration = Duration::from_secs(1);
/// Loads and commits the parts that tools borrow.
pub(crate) struct StateRoom {
    store: Arc<dyn StateStore>,
    form: Form,
    /// There is a way to the store on which an answer can be lost.
    remote: bool,
    turns: Arc<Turns>,
    // Commits are named by the process, at random, and their number in it: unique without a random draw for each.
    process: [u8; 8],
    commits: AtomicU64,
}

/// Why state can't be loaded or committed.
#[derive(Debug)]
pub(crate) enum StateError {
    /// The session was removed meanwhile.
    Gone,
    /// The store has something older than what the client saw.
    RolledBack,
    /// The store did not answer: 503.
    Store(StoreError),
    /// The store takes no new state: nothing was written.
    Full,
    /// What is stored does not decode, or the new value does not encode: for the operator. Nothing was overwritten.
    Undecodable { key: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    /// The new value is too large: the model reads how large it may be. Nothing was written.
    TooLarge { key: &'static str, bytes: usize, limit: usize },
    /// The new values are more than a client carries: the model reads how much that is. Nothing was given to it.
    TooLargeToCarry { bytes: usize, limit: usize },
}

/// How a commit ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It is in the store.
    Saved,
    /// Another writer was first: run again on fresh state.
    Lost,
}

/// The parts of one run. Dropping it discards what was written and passes the turns on.
pub(crate) struct Draft {
    /// One slot per part, in the order asked for.
    pub(crate) slots: Vec<PartSlot>,
    session: SessionKey,
    idle: Duration,
    turns: Taking,
    /// What the client will have seen when it reads what was loaded, where that is kept in mind.
    seen: Option<Seen>,
}

/// The turns of one run: nearly always none or one, which need no list.
#[derive(Default)]
struct Taking {
    first: Option<Turn>,
    more: Vec<Turn>,
    /// One of them was somebody else's before.
    waited: bool,
}

impl Draft {
    /// Of a session that its client carries.
    pub(crate) fn carried(session: SessionKey, parts: &[PartCard], carried: &Carried) -> Result<Self, StateError> {
        let slots = slots(parts, carried.loaded(parts))?;
        Ok(Self { slots, session, idle: Duration::ZERO, turns: Taking::default(), seen: None })
    }

    /// What the client carries after this, of what it carried before.
    pub(crate) fn carry(self, before: Carried) -> Result<Carried, StateError> {
        let too_large = |bytes| StateError::TooLargeToCarry { bytes, limit: sealed::LARGEST };
        before.with(encode(self.slots, Form::Bytes, None)?).map_err(too_large)
    }

    /// The same as the first draft of another session, which is in no store yet.
    pub(crate) fn moved_to(mut self, session: SessionKey) -> Self {
        for PartSlot(held) in &mut self.slots {
            if let Held::Draft { revision, .. } = held {
                *revision = 0;
            }
        }
        Self { session, seen: self.seen.map(|_| Seen::default()), ..self }
    }

    /// What the client will have seen when this is not committed.
    pub(crate) fn seen(&self) -> Option<&Seen> {
        self.seen.as_ref()
    }

    /// What it will have seen when this is committed.
    pub(crate) fn seen_when_saved(&self) -> Seen {
        let mut seen = self.seen.clone().unwrap_or_default();
        for PartSlot(held) in &self.slots {
            if let Held::Draft { part, revision, .. } = held {
                seen.note(part.key, revision + 1);
            }
        }
        seen
    }
}

impl StateRoom {
    /// Over this store.
    pub(crate) fn new(store: Arc<dyn StateStore>) -> Self {
        let form = if store.durable() { Form::Bytes } else { Form::Typed };
        let remote = store.durable() || store.shared();
        Self { store, form, remote, turns: Arc::default(), process: super::random(), commits: AtomicU64::new(0) }
    }

    /// Takes the turn of each part that is written (in key order, at most 1 s in all; a run that may last takes none), then
    /// loads all parts, unless they were read ahead. Of a session that is in the store for sure, `seen` is what its client
    /// saw: nothing older is given.
    pub(crate) async fn begin(
        &self,
        session: SessionKey,
        parts: &[PartCard],
        idle: Duration,
        takes_turns: bool,
        ahead: Option<Box<Ahead>>,
        seen: Option<&Seen>,
    ) -> Result<Draft, StateError> {
        let turns = if takes_turns { self.take_turns(session, parts).await } else { Taking::default() };
        // Who waited for a turn reads what those before it wrote.
        let ahead = ahead.filter(|_| !turns.waited).and_then(|ahead| ahead.of(session, parts));
        let loaded = match ahead {
            Some(loaded) => loaded,
            None => load(&*self.store, session, parts, idle).await.map_err(StateError::Store)?,
        };
        if loaded.presence == Presence::Gone {
            return Err(StateError::Gone);
        }
        let seen = seen.map(|seen| seen_now(seen, parts, &loaded)).transpose()?;
        let slots = slots(parts, loaded)?;
        Ok(Draft { slots, session, idle, turns, seen })
    }

    /// Commits what is written, and `also` this, all or nothing. Dropping a draft instead discards it.
    ///
    /// What is written is encoded before anything is waited for, so that the future has little to keep.
    pub(crate) fn commit(
        &self,
        draft: Draft,
        owner: Owner,
        also: Option<Write>,
    ) -> impl Future<Output = Result<Ended, StateError>> + Send + '_ {
        let Draft { slots, session, idle, turns, seen: _ } = draft;
        let (mut largest, mut again) = ("", None);
        let asked = encode(slots, self.form, also).map(|writes| {
            largest = writes.iter().max_by_key(|write| write.value.len())?.key;
            let commit = Commit { operation: self.name_a_commit(), owner, idle, writes };
            again = self.remote.then(|| commit.clone());
            Some(self.store.commit(session, commit))
        });
        async move {
            let Some(asked) = asked? else { return Ok(Ended::Saved) };
            let committed = match again {
                None => answer(asked, PATIENCE).await,
                Some(commit) => Box::pin(self.commit_twice(asked, session, commit)).await,
            };
            // Not before: whoever has the next turn reads what was written here.
            drop(turns);
            match committed {
                Ok(Committed::Saved | Committed::Duplicate) => Ok(Ended::Saved),
                Ok(Committed::Conflict) => Ok(Ended::Lost),
                Ok(Committed::Gone) => Err(StateError::Gone),
                Err(StoreError::TooLarge { bytes, limit }) => Err(StateError::TooLarge { key: largest, bytes, limit }),
                Err(StoreError::Full) => Err(StateError::Full),
                Err(error) => Err(StateError::Store(error)),
            }
        }
    }

    /// The answer to a commit, and when it is not known whether that happened, to the same commit once more under the same
    /// name: if it did, the store says so. Both together take no longer than a store is waited for.
    async fn commit_twice(
        &self,
        asked: StoreFuture<'_, Committed>,
        session: SessionKey,
        commit: Commit,
    ) -> Result<Committed, StoreError> {
        match answer(asked, PATIENCE / 2).await {
            Err(StoreError::Unavailable(source)) => {
                tracing::warn!(%source, "a commit got no answer and is tried again");
                match answer(self.store.commit(session, commit), PATIENCE / 2).await {
                    // A store remembers the names of the last commits: of one that many others followed it can't say whether
                    // it was the first of them. To run the function again could do twice what was asked for once.
                    Ok(Committed::Conflict) => Err(StoreError::Unavailable(
                        "others wrote after a commit that got no answer: what became of it is not known".into(),
                    )),
                    answered => answered,
                }
            }
            answered => answered,
        }
    }

    fn name_a_commit(&self) -> Operation {
        let mut name = [0; 16];
        name[..8].copy_from_slice(&self.process);
        name[8..].copy_from_slice(&self.commits.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        Operation(name)
    }

    /// The turns of the parts that are written, as far as they come in time. They are taken in key order, so that two
    /// calls never wait for each other.
    async fn take_turns(&self, session: SessionKey, parts: &[PartCard]) -> Taking {
        let mut taking = Taking::default();
        let mut last = "";
        let mut deadline = None;
        let after = |last: &str| {
            parts.iter().filter(|card| card.writes && card.part.key > last).map(|card| card.part.key).min()
        };
        while let Some(key) = after(last) {
            last = key;
            let turn = match self.turns.take(session, key) {
                Taken::Now(turn) => turn,
                Taken::Later(turn) => {
                    taking.waited = true;
                    let deadline = *deadline.get_or_insert_with(|| Instant::now() + TURN_PATIENCE);
                    match Box::pin(tokio::time::timeout_at(deadline, turn)).await {
                        Ok(Ok(turn)) => turn,
                        // The time is up (a line that closes without a turn does not occur): go on without.
                        Ok(Err(_)) | Err(_) => break,
                    }
                }
            };
            if taking.first.is_none() {
                taking.first = Some(turn);
            } else {
                taking.more.push(turn);
            }
        }
        taking
    }
}

/// The values of these parts, to work on.
fn slots(parts: &[PartCard], loaded: Loaded) -> Result<Vec<PartSlot>, StateError> {
    let mut slots = Vec::with_capacity(parts.len());
    for (card, found) in parts.iter().zip(loaded.parts) {
        let part = card.part;
        let (snapshot, revision) = match found {
            Some((blob, revision)) => {
                let decoded = (part.decode)(blob);
                let undecodable = |source| StateError::Undecodable { key: part.key, source: Box::new(source) };
                (decoded.map_err(undecodable)?, revision)
            }
            None => ((part.fresh)(), 0),
        };
        slots.push(PartSlot(if card.writes {
            Held::Draft { value: (part.draft)(&*snapshot), part, revision }
        } else {
            Held::Snapshot(snapshot)
        }));
    }
    Ok(slots)
}

/// What is written of these values, in the form of the store, and `also` this.
fn encode(slots: Vec<PartSlot>, form: Form, also: Option<Write>) -> Result<Vec<Write>, StateError> {
    let mut writes = Vec::with_capacity(slots.len() + usize::from(also.is_some()));
    for PartSlot(held) in slots {
        let Held::Draft { value, part, revision } = held else { continue };
        let unencodable = |source| StateError::Undecodable { key: part.key, source: Box::new(source) };
        let value = (part.blob)(value, form).map_err(unencodable)?;
        let bytes = value.len();
        if bytes > LARGEST_PART {
            return Err(StateError::TooLarge { key: part.key, bytes, limit: LARGEST_PART });
        }
        writes.push(Write { key: part.key, expected: revision, value });
    }
    writes.extend(also);
    Ok(writes)
}

/// What a client that saw this will have seen when it reads what was loaded of a session that was just found.
fn seen_now(seen: &Seen, parts: &[PartCard], loaded: &Loaded) -> Result<Seen, StateError> {
    if loaded.presence != Presence::Live {
        return Err(StateError::Gone);
    }
    let mut now = seen.clone();
    for (card, found) in parts.iter().zip(&loaded.parts) {
        let revision = found.as_ref().map_or(0, |(_, revision)| *revision);
        if revision < seen.of(card.part.key) {
            return Err(StateError::RolledBack);
        }
        now.note(card.part.key, revision);
    }
    Ok(now)
}

#[cfg(test)]
mod tests;
