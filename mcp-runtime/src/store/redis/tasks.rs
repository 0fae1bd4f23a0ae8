//! Tasks in Redis: a hash for each, and for each owner their places and their times.
//!
//! An owner's tasks are in another slot of a cluster than the tasks: a task gets its place first, so that one that is there
//! is always listed, and who reads the list looks at the tasks.

use std::{sync::LazyLock, time::Duration};

use bytes::Bytes;
use redis::Value;

use super::{Key, Link, RedisStore, Script, bells::Bell, milliseconds, misunderstood, number, script, text};
use crate::store::{Owner, Revision, StoreError, StoreFuture, StoredTask, TaskId, TaskOrder, TaskStore, TaskWritten};

script!(PLACE, "task_place");
script!(CREATE, "task_create");
script!(UPDATE, "task_update");
script!(LOAD, "task_load");
script!(LIST, "task_list");
script!(COUNT, "task_count");
script!(REMOVE, "task_remove");
script!(UNINDEX, "unindex");

/// How many tasks are read at once: their records may be large.
const PAGE: usize = 16;

fn key(link: &Link, id: TaskId) -> Key {
    format!("{}:{{{id}}}:task", link.prefix())
}

/// The tasks of an owner by their places and by their times.
fn index_keys(link: &Link, owner: Owner) -> [Key; 2] {
    [link.of_owner(owner, "tasks"), link.of_owner(owner, "tasks-until")]
}

impl RedisStore {
    async fn make(&self, id: TaskId, owner: Owner, record: &Bytes, ttl: Duration) -> Result<TaskWritten, StoreError> {
        self.task_limits.check(record.len())?;
        let ttl = milliseconds(ttl);
        let index = index_keys(&self.link, owner);
        let place: String = self
            .link
            .call(&PLACE, &index, |command| {
                command.arg(&id.0).arg(ttl);
            })
            .await?;
        let taken: Option<Vec<u8>> = self
            .link
            .call(&CREATE, &[key(&self.link, id)], |command| {
                command.arg(&owner.0).arg(&place).arg(&record[..]).arg(ttl);
            })
            .await?;
        match taken {
            None => Ok(TaskWritten::Saved),
            Some(other) => {
                if other != owner.0 {
                    self.unplace(owner, id).await?;
                }
                Ok(TaskWritten::Conflict)
            }
        }
    }

    /// The task has no place among the owner's.
    async fn unplace(&self, owner: Owner, id: TaskId) -> Result<(), StoreError> {
        let unplaced = index_keys(&self.link, owner);
        self.link
            .call(&UNINDEX, &unplaced, |command| {
                command.arg(&id.0);
            })
            .await
    }

    async fn find(&self, id: TaskId) -> Result<Option<StoredTask>, StoreError> {
        let found: Vec<Value> = self.link.call(&LOAD, &[key(&self.link, id)], |_| ()).await?;
        stored(id, found)
    }

    async fn replace(&self, id: TaskId, expected: Revision, record: &Bytes) -> Result<TaskWritten, StoreError> {
        self.task_limits.check(record.len())?;
        let ended: String = self
            .link
            .call(&UPDATE, &[key(&self.link, id)], |command| {
                command.arg(expected).arg(&record[..]).arg(self.link.channel(Bell::Task(id)));
            })
            .await?;
        match ended.as_str() {
            "saved" => {
                self.bells.ring(Bell::Task(id));
                Ok(TaskWritten::Saved)
            }
            "conflict" => Ok(TaskWritten::Conflict),
            "gone" => Ok(TaskWritten::Gone),
            _ => Err(misunderstood()),
        }
    }

