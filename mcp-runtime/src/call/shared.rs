//! What all calls of a running server share.

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
    /// Opens a mailbox for this caller: of resources that it may not know of, nothing comes in.
    pub(crate) fn listen(&self, lists: ListChanges, principal: Option<&Principal>) -> Mailbox {
        let shown = self.tells.clone().map(|tells| -> Shown {
            let principal = principal.cloned();
            Box::new(move |uri| tells(principal.as_ref(), uri))
        });
        self.changes.open(lists, shown)
    }
}
