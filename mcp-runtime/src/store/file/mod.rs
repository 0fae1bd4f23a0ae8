//! The embedded store that survives a restart.
//!
//! Takes: values as bytes. Gives: the same bytes, also after a crash. Knows: one file, the wall clock. Must not know:
//! what the values are.

mod events;
mod tables;
mod tasks;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    fmt,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use redb::{Database, DatabaseError};

use self::{
    tables::{Expiry, RecordState, Snapshot},
    writer::Writer,
};
use super::{
    Commit, Committed, EventLimits, Loaded, Owner, Presence, SessionKey, StateStore, StoreError, StoreFuture,
    StoreIdentity, TaskId, TaskLimits, doorbell::Doorbells,
};

/// How long a part's key may be, in bytes.
const MAX_KEY: usize = 128;

/// How much of the file is kept in memory.
const CACHE_BYTES: usize = 64 << 20;

/// Keeps sessions, events of streams and tasks in one file, which one process at a time may use.
///
/// A commit has reached the disk when its future is ready; commits that come while another is being written share the
/// next write. The idle lifetime goes by the wall clock, so that it goes on while the process is down, and a read renews
/// it only once a tenth of it has passed, so that reads need not write.
///
/// # Source
/// Our choice: the default for one instance; several share Redis or PostgreSQL.
pub struct FileStore {
    database: Arc<Database>,
    identity: StoreIdentity,
    writer: Writer,
    event_limits: EventLimits,
    event_bells: Arc<Doorbells<events::StreamKey>>,
    task_limits: TaskLimits,
    task_bells: Arc<Doorbells<TaskId>>,
}

impl FileStore {
    /// Opens the file at this path, or makes it. Blocks for as long as the disk takes; after a crash the file is checked.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], to the operator, if the file is in use by another process, is no store, is damaged
    /// or can't be read or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let refused = |why: &str, source: Option<BoxError>| {
            let message = format!("can't open the session file {}: {why}", path.display());
            StoreError::Unavailable(Box::new(OpenError { message, source }))
        };
        let database = match catch(|| Database::builder().set_cache_size(CACHE_BYTES).create(path)) {
            Ok(Ok(database)) => database,
            Ok(Err(DatabaseError::DatabaseAlreadyOpen)) => {
                return Err(refused(
                    "it is in use by another process; give each process a file of its own, \
                     or share sessions through Redis or PostgreSQL",
                    None,
                ));
            }
            Ok(Err(error)) => return Err(refused(UNUSABLE, Some(error.into()))),
            Err(Panicked) => return Err(refused(UNUSABLE, None)),
        };
        let database = Arc::new(database);
        let identity = match catch(|| tables::prepare(&database)) {
            Ok(Ok(identity)) => identity,
            Ok(Err(error)) => return Err(refused(UNUSABLE, Some(error))),
            Err(Panicked) => return Err(refused(UNUSABLE, None)),
        };
        let writer = Writer::start(database.clone()).map_err(|error| refused(UNUSABLE, Some(error.into())))?;
        Ok(Self {
            database,
            identity,
            writer,
            event_limits: EventLimits::default(),
            event_bells: Arc::default(),
            task_limits: TaskLimits::default(),
            task_bells: Arc::default(),
        })
    }

    /// Keeps this much of streams.
    #[must_use]
    pub fn with_event_limits(mut self, limits: EventLimits) -> Self {
        self.event_limits = limits;
        self
    }

    /// Takes this many tasks, of this size.
    #[must_use]
    pub fn with_task_limits(mut self, limits: TaskLimits) -> Self {
        self.task_limits = limits;
        self
    }

    /// Runs a read where it may block.
    fn look<T: Send + 'static, F>(&self, look: F) -> impl Future<Output = Result<T, StoreError>> + use<T, F>
    where
        F: FnOnce(&Database) -> Result<T, redb::Error> + Send + 'static,
    {
        let database = self.database.clone();
        async move { tokio::task::spawn_blocking(move || look(&database)).await.map_err(unavailable)?.map_err(unavailable) }
    }

    /// Renews the idle lifetime of a session.
    fn renew(&self, session: SessionKey, idle: Duration) -> impl Future<Output = Result<Presence, StoreError>> + use<> {
        self.writer.send(move |tables| tables.sessions()?.touch(session, idle, now()))
    }

    /// Reads the tables of sessions at one moment.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Snapshot) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.look(move |database| Snapshot::of(database).and_then(|snapshot| read(&snapshot))).await
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const UNUSABLE: &str = "it can't be read or written, is damaged, or is no session file; \
                        restore it from a backup, or name another file";

