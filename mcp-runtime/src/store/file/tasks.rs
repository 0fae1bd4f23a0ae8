//! Tasks in the file: four tables, and what they mean.
//!
//! Takes: records. Gives: the same bytes, also after a crash. Knows: its bounds and the wall clock. Must not know: what
//! the records say.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use redb::{
    Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction,
};

use super::{FileStore, milliseconds, now, tables::Tables};
use crate::store::{
    Owner, Revision, StoreError, StoreFuture, StoredTask, TaskId, TaskLimits, TaskOrder, TaskStore, TaskWritten,
};

/// When a task expires, its owner, its place among the others, the revision of its record, and the record.
type Record = (u64, &'static [u8; 16], u64, u64, &'static [u8]);
/// Task → record.
const TASKS: TableDefinition<&[u8; 16], Record> = TableDefinition::new("tasks");
/// Owner and place → task.
type Place = (&'static [u8; 16], u64);
const TASK_OWNERS: TableDefinition<Place, &[u8; 16]> = TableDefinition::new("task owners");
/// When tasks expire.
type Expiry = (u64, &'static [u8; 16]);
const TASK_EXPIRIES: TableDefinition<Expiry, ()> = TableDefinition::new("task expiries");
/// How many bytes all records have, and how many tasks were ever made.
const TASK_FACTS: TableDefinition<&str, u64> = TableDefinition::new("task facts");
const BYTES: &str = "bytes";
const MADE: &str = "made";

/// How many tasks are dropped before a sweep takes a breath.
const SWEEP_STEP: usize = 1024;

/// The tables of tasks within one transaction, for writing.
pub(super) struct Tasks<'a> {
    tasks: Table<'a, &'static [u8; 16], Record>,
    owners: Table<'a, Place, &'static [u8; 16]>,
    expiries: Table<'a, Expiry, ()>,
    facts: Table<'a, &'static str, u64>,
}

/// How a change ended; `Err` for a full store.
type Written = Result<TaskWritten, Full>;

/// There is no room.
struct Full;

impl<'a> Tasks<'a> {
    pub(super) fn of(transaction: &'a WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self {
            tasks: transaction.open_table(TASKS)?,
            owners: transaction.open_table(TASK_OWNERS)?,
            expiries: transaction.open_table(TASK_EXPIRIES)?,
            facts: transaction.open_table(TASK_FACTS)?,
        })
    }

    fn create(
        &mut self,
        id: TaskId,
        owner: Owner,
        record: &[u8],
        ttl: Duration,
        limits: &TaskLimits,
    ) -> Result<Written, redb::Error> {
        let now = now();
        if self.live(id, now)?.is_some() {
            return Ok(Ok(TaskWritten::Conflict));
        }
        self.remove(id)?;
        let size = record.len() as u64;
        if !self.has_room(size, limits)? {
            // What has expired and was not swept yet makes room.
            let mut expired = Vec::new();
            for entry in self.expiries.range(passed(now))? {
                expired.push(TaskId(*entry?.0.value().1));
            }
            for id in expired {
                self.remove(id)?;
            }
            if !self.has_room(size, limits)? {
                return Ok(Err(Full));
            }
        }
        let order = self.fact(MADE)?.saturating_add(1);
        self.facts.insert(MADE, order)?;
        self.count(size, 0)?;
        let expires = now.saturating_add(milliseconds(ttl));
        self.owners.insert((&owner.0, order), &id.0)?;
        self.expiries.insert((expires, &id.0), ())?;
        self.tasks.insert(&id.0, (expires, &owner.0, order, 1, record))?;
        Ok(Ok(TaskWritten::Saved))
    }

    fn update(
        &mut self,
        id: TaskId,
        expected: Revision,
        record: &[u8],
        limits: &TaskLimits,
    ) -> Result<Written, redb::Error> {
        let Some(task) = self.live(id, now())? else { return Ok(Ok(TaskWritten::Gone)) };
        if task.revision != expected {
            return Ok(Ok(TaskWritten::Conflict));
        }
        let (old, new) = (task.size, record.len() as u64);
        let bytes = self.fact(BYTES)?.saturating_sub(old).saturating_add(new);
        // A record that does not grow is always taken, so that a task can end in a full store.
        if new > old && bytes > limits.bytes as u64 {
            return Ok(Err(Full));
        }
        self.count(new, old)?;
        let revision = task.revision.saturating_add(1);
        self.tasks.insert(&id.0, (task.expires, &task.owner.0, task.order, revision, record))?;
        Ok(Ok(TaskWritten::Saved))
    }

    /// Removes a task; `false` if there was none, or its time had passed.
    fn remove(&mut self, id: TaskId) -> Result<bool, redb::Error> {
        let Some(task) = self.facts_of(id)? else { return Ok(false) };
        self.tasks.remove(&id.0)?;
        self.owners.remove((&task.owner.0, task.order))?;
        self.expiries.remove((task.expires, &id.0))?;
        self.count(0, task.size)?;
        Ok(now() < task.expires)
    }

    /// Drops those of these tasks whose time has passed.
    fn drop_expired(&mut self, ids: &[TaskId]) -> Result<Vec<TaskId>, redb::Error> {
        let now = now();
        let mut gone = Vec::new();
        for id in ids {
            if self.facts_of(*id)?.is_some_and(|task| task.expires <= now) {
                self.remove(*id)?;
                gone.push(*id);
            }
        }
        Ok(gone)
    }

    fn live(&self, id: TaskId, now: u64) -> Result<Option<Facts>, redb::Error> {
        Ok(self.facts_of(id)?.filter(|task| now < task.expires))
    }

    fn facts_of(&self, id: TaskId) -> Result<Option<Facts>, redb::Error> {
        Ok(self.tasks.get(&id.0)?.map(|record| {
            let (expires, owner, order, revision, record) = record.value();
            Facts { expires, owner: Owner(*owner), order, revision, size: record.len() as u64 }
        }))
    }

    fn has_room(&self, more: u64, limits: &TaskLimits) -> Result<bool, redb::Error> {
        let bytes = self.fact(BYTES)?.saturating_add(more);
        Ok(bytes <= limits.bytes as u64 && self.tasks.len()? < limits.tasks as u64)
    }

    fn fact(&self, name: &str) -> Result<u64, redb::Error> {
        Ok(self.facts.get(name)?.map_or(0, |fact| fact.value()))
    }

    fn count(&mut self, more: u64, less: u64) -> Result<(), redb::Error> {
        let all = self.fact(BYTES)?;
        self.facts.insert(BYTES, all.saturating_add(more).saturating_sub(less))?;
        Ok(())
    }
}

