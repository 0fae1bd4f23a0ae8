//! Tasks in PostgreSQL: a row for each.

use std::time::Duration;

use bytes::Bytes;
use tokio_postgres::{Row, types::Type};

use super::{
    PostgresStore, at_most,
    bells::Bell,
    link::Statement::{Once, Repeatable},
    milliseconds, misunderstood, signed, unsigned, until_few,
};
use crate::store::{Owner, Revision, StoreError, StoreFuture, StoredTask, TaskId, TaskOrder, TaskStore, TaskWritten};

/// How many tasks are swept at once, so that no statement takes long.
const BATCH: i64 = 200;

impl PostgresStore {
    async fn make(&self, id: TaskId, owner: Owner, record: &Bytes, ttl: Duration) -> Result<TaskWritten, StoreError> {
        self.task_limits.check(record.len())?;
        let made = self
            .link
            .rows(
                Once,
                "INSERT INTO tasks (id, owner, record, expires_at) VALUES ($1, $2, $3, now() + $4 * interval '1 \
                 millisecond') ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, place = excluded.place, revision = 1, \
                 record = excluded.record, expires_at = excluded.expires_at WHERE tasks.expires_at <= now() RETURNING true",
                &[
                    (&&id.0[..], Type::BYTEA),
                    (&&owner.0[..], Type::BYTEA),
                    (&&record[..], Type::BYTEA),
                    (&milliseconds(ttl), Type::INT8),
                ],
            )
            .await?;
        Ok(if made.is_empty() { TaskWritten::Conflict } else { TaskWritten::Saved })
    }

    async fn find(&self, id: TaskId) -> Result<Option<StoredTask>, StoreError> {
        let task = "SELECT id, owner, place, revision, record FROM tasks WHERE id = $1 AND expires_at > now()";
        let found = self.link.rows(Repeatable, task, &[(&&id.0[..], Type::BYTEA)]).await?;
        found.first().map(stored).transpose()
    }

    async fn replace(&self, id: TaskId, expected: Revision, record: &Bytes) -> Result<TaskWritten, StoreError> {
        self.task_limits.check(record.len())?;
        let ended = self
            .link
            .row(
                Once,
                // Two that expect the same follow each other, and the second finds another revision.
                "WITH saved AS (UPDATE tasks SET record = $3, revision = revision + 1 WHERE id = $1 AND revision = $2 AND \
                 expires_at > now() RETURNING true) SELECT CASE WHEN EXISTS (SELECT FROM saved) THEN 'saved' WHEN EXISTS \
                 (SELECT FROM tasks WHERE id = $1 AND expires_at > now()) THEN 'conflict' ELSE 'gone' END",
                &[(&&id.0[..], Type::BYTEA), (&signed(expected), Type::INT8), (&&record[..], Type::BYTEA)],
            )
            .await?;
        match ended.try_get(0).map_err(|_| misunderstood())? {
            "saved" => {
                self.bells.ring(&self.link, Bell::Task(id));
                Ok(TaskWritten::Saved)
            }
            "conflict" => Ok(TaskWritten::Conflict),
            "gone" => Ok(TaskWritten::Gone),
            _ => Err(misunderstood()),
        }
    }

    async fn of(&self, owner: Owner, after: TaskOrder, limit: usize) -> Result<Vec<StoredTask>, StoreError> {
        let found = self
            .link
            .rows(
                Repeatable,
                "SELECT id, owner, place, revision, record FROM tasks WHERE owner = $1 AND place > $2 AND expires_at > now() \
                 ORDER BY place LIMIT $3",
                &[
                    (&&owner.0[..], Type::BYTEA),
                    (&i64::try_from(after).unwrap_or(i64::MAX), Type::INT8),
                    (&at_most(limit), Type::INT8),
                ],
            )
            .await?;
        found.iter().map(stored).collect()
    }

    async fn take_away(&self, id: TaskId) -> Result<bool, StoreError> {
        let task = "DELETE FROM tasks WHERE id = $1 AND expires_at > now() RETURNING true";
        let removed = self.link.rows(Once, task, &[(&&id.0[..], Type::BYTEA)]).await?;
        self.bells.ring(&self.link, Bell::Task(id));
        Ok(!removed.is_empty())
    }

    async fn how_many(&self, owner: Owner) -> Result<usize, StoreError> {
        let count = "SELECT count(*) FROM tasks WHERE owner = $1 AND expires_at > now()";
        let counted = self.link.row(Repeatable, count, &[(&&owner.0[..], Type::BYTEA)]).await?;
        let counted: i64 = counted.try_get(0).map_err(|_| misunderstood())?;
        usize::try_from(counted).map_err(|_| misunderstood())
    }

    async fn is_later(&self, id: TaskId, than: Revision) -> Result<bool, StoreError> {
        let revision = "SELECT revision FROM tasks WHERE id = $1 AND expires_at > now()";
        let found = self.link.rows(Repeatable, revision, &[(&&id.0[..], Type::BYTEA)]).await?;
        let Some(row) = found.first() else { return Ok(true) };
        Ok(unsigned(row.try_get(0).map_err(|_| misunderstood())?)? > than)
    }
}

/// A task from its columns.
fn stored(row: &Row) -> Result<StoredTask, StoreError> {
    let bytes = |at: usize| row.try_get::<_, &[u8]>(at).map_err(|_| misunderstood());
    let name = |at: usize| bytes(at)?.try_into().map_err(|_| misunderstood());
    let count = |at: usize| unsigned(row.try_get(at).map_err(|_| misunderstood())?);
    Ok(StoredTask {
        id: TaskId(name(0)?),
        owner: Owner(name(1)?),
        order: count(2)?,
        revision: count(3)?,
        record: Bytes::copy_from_slice(bytes(4)?),
    })
}

/// How large a record may be is limited; how many there are, and how large all are together, by the disk.
impl TaskStore for PostgresStore {
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
        StoreFuture::new(self.how_many(owner))
    }

    fn changed(&self, id: TaskId, revision: Revision) -> StoreFuture<'_, ()> {
        StoreFuture::new(self.bells.wait(&self.link, Bell::Task(id), move || self.is_later(id, revision)))
    }

    fn sweep(&self) -> StoreFuture<'_, usize> {
        StoreFuture::new(until_few(
            &self.link,
            "WITH passed AS (SELECT id FROM tasks WHERE expires_at <= now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP \
             LOCKED), removed AS (DELETE FROM tasks USING passed WHERE tasks.id = passed.id RETURNING true) SELECT count(*) \
             FROM removed",
            BATCH,
        ))
    }
}
