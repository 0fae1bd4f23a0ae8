//! What an operator may say of tasks.

use std::{fmt, sync::Arc, time::Duration};

use crate::store::{MemoryTaskStore, TaskStore};

/// A task is kept for this long where its client does not say.
///
/// Source: our choice: a client that comes back within the hour finds its result.
const TTL: Duration = Duration::from_secs(3600);
/// No task is kept for longer than this.
///
/// Source: our choice, because 2025-11-25 basic/utilities/tasks §Resource Management wants a limit.
const LONGEST_TTL: Duration = Duration::from_secs(24 * 3600);
/// Clients are asked to look this often.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// A caller has at most so many tasks under way.
const UNDER_WAY: usize = 32;
/// A caller's tasks that are kept, under way or not, are at most so many.
const KEPT: usize = 1024;

/// How a server runs the calls that become tasks (`#[tool(task)]`): where they are kept, and how many for how long.
///
/// By default in memory, for an hour, for at most 24 hours where the client asks for it, 32 under way for each caller.
///
/// ```
/// use std::time::Duration;
/// use mcp_runtime::Tasks;
///
/// let tasks = Tasks::new().ttl(Duration::from_secs(600)).under_way(4);
/// ```
#[derive(Clone)]
#[must_use = "it is for `Server::tasks`"]
pub struct Tasks {
    pub(super) store: Arc<dyn TaskStore>,
    pub(super) ttl: Duration,
    pub(super) longest_ttl: Duration,
    pub(super) poll_interval: Duration,
    pub(super) under_way: usize,
    pub(super) kept: usize,
}

impl Default for Tasks {
    fn default() -> Self {
        Self {
            store: Arc::new(MemoryTaskStore::new()),
            ttl: TTL,
            longest_ttl: LONGEST_TTL,
            poll_interval: POLL_INTERVAL,
            under_way: UNDER_WAY,
            kept: KEPT,
        }
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tasks")
            .field("ttl", &self.ttl)
            .field("longest_ttl", &self.longest_ttl)
            .field("poll_interval", &self.poll_interval)
            .field("under_way", &self.under_way)
            .finish_non_exhaustive()
    }
}

impl Tasks {
    /// What is usual.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where tasks are kept; by default in memory, gone with the process. What another process kept there is still known:
    /// the result of a task that ended, and of one that ran when the process ended, that it failed.
    pub fn store(self, store: impl TaskStore) -> Self {
        self.shared_store(Arc::new(store))
    }

    /// The same with a store that is used for more.
    pub(crate) fn shared_store(self, store: Arc<dyn TaskStore>) -> Self {
        Self { store, ..self }
    }

    /// How long a task is kept, from when it was made, where its client does not say; an hour by default. A task that
    /// still runs then is cut off.
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl: ttl.max(Duration::from_millis(1)), ..self }
    }

    /// How long a task is kept at most, whatever its client asks for; 24 hours by default.
    pub fn longest_ttl(self, longest_ttl: Duration) -> Self {
        Self { longest_ttl: longest_ttl.max(Duration::from_millis(1)), ..self }
    }

    /// How often clients are asked to look; a second by default.
    pub fn poll_interval(self, poll_interval: Duration) -> Self {
        Self { poll_interval: poll_interval.max(Duration::from_millis(1)), ..self }
    }

    /// How many tasks of one caller run at the same time, by default 32; one more is refused with -32603. A caller is a
    /// principal, or else a session; requests with neither are one caller together, with 16 times as many.
    pub fn under_way(self, tasks: usize) -> Self {
        Self { under_way: tasks.max(1), ..self }
    }
}
