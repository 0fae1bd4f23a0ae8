//! What one listener has not been told yet.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;

use super::{Change, Changes, ListChanges};
use crate::store::TaskId;

/// How many resources one listener can subscribe to. Our choice: more than any client shows at once.
const SUBSCRIPTIONS: usize = 256;
/// How many bytes the URIs of one listener's subscriptions can have together. Our choice: 256 of ordinary length.
const BYTES: usize = 64 << 10;
/// What a subscription costs besides its URI, roughly, where memory is counted.
const EACH: usize = 128;
/// How many parts of subscribed resources wait to be told; beyond that, the subscribed resource itself stands for them.
const PARTS: usize = 256;
/// How many tasks one listener can follow at once; of more it is told nothing. Our choice: as many as resources.
const TASKS: usize = 256;
/// A session reads with at most so many streams at once; more wakers are those of streams that are gone.
const WAKERS: usize = 16;

/// The changes that one listener asked for and was not told yet. Bounded, whatever is announced: three lists, the
/// resources subscribed to, the tasks followed. Dropping it ends all its subscriptions.
pub(crate) struct Mailbox {
    pub(super) changes: Changes,
    pub(super) id: u64,
    pub(super) inbox: Arc<Inbox>,
}

/// A listener is subscribed to as much as it can be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TooMany {
    /// To so many resources.
    Resources(usize),
    /// To URIs of so many bytes.
    Bytes(usize),
}

/// Whether a listener may be told of the resource of this URI.
pub(crate) type Shown = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// The side of a mailbox where changes are put in.
pub(super) struct Inbox {
    wanted: ListChanges,
    /// Which resources it may be told of; all of them without it.
    shown: Option<Shown>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    lists: ListChanges,
    resources: VecDeque<Arc<str>>,
    tasks: VecDeque<TaskId>,
    /// How far tasks are: of each the newest report.
    progress: VecDeque<(TaskId, Bytes)>,
    ended: bool,
    wakers: Vec<Waker>,
}

impl Mailbox {
    /// From now on the resource of this URI and its parts are news. Subscribing twice is subscribing once.
    pub(crate) fn subscribe(&self, uri: &str) -> Result<(), TooMany> {
        let mut register = self.changes.register();
        let known = register.subscribers.get_key_value(uri).map(|(uri, _)| uri.clone());
        let uri = known.unwrap_or_else(|| uri.into());
        // The register forgets a mailbox only when it is dropped.
        let Some(listener) = register.listeners.get_mut(&self.id) else { return Ok(()) };
        if listener.subscriptions.contains(&uri) {
            return Ok(());
        }
        if listener.subscriptions.len() == SUBSCRIPTIONS {
            return Err(TooMany::Resources(SUBSCRIPTIONS));
        }
        if listener.bytes() + uri.len() > BYTES {
            return Err(TooMany::Bytes(BYTES));
        }
        listener.subscriptions.push(uri.clone());
        register.subscribers.entry(uri).or_default().push(self.id);
        Ok(())
    }

    /// The resource of this URI is no news any more; what was announced of it before may still be told.
    pub(crate) fn unsubscribe(&self, uri: &str) {
        let mut register = self.changes.register();
        if let Some(listener) = register.listeners.get_mut(&self.id) {
            listener.subscriptions.retain(|known| &**known != uri);
            register.forget(self.id, uri);
        }
    }

    /// What it is subscribed to.
    pub(crate) fn subscriptions(&self) -> Vec<Arc<str>> {
        let register = self.changes.register();
        register.listeners.get(&self.id).map(|listener| listener.subscriptions.clone()).unwrap_or_default()
    }