/// What is known of a task besides its record.
struct Facts {
    expires: u64,
    owner: Owner,
    order: TaskOrder,
    revision: Revision,
    size: u64,
}

/// What expires until now.
fn passed(now: u64) -> std::ops::RangeInclusive<(u64, &'static [u8; 16])> {
    (0, &[0; 16])..=(now, &[u8::MAX; 16])
}

fn stored(
    tasks: &impl ReadableTable<&'static [u8; 16], Record>,
    id: TaskId,
) -> Result<Option<StoredTask>, redb::Error> {
    let Some(record) = tasks.get(&id.0)? else { return Ok(None) };
    let (expires, owner, order, revision, record) = record.value();
    let task = || StoredTask { id, owner: Owner(*owner), order, revision, record: Bytes::copy_from_slice(record) };
    Ok((now() < expires).then(task))
}

fn load(database: &Database, id: TaskId) -> Result<Option<StoredTask>, redb::Error> {
    stored(&database.begin_read()?.open_table(TASKS)?, id)
}

fn revision(database: &Database, id: TaskId) -> Result<Option<Revision>, redb::Error> {
    let tasks = database.begin_read()?.open_table(TASKS)?;
    let record = tasks.get(&id.0)?;
    Ok(record.and_then(|record| {
        let (expires, _, _, revision, _) = record.value();
        (now() < expires).then_some(revision)
    }))
}

