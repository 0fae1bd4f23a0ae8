//! The store of tasks inside the process.
//!
//! Takes: records. Gives: the same bytes, shared. Knows: its bounds and the clock. Must not know: what the records say.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    ops::RangeInclusive,
    sync::Mutex,
    time::Duration,
};

use bytes::Bytes;
use tokio::time::Instant;

use super::{after, lock};
use crate::store::{
    Owner, Revision, StoreError, StoreFuture, StoredTask, TaskId, TaskLimits, TaskOrder, TaskStore, TaskWritten,
    doorbell::Doorbells,
};

/// Keeps tasks in memory, bounded; they are gone with the process.
///
/// When it is full, new tasks are refused with [`StoreError::Full`]; none is thrown out before its time.
#[derive(Default)]
pub struct MemoryTaskStore {
    limits: TaskLimits,
    tasks: Mutex<Tasks>,
    bells: Doorbells<TaskId>,
}

#[derive(Default)]
struct Tasks {
    by_id: HashMap<TaskId, Task>,
    owners: BTreeMap<(Owner, TaskOrder), TaskId>,
    expiries: BTreeSet<(Instant, TaskId)>,
    bytes: usize,
    made: TaskOrder,
}

struct Task {
    expires: Instant,
    stored: StoredTask,
}

impl MemoryTaskStore {
    /// An empty store with the limits that are usual.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes this much instead.
    #[must_use]
    pub fn with_limits(mut self, limits: TaskLimits) -> Self {
        self.limits = limits;
        self
    }

    fn create_now(&self, id: TaskId, owner: Owner, record: Bytes, ttl: Duration) -> Result<TaskWritten, StoreError> {
        self.limits.check(record.len())?;
        let now = Instant::now();
        let mut tasks = lock(&self.tasks);
        if tasks.live(id, now).is_some() {
            return Ok(TaskWritten::Conflict);
        }
        let gone = tasks.drop_expired(now);
        let made = tasks.create(id, owner, record, after(now, ttl), &self.limits);
        drop(tasks);
        gone.into_iter().for_each(|id| self.bells.ring(id));
        made
    }

    fn update_now(&self, id: TaskId, expected: Revision, record: Bytes) -> Result<TaskWritten, StoreError> {
        self.limits.check(record.len())?;
        let now = Instant::now();
        let mut tasks = lock(&self.tasks);
        let bytes = tasks.bytes;
        let Some(task) = tasks.live(id, now) else { return Ok(TaskWritten::Gone) };
        let stored = &mut task.stored;
        if stored.revision != expected {
            return Ok(TaskWritten::Conflict);
        }
        let (old, new) = (stored.record.len(), record.len());
        let bytes = bytes.saturating_sub(old).saturating_add(new);
        // A record that does not grow is always taken, so that a task can end in a full store.
        if new > old && bytes > self.limits.bytes {
            return Err(StoreError::Full);
        }
        stored.record = record;
        stored.revision += 1;
        tasks.bytes = bytes;
        drop(tasks);
        self.bells.ring(id);
        Ok(TaskWritten::Saved)
    }

    fn load_now(&self, id: TaskId) -> Option<StoredTask> {
        lock(&self.tasks).live(id, Instant::now()).map(|task| task.stored.clone())
    }

    fn list_now(&self, owner: Owner, after: TaskOrder, limit: usize) -> Vec<StoredTask> {
        let now = Instant::now();
        let tasks = lock(&self.tasks);
        let Some(from) = after.checked_add(1) else { return Vec::new() };
        let found = tasks.owners.range((owner, from)..=(owner, TaskOrder::MAX));
        let live = found.filter_map(|(_, id)| tasks.by_id.get(id).filter(|task| now < task.expires));
        live.map(|task| task.stored.clone()).take(limit).collect()
    }

    fn count_now(&self, owner: Owner) -> usize {
        let now = Instant::now();
        let tasks = lock(&self.tasks);
        let lives = |id: &TaskId| tasks.by_id.get(id).is_some_and(|task| now < task.expires);
        tasks.owners.range(of(owner)).filter(|(_, id)| lives(id)).count()
    }