    /// What its subscriptions cost, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let register = self.changes.register();
        let of = |listener: &super::Listener| listener.bytes() + listener.subscriptions.len() * EACH;
        register.listeners.get(&self.id).map_or(0, of)
    }

    /// Whether it is subscribed to resources or follows tasks.
    pub(crate) fn is_subscribed(&self) -> bool {
        let register = self.changes.register();
        let names = |listener: &super::Listener| !listener.subscriptions.is_empty() || !listener.tasks.is_empty();
        register.listeners.get(&self.id).is_some_and(names)
    }

    /// Whether it is subscribed to nothing and has nothing to tell.
    pub(crate) fn is_bare(&self) -> bool {
        !self.is_subscribed() && self.inbox.waiting().is_empty()
    }

    /// From now on this task is news; `false` where too many are.
    pub(crate) fn follow(&self, task: TaskId) -> bool {
        let mut register = self.changes.register();
        let Some(listener) = register.listeners.get_mut(&self.id) else { return false };
        if listener.tasks.contains(&task) {
            return true;
        }
        if listener.tasks.len() == TASKS {
            return false;
        }
        listener.tasks.push(task);
        register.followers.entry(task).or_default().push(self.id);
        true
    }

    /// This task is no news any more; what was announced of it before is not told.
    pub(crate) fn unfollow(&self, task: TaskId) {
        let mut register = self.changes.register();
        if let Some(listener) = register.listeners.get_mut(&self.id) {
            listener.tasks.retain(|known| *known != task);
            register.forget_task(self.id, task);
        }
        let mut waiting = self.inbox.waiting();
        waiting.tasks.retain(|known| *known != task);
        waiting.progress.retain(|(known, _)| *known != task);
    }

    /// A task that is followed is news now, although nothing changed.
    pub(crate) fn remind(&self, task: TaskId) {
        self.wake_after(|wakers| self.inbox.task_changed(task, wakers));
    }

    /// A task is so far: told in place of an older report that was not told yet, and not at all where it is not followed.
    pub(crate) fn progressed(&self, task: TaskId, message: Bytes) {
        let follows = |listener: &super::Listener| listener.tasks.contains(&task);
        if self.changes.register().listeners.get(&self.id).is_some_and(follows) {
            self.wake_after(|wakers| self.inbox.progressed(task, message, wakers));
        }
    }

    /// The next change; `None` at the end. Several may wait for it: a change goes to one of them.
    pub(crate) fn poll_next(&self, cx: &Context<'_>) -> Poll<Option<Change>> {
        let mut waiting = self.inbox.waiting();
        while let Some(change) = waiting.take() {
            let Change::Resource(uri) = &change else { return Poll::Ready(Some(change)) };
            drop(waiting);
            // What was shown when it was announced may be hidden when it is told.
            if self.inbox.shows(uri) {
                return Poll::Ready(Some(change));
            }
            waiting = self.inbox.waiting();
        }
        if waiting.ended {
            return Poll::Ready(None);
        }
        if !waiting.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            let stale = if waiting.wakers.len() < WAKERS { Vec::new() } else { std::mem::take(&mut waiting.wakers) };
            waiting.wakers.push(cx.waker().clone());
            drop(waiting);
            // Whoever of them is still there comes back.
            stale.into_iter().for_each(Waker::wake);
        }
        Poll::Pending
    }

    /// The next change; `None` at the end.
    pub(crate) async fn next(&self) -> Option<Change> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Comes to its end, after what it holds.
    pub(crate) fn end(&self) {
        self.wake_after(|wakers| self.inbox.end(wakers));
    }

    fn wake_after(&self, put_in: impl FnOnce(&mut Vec<Waker>)) {
        let mut wakers = Vec::new();
        put_in(&mut wakers);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let mut register = self.changes.register();
        if let Some(listener) = register.listeners.remove(&self.id) {
            listener.subscriptions.iter().for_each(|uri| register.forget(self.id, uri));
            listener.tasks.iter().for_each(|task| register.forget_task(self.id, *task));
        }
        self.changes.0.listeners.store(register.listeners.len(), Ordering::Release);
    }
}

