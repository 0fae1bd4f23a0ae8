//! The trait of a store for the records of long-running calls.

use std::{fmt, time::Duration};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use bytes::Bytes;

use super::{Owner, Revision, StoreError, StoreFuture};

/// The name of one task: random, so that nobody can guess it.
///
/// # Shape
/// 16 random bytes; on the wire base64url without padding, 22 characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub [u8; 16]);

impl TaskId {
    /// The id that this text spells, as [`Display`](fmt::Display) wrote it; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // The decoder takes no padding and no stray bits, so each id has one spelling.
        (text.len() == 22).then(|| BASE64.decode(text).ok()?.try_into().ok().map(Self)).flatten()
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&BASE64.encode(self.0))
    }
}

impl fmt::Debug for TaskId {
    /// The first four bytes: enough to tell tasks apart in a log, too little to guess one.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(formatter, "TaskId({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// A place in the order in which a store's tasks were made: later tasks have larger ones, no two the same, none 0.
pub type TaskOrder = u64;

/// One task, as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTask {
    /// Its name.
    pub id: TaskId,
    /// Whose task it is.
    pub owner: Owner,
    /// Where it stands among the others.
    pub order: TaskOrder,
    /// How often the record was written: 1 for a new task.
    pub revision: Revision,
    /// The record.
    pub record: Bytes,
}

/// How writing a record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskWritten {
    /// It is in the store.
    Saved,
    /// The task has another revision than was expected, or a new one's id is taken; nothing was written.
    Conflict,
    /// There is no such task, or its time has passed; nothing was written.
    Gone,
}

/// How much a store of tasks takes. When it is full, new tasks are refused; no task is thrown out before its time.
///
/// # Source
/// Our choice: a task that vanished under load would look to its client as if it had never been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskLimits {
    /// How many bytes one record may have; 4 MiB by default.
    pub record_bytes: usize,
    /// How many bytes all records may have together; 256 MiB by default.
    pub bytes: usize,
    /// How many tasks there may be; 100,000 by default.
    pub tasks: usize,
}

impl Default for TaskLimits {
    fn default() -> Self {
        Self { record_bytes: 4 << 20, bytes: 256 << 20, tasks: 100_000 }
    }
}

impl TaskLimits {
    /// Refuses a record that is too large.
    pub(super) fn check(&self, bytes: usize) -> Result<(), StoreError> {
        let limit = self.record_bytes;
        if bytes > limit { Err(StoreError::TooLarge { bytes, limit }) } else { Ok(()) }
    }
}

/// Keeps the records of tasks: bytes by task, each with a revision, an owner and a time after which it is gone.
///
/// The store does not look at owners when it is asked for a task by its id: the caller compares.
///
/// [`conformance::check_task_store`](super::conformance::check_task_store) is the suite that every implementation must
/// pass.
pub trait TaskStore: Send + Sync + 'static {
    /// Makes a task that is gone after `ttl`, whatever happens to it. [`TaskWritten::Conflict`] if there is a task of this
    /// id: ids are random, so that it is this one, made by an attempt whose answer was lost.
    ///
    /// # Errors
    /// [`StoreError::Full`] and [`StoreError::TooLarge`]: nothing was written. [`StoreError::Unavailable`]: what became of
    /// it is unknown.
    ///
    /// # Cancellation
    /// Dropping the future leaves open whether the task is made.
    fn create(&self, id: TaskId, owner: Owner, record: Bytes, ttl: Duration) -> StoreFuture<'_, TaskWritten>;

    /// The task of this id; `None` if there is none, or its time has passed.
    ///
    /// # Errors
    /// [`StoreError`], to the caller.
    fn load(&self, id: TaskId) -> StoreFuture<'_, Option<StoredTask>>;

    /// Replaces the record if it has the revision expected; the new one's is one more. Its time stays.
    ///
    /// # Errors
    /// As for [`create`](Self::create).
    ///
    /// # Cancellation
    /// Dropping the future leaves open whether the record is replaced.
    fn update(&self, id: TaskId, expected: Revision, record: Bytes) -> StoreFuture<'_, TaskWritten>;

    /// The tasks of an owner, in the order in which they were made, after `after` (0 for all), at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`], to the caller.
    fn list(&self, owner: Owner, after: TaskOrder, limit: usize) -> StoreFuture<'_, Vec<StoredTask>>;

    /// Removes a task; `false` if there was none.
    ///
    /// # Errors
    /// [`StoreError`], to the caller.
    fn remove(&self, id: TaskId) -> StoreFuture<'_, bool>;

    /// How many tasks an owner has. Two that ask at once may both be told the same and both make one more.
    ///
    /// # Errors
    /// [`StoreError`], to the caller.
    fn count(&self, owner: Owner) -> StoreFuture<'_, usize>;

    /// Waits until the task has a later revision than this one, or is gone. It may end too early, and late or never for
    /// what another process did and for a time that passed: load afterwards, and wait with a limit.
    ///
    /// # Errors
    /// [`StoreError`], to the caller.
    fn changed(&self, id: TaskId, revision: Revision) -> StoreFuture<'_, ()>;

    /// Whether this process alone uses the store, so that a task which it does not run is run by nobody. Where others may,
    /// whoever runs a task writes to it now and then, and a task without such a sign of life for a minute has failed.
    fn exclusive(&self) -> bool {
        false
    }

    /// Drops tasks whose time has passed; gives the number dropped. Called now and then by the server; a store whose
    /// engine expires by itself has nothing to do.
    ///
    /// # Errors
    /// [`StoreError`], to the log.
    fn sweep(&self) -> StoreFuture<'_, usize> {
        StoreFuture::ready(Ok(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = TaskId(*b"\x00\xffsixteen bytes!");
        let text = id.to_string();
        assert_eq!(text.len(), 22);
        assert_eq!(TaskId::parse(&text), Some(id));
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let (front, last) = text.split_at(21);
        for other in letters.chars().filter(|other| !last.contains(*other)) {
            let other = TaskId::parse(&format!("{front}{other}"));
            assert!(other.is_none_or(|other| other != id), "{other:?}");
        }
        for wrong in ["", "A", &text[1..], &format!("{text}A"), &format!("{text}=="), &format!("{front}+"), "ü"] {
            assert_eq!(TaskId::parse(wrong), None, "{wrong}");
        }
        assert!(!format!("{id:?}").contains(&text[..10]));
    }
}
