//! What was announced here and other instances of the server were not told yet.

use std::{
    collections::BTreeSet,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::{Change, Changes};
use crate::store::TaskId;

/// How many resources and how many tasks wait to be told by name, and how many bytes the names of resources have together;
/// beyond that, others are told that any may have changed.
const NAMES: usize = 1024;
const BYTES: usize = 32 << 10;

/// Announcements, each once however often it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Announced {
    /// The list of tools.
    pub(crate) tools: bool,
    /// The list of prompts.
    pub(crate) prompts: bool,
    /// The list of resources, or that of their templates.
    pub(crate) resources: bool,
    /// The resources of these URIs.
    pub(crate) updated: BTreeSet<Arc<str>>,
    /// These tasks.
    pub(crate) tasks: BTreeSet<TaskId>,
    /// More resources or tasks than could be remembered by name.
    pub(crate) anything: bool,
    bytes: usize,
}

/// Where they wait.
#[derive(Default)]
pub(super) struct Abroad {
    waiting: Mutex<Announced>,
    bell: Notify,
}

impl Announced {
    pub(crate) fn add(&mut self, change: &Change) {
        match change {
            Change::Tools => self.tools = true,
            Change::Prompts => self.prompts = true,
            Change::Resources => self.resources = true,
            Change::Resource(_) | Change::Task(_) if self.anything => {}
            Change::Task(task) => {
                self.tasks.insert(*task);
            }
            // It is told where the task runs.
            Change::Progress(_) => return,
            Change::Resource(uri) => {
                if self.updated.insert(uri.clone()) {
                    self.bytes = self.bytes.saturating_add(uri.len());
                }
            }
        }
        if self.updated.len() > NAMES || self.tasks.len() > NAMES || self.bytes > BYTES {
            self.leave_names_out();
        }
    }

    /// Any resource and any task may have changed, instead of those that were remembered.
    pub(crate) fn leave_names_out(&mut self) {
        self.anything = true;
        self.updated.clear();
        self.tasks.clear();
        self.bytes = 0;
    }

    fn changes(&self) -> impl Iterator<Item = Change> {
        let lists = [(self.tools, Change::Tools), (self.prompts, Change::Prompts), (self.resources, Change::Resources)];
        let lists = lists.into_iter().filter_map(|(changed, change)| changed.then_some(change));
        lists
            .chain(self.updated.iter().cloned().map(Change::Resource))
            .chain(self.tasks.iter().copied().map(Change::Task))
    }
}

impl Abroad {
    pub(super) fn add(&self, change: &Change) {
        self.waiting().add(change);
        self.bell.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, Announced> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changes {
    /// From now on, what is announced is kept for other instances too.
    pub(crate) fn go_abroad(&self) {
        self.0.abroad.get_or_init(Abroad::default);
    }

    /// What other instances were not told yet; waits until there is something.
    pub(crate) async fn to_tell(&self) -> Announced {
        let abroad = self.0.abroad.get_or_init(Abroad::default);
        loop {
            // One ring may stand for several changes, and be left over from one that is told already.
            abroad.bell.notified().await;
            let announced = mem::take(&mut *abroad.waiting());
            if announced != Announced::default() {
                return announced;
            }
        }
    }

    /// They could not be told this.
    pub(crate) fn tell_again(&self, announced: &Announced) {
        let abroad = self.0.abroad.get_or_init(Abroad::default);
        abroad.waiting().anything |= announced.anything;
        announced.changes().for_each(|change| abroad.waiting().add(&change));
        abroad.bell.notify_one();
    }

    /// Another instance announced this: it is told here, and nowhere else.
    pub(crate) fn hear(&self, announced: &Announced) {
        announced.changes().for_each(|change| self.post_here(&change));
        if announced.anything {
            self.anything_named_may_have_changed();
        }
    }

    /// Nobody knows what other instances announced meanwhile.
    pub(crate) fn anything_may_have_changed(&self) {
        [Change::Tools, Change::Prompts, Change::Resources].iter().for_each(|change| self.post_here(change));
        self.anything_named_may_have_changed();
    }

    fn anything_named_may_have_changed(&self) {
        let register = self.register();
        let resources = register.subscribers.keys().cloned().map(Change::Resource);
        let all: Vec<_> = resources.chain(register.followers.keys().copied().map(Change::Task)).collect();
        drop(register);
        all.iter().for_each(|change| self.post_here(change));
    }
}
