//! A store that misbehaves on purpose.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;

use crate::store::{
    Bus, Commit, Committed, EventLog, Heard, Loaded, Owner, Presence, Replay, Revision, Sequence, SessionKey,
    StateStore, StoreError, StoreFuture, StoreIdentity, StoredTask, StreamId, TaskId, TaskOrder, TaskStore,
    TaskWritten, Topic,
};

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The call fails and is not made.
    Before,
    /// The call is made and its answer is lost: what became of it is unknown.
    After,
    /// The call is made this much later.
    Delay(Duration),
    /// The call is made, and its answer comes this much later.
    SlowAnswer(Duration),
    /// The call is made twice, as by somebody who heard no answer; the first answer counts. What has no name by which a
    /// store could recognise it is made once: [`EventLog::append`] and [`Bus::publish`], after whose failure the caller has
    /// to look.
    Twice,
}

#[derive(Debug)]
struct Plan {
    once: VecDeque<Fault>,
    always: Vec<Fault>,
    next: usize,
}

/// Wraps a store of any kind – of session state, events, tasks, or a bus – and lets its calls go wrong as planned, so that
/// what builds on a store can be tested for the worst.
///
/// Every call takes the next fault, except [`identity`](StateStore::identity) and those that ask the store what it is.
pub struct FaultyStore<S> {
    store: S,
    plan: Mutex<Plan>,
}

impl<S> FaultyStore<S> {
    /// A store whose calls meet these faults one after another, again and again; without any, nothing goes wrong.
    pub fn new(store: S, faults: impl Into<Vec<Fault>>) -> Self {
        Self { store, plan: Mutex::new(Plan { once: VecDeque::new(), always: faults.into(), next: 0 }) }
    }

    /// Lets the next call meet this fault, and after several of these, the calls in turn.
    pub fn inject(&self, fault: Fault) {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).once.push_back(fault);
    }

    /// The store inside.
    pub fn inner(&self) -> &S {
        &self.store
    }

    fn next(&self) -> Fault {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fault) = plan.once.pop_front() {
            return fault;
        }
        let fault = plan.always.get(plan.next).copied().unwrap_or(Fault::None);
        plan.next = (plan.next + 1) % plan.always.len().max(1);
        fault
    }

    fn run<'a, T: Send + 'a>(&'a self, call: impl Fn() -> StoreFuture<'a, T> + Send + 'a) -> StoreFuture<'a, T> {
        meet(self.next(), call)
    }

    /// The same for a call that must not be made twice.
    fn run_once<'a, T: Send + 'a>(&'a self, call: impl Fn() -> StoreFuture<'a, T> + Send + 'a) -> StoreFuture<'a, T> {
        match self.next() {
            Fault::Twice => meet(Fault::None, call),
            fault => meet(fault, call),
        }
    }
}

fn meet<'a, T: Send + 'a>(fault: Fault, call: impl Fn() -> StoreFuture<'a, T> + Send + 'a) -> StoreFuture<'a, T> {
    StoreFuture::new(async move {
        match fault {
            Fault::None => call().await,
            Fault::Before => Err(StoreError::Unavailable(Box::new(Injected))),
            Fault::After => {
                call().await?;
                Err(StoreError::Unavailable(Box::new(Injected)))
            }
            Fault::Delay(delay) => {
                tokio::time::sleep(delay).await;
                call().await
            }
            Fault::SlowAnswer(delay) => {
                let answer = call().await;
                tokio::time::sleep(delay).await;
                answer
            }
            Fault::Twice => {
                let answer = call().await;
                let _ = call().await;
                answer
            }
        }
    })
}

/// The error of an injected fault.
#[derive(Debug)]
struct Injected;

impl fmt::Display for Injected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an injected fault")
    }
}

impl std::error::Error for Injected {}

