//! State that is read with the question whether its session lives.
//!
//! Takes: a session and the parts that a call will borrow. Gives: both answers from one question. Knows: for which parts it
//! was asked. Must not know: what the answers mean.

use std::time::Duration;

use super::{
    PartCard,
    patience::{PATIENCE, answer},
};
use crate::store::{Loaded, Presence, SessionKey, StateStore, StoreError};

/// Up to this many borrowed parts need no list of their own in memory.
const FEW: usize = 4;

/// Parts of a session, read before the call that borrows them runs.
pub(crate) struct Ahead {
    session: SessionKey,
    parts: &'static [PartCard],
    loaded: Loaded,
}

impl Ahead {
    /// Reads these parts, which renews the session's lifetime.
    pub(super) async fn read(
        store: &dyn StateStore,
        session: SessionKey,
        parts: &'static [PartCard],
        idle: Duration,
    ) -> Result<Self, StoreError> {
        Ok(Self { session, parts, loaded: load(store, session, parts, idle).await? })
    }

    /// Whether the session has a record.
    pub(super) fn presence(&self) -> Presence {
        self.loaded.presence
    }

    /// What was read, if it was this.
    pub(super) fn of(self, session: SessionKey, parts: &[PartCard]) -> Option<Loaded> {
        let same = self.session == session
            && self.parts.len() == parts.len()
            && self.parts.iter().zip(parts).all(|(read, wanted)| read.part.key == wanted.part.key);
        same.then_some(self.loaded)
    }
}

/// Reads these parts as long as a store is waited for.
pub(super) async fn load(
    store: &dyn StateStore,
    session: SessionKey,
    parts: &[PartCard],
    idle: Duration,
) -> Result<Loaded, StoreError> {
    let mut few = [""; FEW];
    let many: Vec<&'static str>;
    let keys: &[&'static str] = if parts.len() <= FEW {
        few.iter_mut().zip(parts).for_each(|(key, card)| *key = card.part.key);
        &few[..parts.len()]
    } else {
        many = parts.iter().map(|card| card.part.key).collect();
        &many
    };
    let loaded = answer(store.load(session, keys, idle), PATIENCE).await?;
    if loaded.parts.len() != parts.len() {
        let why = format!("the store was asked for {} parts and gave {}", parts.len(), loaded.parts.len());
        return Err(StoreError::Unavailable(why.into()));
    }
    Ok(loaded)
}