fn list(database: &Database, owner: Owner, after: TaskOrder, limit: usize) -> Result<Vec<StoredTask>, redb::Error> {
    let mut found = Vec::new();
    let Some(from) = after.checked_add(1) else { return Ok(found) };
    let transaction = database.begin_read()?;
    let (tasks, owners) = (transaction.open_table(TASKS)?, transaction.open_table(TASK_OWNERS)?);
    for entry in owners.range((&owner.0, from)..=(&owner.0, u64::MAX))? {
        if found.len() == limit {
            break;
        }
        found.extend(stored(&tasks, TaskId(*entry?.1.value()))?);
    }
    Ok(found)
}

fn count(database: &Database, owner: Owner) -> Result<usize, redb::Error> {
    let transaction = database.begin_read()?;
    let (tasks, owners) = (transaction.open_table(TASKS)?, transaction.open_table(TASK_OWNERS)?);
    let now = now();
    let mut live = 0;
    for entry in owners.range((&owner.0, 0)..=(&owner.0, u64::MAX))? {
        live += usize::from(tasks.get(entry?.1.value())?.is_some_and(|record| now < record.value().0));
    }
    Ok(live)
}

fn expired(database: &Database) -> Result<Vec<TaskId>, redb::Error> {
    let expiries = database.begin_read()?.open_table(TASK_EXPIRIES)?;
    let mut expired = Vec::new();
    for entry in expiries.range(passed(now()))?.take(SWEEP_STEP) {
        expired.push(TaskId(*entry?.0.value().1));
    }
    Ok(expired)
}

impl TaskStore for FileStore {
    fn create(&self, id: TaskId, owner: Owner, record: Bytes, ttl: Duration) -> StoreFuture<'_, TaskWritten> {
        StoreFuture::new(async move {
            let limits = self.task_limits;
            limits.check(record.len())?;
            let create = move |tables: &mut Tables<'_>| tables.tasks()?.create(id, owner, &record, ttl, &limits);
            self.writer.send(create).await?.map_err(|Full| StoreError::Full)
        })
    }

    fn load(&self, id: TaskId) -> StoreFuture<'_, Option<StoredTask>> {
        StoreFuture::new(self.look(move |database| load(database, id)))
    }

    fn update(&self, id: TaskId, expected: Revision, record: Bytes) -> StoreFuture<'_, TaskWritten> {
        StoreFuture::new(async move {
            let (limits, bells) = (self.task_limits, Arc::clone(&self.task_bells));
            limits.check(record.len())?;
            let update = move |tables: &mut Tables<'_>| tables.tasks()?.update(id, expected, &record, &limits);
            self.writer.send_and_tell(update, move |_| bells.ring(id)).await?.map_err(|Full| StoreError::Full)
        })
    }

    fn list(&self, owner: Owner, after: TaskOrder, limit: usize) -> StoreFuture<'_, Vec<StoredTask>> {
        StoreFuture::new(self.look(move |database| list(database, owner, after, limit)))
    }

    fn remove(&self, id: TaskId) -> StoreFuture<'_, bool> {
        let bells = Arc::clone(&self.task_bells);
        StoreFuture::new(self.writer.send_and_tell(move |tables| tables.tasks()?.remove(id), move |_| bells.ring(id)))
    }

    fn count(&self, owner: Owner) -> StoreFuture<'_, usize> {
        StoreFuture::new(self.look(move |database| count(database, owner)))
    }

    fn changed(&self, id: TaskId, after: Revision) -> StoreFuture<'_, ()> {
        StoreFuture::new(self.task_bells.wait(id, move || async move {
            let now = self.look(move |database| revision(database, id)).await?;
            Ok::<_, StoreError>(now.is_none_or(|now| now > after))
        }))
    }

    fn exclusive(&self) -> bool {
        true
    }

    fn sweep(&self) -> StoreFuture<'_, usize> {
        StoreFuture::new(async move {
            let mut dropped = 0;
            loop {
                // Some at a time, so that commits get their turn in between; nothing is written for nothing.
                let expired = self.look(expired).await?;
                if expired.is_empty() {
                    return Ok(dropped);
                }
                let bells = Arc::clone(&self.task_bells);
                let ring = move |gone: &Vec<TaskId>| gone.iter().for_each(|id| bells.ring(*id));
                let drop = move |tables: &mut Tables<'_>| tables.tasks()?.drop_expired(&expired);
                dropped += self.writer.send_and_tell(drop, ring).await?.len();
            }
        })
    }
}
