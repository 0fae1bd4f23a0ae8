//! What all calls of a running server share.

use std::sync::{Arc, OnceLock};

use super::Tells;
use crate::{
    auth::Principal,
    changes::{Changes, ListChanges, Mailbox, Shown},
    session::LogLevels,
};

/// What all calls of a running server share: one pointer in each of them.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) changes: Changes,
    pub(crate) levels: LogLevels,
    /// Who may be told of which resource; everybody of all without it.
    pub(crate) tells: Option<Tells>,
}

impl Shared {
    /// Opens a mailbox for somebody who has not come here yet: what comes in is held against what they may know of when they
    /// read it, and by then must be known.
    pub(crate) fn listen_for(&self, lists: ListChanges, reader: &Arc<OnceLock<Option<Principal>>>) -> Mailbox {
        let shown = self.tells.clone().map(|tells| -> Shown {
            let reader = reader.clone();
            Box::new(move |uri| reader.get().is_none_or(|principal| tells(principal.as_ref(), uri)))
        });
        self.changes.open(lists, shown)
    }

    /// Opens a mailbox for this caller: of resources that it may not know of, nothing comes in.
    pub(crate) fn listen(&self, lists: ListChanges, principal: Option<&Principal>) -> Mailbox {
        let shown = self.tells.clone().map(|tells| -> Shown {
            let principal = principal.cloned();
            Box::new(move |uri| tells(principal.as_ref(), uri))
        });
        self.changes.open(lists, shown)
    }
}
