//! Announce and listen: what changed on the server, told to whoever asked to be told.
//!
//! Takes: what functions and the program announce. Gives: to each listener its own changes, once each however often they
//! were announced. Knows: lists, URIs, ids of tasks. Must not know: sessions, revisions, streams, how a change is told.

mod abroad;
mod mailbox;

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
};

use abroad::Abroad;
pub(crate) use abroad::Announced;
use bytes::Bytes;
use mailbox::Inbox;
pub(crate) use mailbox::{Mailbox, Shown, TooMany};

use crate::store::TaskId;

/// The longest URI that can be subscribed to, in bytes.
pub(crate) const URI_LIMIT: usize = 2048;

/// Announces that something of the server changed, so that clients look again. Cheap to clone; for any thread.
///
/// A function reaches it by [`Context::changes`](crate::Context::changes), the rest of the program by
/// [`Server::changes`](crate::Server::changes). Announcing never waits and never fails. To each client that asked for it, a
/// change is told once: what is announced again before a client was told is one change.
///
/// Clients are promised news of the lists only where the server declares that they change: by
/// `#[mcp_server(changes)]`, because the program took [`Server::changes`](crate::Server::changes), or because a
/// [provider](crate::provider) says so. News of single resources need no declaration.
///
/// # Source
/// 2025-11-25 server/tools, prompts, resources §List Changed Notification; 2026-07-28 basic/patterns/subscriptions.
#[derive(Clone, Default)]
pub struct Changes(Arc<Hub>);

impl fmt::Debug for Changes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listeners = self.0.listeners.load(Ordering::Relaxed);
        formatter.debug_struct("Changes").field("listeners", &listeners).finish()
    }
}

impl Changes {
    /// The list of tools is another one now.
    pub fn tools_changed(&self) {
        self.post(&Change::Tools);
    }

    /// The list of prompts is another one now.
    pub fn prompts_changed(&self) {
        self.post(&Change::Prompts);
    }

    /// The list of resources or that of their templates is another one now.
    pub fn resources_changed(&self) {
        self.post(&Change::Resources);
    }

    /// The contents of the resource of this URI are others now. Told to those who subscribed to it, or to something that
    /// it is a part of: `notes://work/7` is a part of `notes://work`.
    pub fn resource_updated(&self, uri: impl AsRef<str>) {
        // Nobody listens, most of the time: then nothing is copied.
        if !self.is_unheard() {
            self.post(&Change::Resource(uri.as_ref().into()));
        }
    }
}

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The list of resources, or that of their templates.
    Resources,
    /// The resource of this URI.
    Resource(Arc<str>),
    /// What there is to know of a task.
    Task(TaskId),
    /// How far a task is: the message that says so. Never posted, but put into one mailbox.
    Progress(Bytes),
}

/// Which lists somebody wants news of, or has news of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListChanges {
    pub(crate) tools: bool,
    pub(crate) prompts: bool,
    pub(crate) resources: bool,
}

/// Where announcements meet listeners.
#[derive(Default)]
struct Hub {
    /// As many as the register holds, to be read without its lock.
    listeners: AtomicUsize,
    register: Mutex<Register>,
    /// Where everything is announced instead: the server that this one's is mounted on.
    joined: OnceLock<Changes>,
    /// What other instances of the server were not told yet, where there are any.
    abroad: OnceLock<Abroad>,
}

/// Where to announce for as long as somebody else keeps the server: what a container remembers.
#[derive(Clone)]
pub(crate) struct WeakChanges(Weak<Hub>);

impl WeakChanges {
    /// The handle; `None` when the server is gone.
    pub(crate) fn upgrade(&self) -> Option<Changes> {
        self.0.upgrade().map(Changes)
    }

    /// Whether this is a handle of the same server.
    pub(crate) fn is(&self, changes: &Changes) -> bool {
        std::ptr::eq(self.0.as_ptr(), Arc::as_ptr(&changes.0))
    }
}

#[derive(Default)]
struct Register {
    next: u64,
    /// The server goes down: whoever comes now has come to the end.
    closed: bool,
    listeners: HashMap<u64, Listener>,
    /// Who subscribed to what: an announcement looks up what covers it, however many listen to something else.
    subscribers: HashMap<Arc<str>, Vec<u64>>,
    /// Who follows which task.
    followers: HashMap<TaskId, Vec<u64>>,
}

struct Listener {
    inbox: Arc<Inbox>,
    subscriptions: Vec<Arc<str>>,
    tasks: Vec<TaskId>,
}

