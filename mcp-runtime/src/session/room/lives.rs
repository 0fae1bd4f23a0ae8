//! Which sessions live: the store's word, and what it means where the store knows nothing.
//!
//! Takes: keys and when their ids were given out. Gives: whether the sessions live. Knows: idle lifetimes, that a session
//! without a record may still be fresh. Must not know: how ids are carried.

use std::{sync::atomic::Ordering, time::Duration};

use super::{Ids, RECORD_AFTER_SECONDS, SessionRoom, kind, session_key, unavailable};
use crate::{
    auth::Principal,
    session::{
        Ahead, PartCard, SessionError, clock,
        jwt::SKEW_SECONDS,
        patience::{PATIENCE, answer},
    },
    store::{Commit, Committed, Operation, Presence, SessionKey, StoreError, StoreFuture},
};

/// How long a session of the user's own making is remembered that does not come back.
const MANAGED: Duration = Duration::from_secs(24 * 60 * 60);

impl SessionRoom {
    /// Whether the store has a word in which sessions live.
    pub(super) fn asks_the_store(&self) -> bool {
        self.stateful || self.revoked.load(Ordering::Relaxed)
    }

    /// Asks the store, where its word counts, whether the session of this key is still there; being asked for renews it.
    pub(super) async fn lives(
        &self,
        key: SessionKey,
        opened: u64,
        principal: Option<&Principal>,
    ) -> Result<bool, SessionError> {
        if !self.asks_the_store() {
            return Ok(true);
        }
        match self.store.touch(key, self.idle(key)).at_once() {
            Ok(Ok(Presence::Live)) => Ok(true),
            // Boxed, so that the future of a call that waits for no such answer stays small.
            asked => Box::pin(self.waits_for_word(asked, key, opened, principal)).await,
        }
    }

    /// The same of a store that has yet to answer, or whose answer has to be thought over.
    async fn waits_for_word(
        &self,
        asked: Result<Result<Presence, StoreError>, StoreFuture<'_, Presence>>,
        key: SessionKey,
        opened: u64,
        principal: Option<&Principal>,
    ) -> Result<bool, SessionError> {
        let presence = match asked {
            Ok(presence) => presence,
            Err(asked) => answer(asked, PATIENCE).await,
        };
        self.judge(presence.map_err(unavailable)?, key, opened, principal).await
    }

    /// The same; where the store is worth few questions, these parts are read with this one.
    pub(super) async fn look(
        &self,
        key: SessionKey,
        opened: u64,
        principal: Option<&Principal>,
        parts: &'static [PartCard],
    ) -> Result<Option<Option<Box<Ahead>>>, SessionError> {
        if !self.reads_ahead || parts.is_empty() {
            return Ok(self.lives(key, opened, principal).await?.then_some(None));
        }
        // Boxed, so that the future of a call that needs no such question stays small.
        let read = Box::pin(Ahead::read(&*self.store, key, parts, self.idle(key)));
        let ahead = read.await.map_err(unavailable)?;
        let lives = self.judge(ahead.presence(), key, opened, principal).await?;
        Ok(lives.then(|| Some(Box::new(ahead))))
    }

    /// Whether the store answers in time, asked for a session that is none.
    pub(crate) async fn store_answers(&self) -> bool {
        let key = session_key(kind::USED, crate::session::random());
        answer(self.store.touch(key, Duration::ZERO), PATIENCE).await.is_ok()
    }

    /// How long the id of a session that was just found is taken from now on, at most.
    pub(crate) fn remaining(&self, id: &str) -> Duration {
        let life = match &self.ids {
            Ids::Signed { verified, .. } => verified.life(id),
            Ids::Opaque(_) | Ids::Custom(_) => None,
        };
        life.map_or_else(|| self.longest(), |life| Duration::from_secs(life.expires.saturating_sub(clock::now())))
    }

    /// How long the id of a session is taken that was not seen, at most.
    pub(crate) fn longest(&self) -> Duration {
        let longest = self.lifetimes.absolute + Duration::from_secs(SKEW_SECONDS);
        match &self.ids {
            Ids::Signed { .. } | Ids::Opaque(_) => longest,
            // That is the manager's word.
            Ids::Custom(_) => longest.max(MANAGED),
        }
    }

    /// How long a session with a record may be idle.
    pub(crate) fn session_idle(&self) -> Duration {
        self.lifetimes.idle
    }

    /// Whether the store knows that the session of this key is over, which was not seen in use for as long as it may be idle.
    /// Asking is no use of it.
    pub(crate) async fn is_over(&self, key: SessionKey) -> Result<bool, SessionError> {
        if !self.stateful || matches!(self.ids, Ids::Custom(_)) {
            return Ok(false);
        }
        let loaded = answer(self.store.load(key, &[], Duration::ZERO), PATIENCE).await.map_err(unavailable)?;
        Ok(loaded.presence != Presence::Live)
    }

    /// Whether a session lives of which the store says this.
    async fn judge(
        &self,
        presence: Presence,
        key: SessionKey,
        opened: u64,
        principal: Option<&Principal>,
    ) -> Result<bool, SessionError> {
        let idle = self.idle(key);
        match presence {
            Presence::Gone => Ok(false),
            Presence::Live => Ok(true),
            Presence::Absent if !self.stateful => Ok(true),
            Presence::Absent => match clock::now().saturating_sub(opened) {
                // Nothing was written lately: what there may have been is gone, and the id goes with it.
                age if age >= idle.as_secs().max(1) => Ok(false),
                age if age >= RECORD_AFTER_SECONDS => Ok(Box::pin(self.keep(key, idle, principal)).await),
                _ => Ok(true),
            },
        }
    }

    /// Makes an empty record, so that the session lives as long as it is used. `false` if it was removed meanwhile.
    async fn keep(&self, key: SessionKey, idle: Duration, principal: Option<&Principal>) -> bool {
        let operation = Operation(crate::session::random());
        let commit = Commit { operation, owner: self.owner(principal), idle, writes: Vec::new() };
        match answer(self.store.commit(key, commit), PATIENCE).await {
            Ok(committed) => committed != Committed::Gone,
            Err(error) => {
                // The session lives on; only its use is not remembered.
                tracing::debug!(%error, "the use of a session could not be recorded");
                true
            }
        }
    }
}