    fn remove_now(&self, id: TaskId) -> bool {
        let now = Instant::now();
        let mut tasks = lock(&self.tasks);
        let lived = tasks.live(id, now).is_some();
        tasks.remove(id);
        drop(tasks);
        self.bells.ring(id);
        lived
    }

    fn sweep_now(&self) -> usize {
        let gone = lock(&self.tasks).drop_expired(Instant::now());
        gone.iter().for_each(|id| self.bells.ring(*id));
        gone.len()
    }
}

impl fmt::Debug for MemoryTaskStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks = lock(&self.tasks);
        let mut shown = formatter.debug_struct("MemoryTaskStore");
        shown.field("bytes", &tasks.bytes).field("tasks", &tasks.by_id.len()).finish_non_exhaustive()
    }
}

impl Tasks {
    fn live(&mut self, id: TaskId, now: Instant) -> Option<&mut Task> {
        self.by_id.get_mut(&id).filter(|task| now < task.expires)
    }

    fn create(
        &mut self,
        id: TaskId,
        owner: Owner,
        record: Bytes,
        expires: Instant,
        limits: &TaskLimits,
    ) -> Result<TaskWritten, StoreError> {
        let bytes = self.bytes.saturating_add(record.len());
        if self.by_id.len() >= limits.tasks || bytes > limits.bytes {
            return Err(StoreError::Full);
        }
        self.bytes = bytes;
        self.made += 1;
        self.owners.insert((owner, self.made), id);
        self.expiries.insert((expires, id));
        let stored = StoredTask { id, owner, order: self.made, revision: 1, record };
        self.by_id.insert(id, Task { expires, stored });
        Ok(TaskWritten::Saved)
    }

    fn remove(&mut self, id: TaskId) {
        if let Some(Task { expires, stored }) = self.by_id.remove(&id) {
            self.bytes = self.bytes.saturating_sub(stored.record.len());
            self.owners.remove(&(stored.owner, stored.order));
            self.expiries.remove(&(expires, id));
        }
    }

    fn drop_expired(&mut self, now: Instant) -> Vec<TaskId> {
        let passed = self.expiries.range(..=(now, TaskId([u8::MAX; 16])));
        let gone: Vec<_> = passed.map(|(_, id)| *id).collect();
        gone.iter().for_each(|id| self.remove(*id));
        gone
    }
}

/// The places of an owner's tasks.
fn of(owner: Owner) -> RangeInclusive<(Owner, TaskOrder)> {
    (owner, 0)..=(owner, TaskOrder::MAX)
}

impl TaskStore for MemoryTaskStore {
    fn create(&self, id: TaskId, owner: Owner, record: Bytes, ttl: Duration) -> StoreFuture<'_, TaskWritten> {
        StoreFuture::ready(self.create_now(id, owner, record, ttl))
    }

    fn load(&self, id: TaskId) -> StoreFuture<'_, Option<StoredTask>> {
        StoreFuture::ready(Ok(self.load_now(id)))
    }

    fn update(&self, id: TaskId, expected: Revision, record: Bytes) -> StoreFuture<'_, TaskWritten> {
        StoreFuture::ready(self.update_now(id, expected, record))
    }

    fn list(&self, owner: Owner, after: TaskOrder, limit: usize) -> StoreFuture<'_, Vec<StoredTask>> {
        StoreFuture::ready(Ok(self.list_now(owner, after, limit)))
    }

    fn remove(&self, id: TaskId) -> StoreFuture<'_, bool> {
        StoreFuture::ready(Ok(self.remove_now(id)))
    }

    fn count(&self, owner: Owner) -> StoreFuture<'_, usize> {
        StoreFuture::ready(Ok(self.count_now(owner)))
    }

    fn changed(&self, id: TaskId, revision: Revision) -> StoreFuture<'_, ()> {
        StoreFuture::new(self.bells.wait(id, move || {
            let task = lock(&self.tasks).live(id, Instant::now()).map(|task| task.stored.revision);
            std::future::ready(Ok(task.is_none_or(|now| now > revision)))
        }))
    }

    fn exclusive(&self) -> bool {
        true
    }

    fn sweep(&self) -> StoreFuture<'_, usize> {
        StoreFuture::ready(Ok(self.sweep_now()))
    }
}