impl super::Register {
    /// This listener is no subscriber of this resource any more.
    fn forget(&mut self, id: u64, uri: &str) {
        if let Some(subscribers) = self.subscribers.get_mut(uri) {
            subscribers.retain(|subscriber| *subscriber != id);
            if subscribers.is_empty() {
                self.subscribers.remove(uri);
            }
        }
    }

    /// This listener does not follow this task any more.
    fn forget_task(&mut self, id: u64, task: TaskId) {
        if let Some(followers) = self.followers.get_mut(&task) {
            followers.retain(|follower| *follower != id);
            if followers.is_empty() {
                self.followers.remove(&task);
            }
        }
    }
}

impl Inbox {
    pub(super) fn new(wanted: ListChanges, shown: Option<Shown>, ended: bool) -> Self {
        Self { wanted, shown, waiting: Mutex::new(Waiting { ended, ..Waiting::default() }) }
    }

    /// Whether the listener may be told of the resource of this URI.
    pub(super) fn shows(&self, uri: &str) -> bool {
        self.shown.as_ref().is_none_or(|shown| shown(uri))
    }

    /// One of the lists changed: news, if it was asked for.
    pub(super) fn list_changed(&self, change: &Change, wakers: &mut Vec<Waker>) {
        let ListChanges { tools, prompts, resources } = self.wanted;
        let mut waiting = self.waiting();
        match change {
            Change::Tools if tools => waiting.lists.tools = true,
            Change::Prompts if prompts => waiting.lists.prompts = true,
            Change::Resources if resources => waiting.lists.resources = true,
            _ => return,
        }
        wakers.append(&mut waiting.wakers);
    }

    /// A resource changed that this subscription covers.
    pub(super) fn updated(&self, uri: &Arc<str>, subscription: &Arc<str>, wakers: &mut Vec<Waker>) {
        let mut waiting = self.waiting();
        let uri = if waiting.resources.len() < PARTS { uri } else { subscription };
        if !waiting.resources.contains(uri) {
            waiting.resources.push_back(uri.clone());
        }
        wakers.append(&mut waiting.wakers);
    }

    /// A task that is followed changed.
    pub(super) fn task_changed(&self, task: TaskId, wakers: &mut Vec<Waker>) {
        let mut waiting = self.waiting();
        if !waiting.tasks.contains(&task) {
            waiting.tasks.push_back(task);
        }
        wakers.append(&mut waiting.wakers);
    }

    /// A task that is followed is so far.
    fn progressed(&self, task: TaskId, message: Bytes, wakers: &mut Vec<Waker>) {
        let mut waiting = self.waiting();
        match waiting.progress.iter_mut().find(|(known, _)| *known == task) {
            Some((_, older)) => *older = message,
            None => waiting.progress.push_back((task, message)),
        }
        wakers.append(&mut waiting.wakers);
    }

    pub(super) fn end(&self, wakers: &mut Vec<Waker>) {
        let mut waiting = self.waiting();
        waiting.ended = true;
        wakers.append(&mut waiting.wakers);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl super::Listener {
    /// How long the URIs are that it is subscribed to, together.
    fn bytes(&self) -> usize {
        self.subscriptions.iter().map(|uri| uri.len()).sum()
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        let Self { lists, resources, tasks, progress, .. } = self;
        *lists == ListChanges::default() && resources.is_empty() && tasks.is_empty() && progress.is_empty()
    }

    fn take(&mut self) -> Option<Change> {
        let ListChanges { tools, prompts, resources } = &mut self.lists;
        let lists = [(tools, Change::Tools), (prompts, Change::Prompts), (resources, Change::Resources)];
        for (changed, change) in lists {
            if std::mem::take(changed) {
                return Some(change);
            }
        }
        let resource = self.resources.pop_front().map(Change::Resource);
        // Tasks before their progress: of one that is over, nothing more is reported.
        let task = || self.tasks.pop_front().map(Change::Task);
        let task = resource.or_else(task);
        task.or_else(|| self.progress.pop_front().map(|(_, message)| Change::Progress(message)))
    }
}
