//! Typed state during a call: load, draft, commit.

use std::{sync::Arc, time::Duration};

use super::{PartCard, PartSlot};
use crate::store::{Owner, SessionKey, StateStore, StoreError};

/// Loads and commits the parts that tools borrow.
pub(crate) struct StateRoom {
    store: Arc<dyn StateStore>,
}

/// Why state can't be loaded or committed.
#[derive(Debug)]
pub(crate) enum StateError {
    /// The session was removed meanwhile.
    Gone,
    /// The store did not answer: 503.
    Store(StoreError),
    /// What is stored does not decode: for the operator, and never overwritten.
    Undecodable { key: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    /// The new value is too large: the model reads how large it may be.
    TooLarge { key: &'static str, bytes: usize, limit: usize },
}

/// How a commit ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It is in the store.
    Saved,
    /// Another writer was first: run again on fresh state.
    Lost,
}

/// The parts of one run.
pub(crate) struct Draft {
    /// One slot per part, in the order asked for.
    pub(crate) slots: Vec<PartSlot>,
}

impl StateRoom {
    /// Over this store.
    pub(crate) fn new(store: Arc<dyn StateStore>) -> Self {
        Self { store }
    }

    /// Takes the turn of each part that is written (in key order, at most 1 s in all), then loads all parts.
    pub(crate) async fn begin(
        &self,
        session: SessionKey,
        parts: &[PartCard],
        idle: Duration,
    ) -> Result<Draft, StateError> {
        let _ = (&self.store, session, parts, idle);
        todo!()
    }

    /// Commits what is written, all or nothing. Dropping a draft instead discards it.
    pub(crate) async fn commit(&self, draft: Draft, owner: Owner) -> Result<Ended, StateError> {
        let _ = (draft, owner);
        todo!()
    }
}