impl Changes {
    /// The same, without keeping the server's listeners.
    pub(crate) fn downgrade(&self) -> WeakChanges {
        WeakChanges(Arc::downgrade(&self.0))
    }

    /// From now on, what is announced here is announced there.
    pub(crate) fn join(&self, other: Self) {
        // Only the first counts: a server is mounted once.
        let _ = self.0.joined.set(other);
    }

    /// Opens a mailbox for news of these lists; [`Mailbox::subscribe`] adds single resources, of which it gets what `shown`
    /// lets through.
    pub(crate) fn open(&self, lists: ListChanges, shown: Option<Shown>) -> Mailbox {
        let mut register = self.register();
        let inbox = Arc::new(Inbox::new(lists, shown, register.closed));
        let id = register.next;
        register.next += 1;
        register.listeners.insert(id, Listener { inbox: inbox.clone(), subscriptions: Vec::new(), tasks: Vec::new() });
        self.0.listeners.store(register.listeners.len(), Ordering::Release);
        Mailbox { changes: self.clone(), id, inbox }
    }

    /// The URIs that begin so and that somebody subscribed to: when a whole folder of them is another one.
    #[cfg(feature = "files")]
    pub(crate) fn subscribed_below(&self, prefix: &str) -> Vec<Arc<str>> {
        if let Some(joined) = self.0.joined.get() {
            return joined.subscribed_below(prefix);
        }
        self.register().subscribers.keys().filter(|uri| uri.starts_with(prefix)).cloned().collect()
    }

    /// There is something new to know of a task.
    pub(crate) fn task_changed(&self, task: TaskId) {
        self.post(&Change::Task(task));
    }

    /// The server goes down: every mailbox comes to its end, after what it holds.
    pub(crate) fn close(&self) {
        let mut wakers = Vec::new();
        let mut register = self.register();
        register.closed = true;
        register.listeners.values().for_each(|listener| listener.inbox.end(&mut wakers));
        drop(register);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Puts a change into the mailboxes of this process and, where there are other instances, among what they are to be
    /// told. This is all that an announcement does.
    fn post(&self, change: &Change) {
        if let Some(joined) = self.0.joined.get() {
            return joined.post(change);
        }
        if let Some(abroad) = self.0.abroad.get() {
            abroad.add(change);
        }
        self.post_here(change);
    }

    /// Puts a change into the mailboxes of this process.
    fn post_here(&self, change: &Change) {
        if self.is_silent() {
            return;
        }
        // Woken when the register is free again: a task that is woken may come right back to it.
        let (mut wakers, mut covered) = (Vec::new(), Vec::new());
        let register = self.register();
        match change {
            Change::Tools | Change::Prompts | Change::Resources => {
                register.listeners.values().for_each(|listener| listener.inbox.list_changed(change, &mut wakers));
            }
            Change::Resource(uri) => {
                for covering in covering(uri) {
                    let Some((subscription, subscribers)) = register.subscribers.get_key_value(covering) else {
                        continue;
                    };
                    let listeners = subscribers.iter().filter_map(|id| register.listeners.get(id));
                    covered.extend(listeners.map(|listener| (listener.inbox.clone(), uri, subscription.clone())));
                }
            }
            Change::Task(task) => {
                let followers = register.followers.get(task).into_iter().flatten();
                for listener in followers.filter_map(|id| register.listeners.get(id)) {
                    listener.inbox.task_changed(*task, &mut wakers);
                }
            }
            Change::Progress(_) => {}
        }
        drop(register);
        // Asked without the lock: whoever says who may know of what may announce something itself.
        for (inbox, uri, subscription) in covered.into_iter().filter(|(inbox, uri, _)| inbox.shows(uri)) {
            inbox.updated(uri, &subscription, &mut wakers);
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Whether nobody listens, here or elsewhere.
    fn is_unheard(&self) -> bool {
        match self.0.joined.get() {
            Some(joined) => joined.is_unheard(),
            None => self.is_silent() && self.0.abroad.get().is_none(),
        }
    }

    /// Whether nobody listens in this process.
    fn is_silent(&self) -> bool {
        self.0.listeners.load(Ordering::Acquire) == 0
    }

    fn register(&self) -> MutexGuard<'_, Register> {
        self.0.register.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The URIs to which a subscription covers this one: itself, and everything that it is a part of.
fn covering(uri: &str) -> impl Iterator<Item = &str> {
    let parts = uri.match_indices(['/', '#']).flat_map(move |(at, _)| [&uri[..at], &uri[..=at]]);
    // A URI that ends in a slash is among its own parts.
    parts.filter(move |part| part.len() < uri.len()).chain([uri])
}

#[cfg(test)]
mod tests;