impl<S> fmt::Debug for FaultyStore<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FaultyStore").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl<S: StateStore> StateStore for FaultyStore<S> {
    fn identity(&self) -> StoreFuture<'_, StoreIdentity> {
        self.store.identity()
    }

    fn durable(&self) -> bool {
        self.store.durable()
    }

    fn shared(&self) -> bool {
        self.store.shared()
    }

    fn load<'a>(&'a self, session: SessionKey, keys: &'a [&'static str], idle: Duration) -> StoreFuture<'a, Loaded> {
        self.run(move || self.store.load(session, keys, idle))
    }

    fn commit(&self, session: SessionKey, commit: Commit) -> StoreFuture<'_, Committed> {
        self.run(move || self.store.commit(session, commit.clone()))
    }

    fn touch(&self, session: SessionKey, idle: Duration) -> StoreFuture<'_, Presence> {
        self.run(move || self.store.touch(session, idle))
    }

    fn remove(&self, session: SessionKey, tombstone: Duration) -> StoreFuture<'_, ()> {
        self.run(move || self.store.remove(session, tombstone))
    }

    fn list(&self, owner: Owner, after: Option<SessionKey>, limit: usize) -> StoreFuture<'_, Vec<SessionKey>> {
        self.run(move || self.store.list(owner, after, limit))
    }

    fn sweep(&self) -> StoreFuture<'_, usize> {
        self.run(move || self.store.sweep())
    }
}

impl<L: EventLog> EventLog for FaultyStore<L> {
    fn open(&self, session: SessionKey, stream: StreamId) -> StoreFuture<'_, ()> {
        self.run(move || self.store.open(session, stream))
    }

    fn append(
        &self,
        session: SessionKey,
        stream: StreamId,
        data: Bytes,
        last: bool,
    ) -> StoreFuture<'_, Option<Sequence>> {
        self.run_once(move || self.store.append(session, stream, data.clone(), last))
    }

    fn read_after(
        &self,
        session: SessionKey,
        stream: StreamId,
        after: Sequence,
        limit: usize,
    ) -> StoreFuture<'_, Replay> {
        self.run(move || self.store.read_after(session, stream, after, limit))
    }

    fn changed(&self, session: SessionKey, stream: StreamId, after: Sequence) -> StoreFuture<'_, ()> {
        self.run(move || self.store.changed(session, stream, after))
    }

    fn touch(&self, session: SessionKey, stream: StreamId) -> StoreFuture<'_, bool> {
        self.run(move || self.store.touch(session, stream))
    }

    fn drop_session(&self, session: SessionKey) -> StoreFuture<'_, ()> {
        self.run(move || self.store.drop_session(session))
    }

    fn sweep(&self) -> StoreFuture<'_, usize> {
        self.run(move || self.store.sweep())
    }
}

impl<S: TaskStore> TaskStore for FaultyStore<S> {
    fn create(&self, id: TaskId, owner: Owner, record: Bytes, ttl: Duration) -> StoreFuture<'_, TaskWritten> {
        self.run(move || self.store.create(id, owner, record.clone(), ttl))
    }

    fn load(&self, id: TaskId) -> StoreFuture<'_, Option<StoredTask>> {
        self.run(move || self.store.load(id))
    }

    fn update(&self, id: TaskId, expected: Revision, record: Bytes) -> StoreFuture<'_, TaskWritten> {
        self.run(move || self.store.update(id, expected, record.clone()))
    }

    fn list(&self, owner: Owner, after: TaskOrder, limit: usize) -> StoreFuture<'_, Vec<StoredTask>> {
        self.run(move || self.store.list(owner, after, limit))
    }

    fn remove(&self, id: TaskId) -> StoreFuture<'_, bool> {
        self.run(move || self.store.remove(id))
    }

    fn count(&self, owner: Owner) -> StoreFuture<'_, usize> {
        self.run(move || self.store.count(owner))
    }

    fn changed(&self, id: TaskId, revision: Revision) -> StoreFuture<'_, ()> {
        self.run(move || self.store.changed(id, revision))
    }

    fn exclusive(&self) -> bool {
        self.store.exclusive()
    }

    fn sweep(&self) -> StoreFuture<'_, usize> {
        self.run(move || self.store.sweep())
    }
}

impl<B: Bus> Bus for FaultyStore<B> {
    fn publish(&self, topic: Topic, message: Bytes) -> StoreFuture<'_, ()> {
        self.run_once(move || self.store.publish(topic, message.clone()))
    }

    fn position(&self, topic: Topic) -> StoreFuture<'_, Sequence> {
        self.run(move || self.store.position(topic))
    }

    fn read_after(&self, topic: Topic, after: Sequence, limit: usize) -> StoreFuture<'_, Heard> {
        self.run(move || self.store.read_after(topic, after, limit))
    }

    fn changed(&self, topic: Topic, after: Sequence) -> StoreFuture<'_, ()> {
        self.run(move || self.store.changed(topic, after))
    }
}