fn unavailable(error: impl Into<BoxError>) -> StoreError {
    StoreError::Unavailable(error.into())
}

/// A damaged file may break what the engine takes for granted.
struct Panicked;

fn catch<T>(open: impl FnOnce() -> T) -> Result<T, Panicked> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(open)).map_err(|_| Panicked)
}

#[derive(Debug)]
struct OpenError {
    message: String,
    source: Option<BoxError>,
}

impl fmt::Display for OpenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FileStore").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// Milliseconds since 1970.
fn now() -> u64 {
    milliseconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl StateStore for FileStore {
    fn identity(&self) -> StoreFuture<'_, StoreIdentity> {
        StoreFuture::ready(Ok(self.identity))
    }

    fn durable(&self) -> bool {
        true
    }

    fn load<'a>(&'a self, session: SessionKey, keys: &'a [&'static str], idle: Duration) -> StoreFuture<'a, Loaded> {
        StoreFuture::new(async move {
            let names = keys.to_vec();
            let (loaded, expires) = self.read(move |snapshot| snapshot.load(session, &names, now())).await?;
            if loaded.presence == Presence::Live && Expiry(expires).is_due(now(), idle) {
                // Nobody waits for it: should it fail, the next read tries again.
                drop(self.renew(session, idle));
            }
            Ok(loaded)
        })
    }

    fn commit(&self, session: SessionKey, commit: Commit) -> StoreFuture<'_, Committed> {
        StoreFuture::new(async move {
            if let Some(write) = commit.writes.iter().find(|write| write.key.len() > MAX_KEY) {
                return Err(StoreError::TooLarge { bytes: write.key.len(), limit: MAX_KEY });
            }
            // Encoded here and not in the writer, which all sessions share.
            let values: Vec<_> = commit.writes.iter().map(|write| write.value.bytes()).collect();
            self.writer.send(move |tables| tables.sessions()?.commit(session, &commit, &values, now())).await
        })
    }

    fn touch(&self, session: SessionKey, idle: Duration) -> StoreFuture<'_, Presence> {
        StoreFuture::new(async move {
            match self.read(move |snapshot| snapshot.state(session, now())).await? {
                RecordState::Absent => Ok(Presence::Absent),
                RecordState::Gone => Ok(Presence::Gone),
                RecordState::Live { expires } if !Expiry(expires).is_due(now(), idle) => Ok(Presence::Live),
                RecordState::Live { .. } => self.renew(session, idle).await,
            }
        })
    }

    fn remove(&self, session: SessionKey, tombstone: Duration) -> StoreFuture<'_, ()> {
        StoreFuture::new(self.writer.send(move |tables| tables.sessions()?.remove(session, tombstone, now())))
    }

    fn list(&self, owner: Owner, after: Option<SessionKey>, limit: usize) -> StoreFuture<'_, Vec<SessionKey>> {
        StoreFuture::new(self.read(move |snapshot| snapshot.list(owner, after, limit, now())))
    }

    fn sweep(&self) -> StoreFuture<'_, usize> {
        StoreFuture::new(async move {
            let mut dropped = 0;
            let mut after = None;
            loop {
                // Some at a time, so that commits get their turn in between.
                let (expired, last) = self.read(move |snapshot| snapshot.expired(after, now())).await?;
                if !expired.is_empty() {
                    dropped += self.writer.send(move |tables| tables.sessions()?.drop_expired(&expired, now())).await?;
                }
                let Some(last) = last else { return Ok(dropped) };
                after = Some(last);
            }
        })
    }
}
