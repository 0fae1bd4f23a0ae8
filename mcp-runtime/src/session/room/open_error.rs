//! Why the sessions of a server can't be set up.

use std::fmt;

use crate::{session::KeyError, store::StoreError};

/// Why the room can't be set up; for the operator.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// The keys can't be used.
    Keys(KeyError),
    /// The store does not say who it is.
    Store(StoreError),
    /// Other processes use the store, and could not read the ids of this one.
    KeysOfItsOwn,
    /// Another process that uses the store has another key of this id.
    AnotherKey(String),
}

impl fmt::Display for OpenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys(error) => write!(formatter, "the session keys can't be used: {error}"),
            Self::Store(error) => write!(formatter, "the session store can't be used: {error}"),
            Self::KeysOfItsOwn => formatter.write_str("the session keys are random, and the store is shared"),
            Self::AnotherKey(kid) => write!(formatter, "another instance has another key of the id `{kid}`"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Keys(_) | Self::KeysOfItsOwn | Self::AnotherKey(_) => None,
            Self::Store(error) => error.source(),
        }
    }
}
