//! What a server offers at all: the capabilities that it declares.

use serde_json::{Map, Value};

use super::List;
use crate::{changes::ListChanges, protocol::CacheHint};

/// What a server offers at all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offered {
    /// Tools, declared or provided.
    pub(crate) tools: bool,
    /// Prompts.
    pub(crate) prompts: bool,
    /// Resources or templates of them.
    pub(crate) resources: bool,
    /// Extensions of the protocol: their settings by id.
    pub(crate) extensions: Map<String, Value>,
    /// How long and by whom lists may be kept.
    pub(crate) list_cache: CacheHint,
    /// Whether what is listed under these names depends on who asks, so that nobody else may be given it.
    pub(crate) personal: Personal,
    /// Which lists can change while the server runs, so that clients are promised news of them. News of single resources are
    /// promised wherever there are any.
    pub(crate) news: ListChanges,
    /// Whether there is anything that could be mirrored beside a call.
    pub(crate) mirrors: bool,
    /// Whether calls of some tool can become tasks.
    pub(crate) tasks: bool,
    /// Whether callers of older revisions can be told apart, so that each has a list of its own tasks.
    pub(crate) task_lists: bool,
    /// Whether clients can be told something besides their answers.
    pub(crate) streams: bool,
    /// Where cookies carry sessions: how.
    pub(crate) cookies: Option<OfferedCookies>,
}

/// How cookies carry sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OfferedCookies {
    /// They name what a store keeps.
    Stored,
    /// They hold all of it.
    Sealed,
}

/// Which lists depend on who asks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Personal {
    pub(crate) tools: bool,
    pub(crate) prompts: bool,
    pub(crate) resources: bool,
}

impl Offered {
    /// Whether the server has this list.
    pub(crate) fn has(&self, list: List) -> bool {
        match list {
            List::Tools => self.tools,
            List::Prompts => self.prompts,
            List::Resources | List::Templates => self.resources,
        }
    }

    /// Whether there is anything to subscribe to.
    pub(crate) fn any_news(&self) -> bool {
        self.streams && (self.resources || self.tasks || self.news != ListChanges::default())
    }

    /// Whether there is anything whose arguments could be completed.
    pub(crate) fn completion(&self) -> bool {
        self.prompts || self.resources
    }
}

impl Personal {
    /// Whether this list depends on who asks.
    pub(crate) fn has(&self, list: List) -> bool {
        match list {
            List::Tools => self.tools,
            List::Prompts => self.prompts,
            List::Resources | List::Templates => self.resources,
        }
    }
}