    async fn of(&self, owner: Owner, after: TaskOrder, limit: usize) -> Result<Vec<StoredTask>, StoreError> {
        let [places, _] = index_keys(&self.link, owner);
        let mut tasks = Vec::new();
        let mut after = after;
        while tasks.len() < limit {
            let page: Vec<(Vec<u8>, f64)> = self
                .link
                .call(&LIST, std::slice::from_ref(&places), |command| {
                    command.arg(after).arg(PAGE.min(limit - tasks.len()));
                })
                .await?;
            let Some((_, last)) = page.last() else { break };
            // A whole number far below what a float can hold exactly.
            after = *last as TaskOrder;
            let ids: Vec<_> =
                page.iter().filter_map(|(name, _)| Some(TaskId(name.as_slice().try_into().ok()?))).collect();
            let mut records = redis::pipe();
            for id in &ids {
                records.cmd("HMGET").arg(key(&self.link, *id)).arg(&["owner", "place", "revision", "record"]);
            }
            let records: Vec<Vec<Value>> = self.link.pipeline(&records).await?;
            for (id, found) in ids.into_iter().zip(records) {
                tasks.extend(stored(id, found)?.filter(|task| task.owner == owner));
            }
        }
        Ok(tasks)
    }

    async fn take_away(&self, id: TaskId) -> Result<bool, StoreError> {
        let bell = Bell::Task(id);
        let owner: Option<Vec<u8>> = self
            .link
            .call(&REMOVE, &[key(&self.link, id)], |command| {
                command.arg(self.link.channel(bell));
            })
            .await?;
        self.bells.ring(bell);
        let Some(owner) = owner else { return Ok(false) };
        self.unplace(Owner(owner.as_slice().try_into().map_err(|_| misunderstood())?), id).await?;
        Ok(true)
    }

    async fn is_later(&self, id: TaskId, than: Revision) -> Result<bool, StoreError> {
        let mut command = redis::cmd("HGET");
        command.arg(key(&self.link, id)).arg("revision");
        let now: Option<Revision> = self.link.command(&command).await?;
        Ok(now.is_none_or(|now| now > than))
    }
}

/// A task from its fields: owner, place, revision, record.
fn stored(id: TaskId, found: Vec<Value>) -> Result<Option<StoredTask>, StoreError> {
    match <[Value; 4]>::try_from(found) {
        Ok([Value::Nil, ..]) => Ok(None),
        Ok([owner, place, revision, Value::BulkString(record)]) => {
            let owner = text(&owner).and_then(|owner| owner.try_into().ok()).ok_or_else(misunderstood)?;
            let order = text(&place).and_then(number).ok_or_else(misunderstood)?;
            let revision = text(&revision).and_then(number).ok_or_else(misunderstood)?;
            Ok(Some(StoredTask { id, owner: Owner(owner), order, revision, record: record.into() }))
        }
        _ => Err(misunderstood()),
    }
}

/// How large a record may be is limited; how many there are, and how large all are together, by the memory that Redis may
/// use.
impl TaskStore for RedisStore {
    fn create(&self, id: TaskId, owner: Owner, record: Bytes, ttl: Duration) -> StoreFuture<'_, TaskWritten> {
        StoreFuture::new(async move { self.make(id, owner, &record, ttl).await })
    }

    fn load(&self, id: TaskId) -> StoreFuture<'_, Option<StoredTask>> {
        StoreFuture::new(self.find(id))
    }

    fn update(&self, id: TaskId, expected: Revision, record: Bytes) -> StoreFuture<'_, TaskWritten> {
        StoreFuture::new(async move { self.replace(id, expected, &record).await })
    }

    fn list(&self, owner: Owner, after: TaskOrder, limit: usize) -> StoreFuture<'_, Vec<StoredTask>> {
        StoreFuture::new(self.of(owner, after, limit))
    }

    fn remove(&self, id: TaskId) -> StoreFuture<'_, bool> {
        StoreFuture::new(self.take_away(id))
    }

    fn count(&self, owner: Owner) -> StoreFuture<'_, usize> {
        StoreFuture::new(async move {
            let [_, until] = index_keys(&self.link, owner);
            self.link.call(&COUNT, &[until], |_| ()).await
        })
    }

    fn changed(&self, id: TaskId, revision: Revision) -> StoreFuture<'_, ()> {
        StoreFuture::new(self.bells.wait(&self.link, Bell::Task(id), move || self.is_later(id, revision)))
    }
}
