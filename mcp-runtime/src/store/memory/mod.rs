//! The store inside the process.
//!
//! Takes: typed values as they are. Gives: the same values. Knows: its bounds and the clock. Must not know: what the
//! values are.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    fmt, mem,
    ops::Bound,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use self::hash::ByItsEnd;
pub use self::{bus::MemoryBus, events::MemoryEventLog, tasks::MemoryTaskStore};
use super::{
    Blob, Commit, Committed, Loaded, Operation, Owner, Presence, Revision, SessionKey, StateStore, StoreError,
    StoreFuture, StoreIdentity, state::OPERATIONS_KEPT,
};

mod bus;
mod events;
mod hash;
mod tasks;
#[cfg(test)]
mod tests;

/// How many locks the sessions are spread over.
const SHARDS: usize = 64;

/// How often a full store looks for expired sessions before it refuses new state.
const FULL_SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Keeps sessions in memory, bounded; they are gone with the process.
///
/// When it is full, new state is refused with [`StoreError::Full`]; live state is never evicted. Nothing is encoded:
/// what a tool left is what the next one finds.
///
/// # Source
/// Our choice: state that vanished under load would look like a fresh session to the tools.
pub struct MemoryStore {
    identity: Option<StoreIdentity>,
    shards: Box<[Mutex<Shard>]>,
    usage: Usage,
    swept: Mutex<Option<Instant>>,
}

/// What is in use, and how much may be.
struct Usage {
    bytes: Bounded,
    sessions: Bounded,
}

struct Bounded {
    used: AtomicUsize,
    limit: usize,
}

#[derive(Default)]
struct Shard {
    records: HashMap<SessionKey, Record, ByItsEnd>,
    /// The live records, for listing.
    owners: BTreeSet<(Owner, SessionKey)>,
}

struct Record {
    expires: Instant,
    /// `None` for a tombstone.
    live: Option<Box<Live>>,
}

struct Live {
    owner: Owner,
    parts: Vec<Part>,
    /// The last commits; the oldest is at `oldest` once all places are taken.
    operations: Vec<Operation>,
    oldest: usize,
}

struct Part {
    key: &'static str,
    revision: Revision,
    bytes: usize,
    value: Blob,
}

impl MemoryStore {
    /// An empty store of at most 256 MiB and 1,000,000 sessions.
    #[must_use]
    pub fn new() -> Self {
        let mut identity = [0; 16];
        let filled = aws_lc_rs::rand::fill(&mut identity).is_ok();
        Self {
            identity: filled.then_some(StoreIdentity(identity)),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            usage: Usage {
                bytes: Bounded { used: AtomicUsize::new(0), limit: 256 << 20 },
                sessions: Bounded { used: AtomicUsize::new(0), limit: 1_000_000 },
            },
            swept: Mutex::new(None),
        }
    }

    /// Takes at most this many bytes, counted as the encoded size of the values. What the store needs besides, about
    /// half a KiB for each session, is bounded by [`with_max_sessions`](Self::with_max_sessions).
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.usage.bytes.limit = bytes;
        self
    }

    /// Takes at most this many sessions; tombstones of removed ones count until their time has passed.
    #[must_use]
    pub fn with_max_sessions(mut self, sessions: usize) -> Self {
        self.usage.sessions.limit = sessions;
        self
    }

    fn shard(&self, session: SessionKey) -> Option<MutexGuard<'_, Shard>> {
        // The last byte of a key is random.
        let [.., last] = session.0;
        self.shards.get(usize::from(last) % SHARDS).map(lock)
    }

    fn load_now(&self, session: SessionKey, keys: &[&'static str], idle: Duration) -> Loaded {
        let now = Instant::now();
        let absent = |presence| Loaded { presence, parts: vec![None; keys.len()] };
        let Some(mut shard) = self.shard(session) else { return absent(Presence::Absent) };
        let Some(record) = shard.records.get_mut(&session).filter(|record| now < record.expires) else {
            return absent(Presence::Absent);
        };
        let Some(live) = &record.live else { return absent(Presence::Gone) };
        if !idle.is_zero() {
            record.expires = after(now, idle);
        }
        let found = |key: &&'static str| live.part(key).map(|part| (part.value.clone(), part.revision));
        Loaded { presence: Presence::Live, parts: keys.iter().map(found).collect() }
    }

    /// The values that are replaced end up in `commit`, to be dropped outside the lock: that may run code of the user's.
    fn commit_now(&self, session: SessionKey, commit: &mut Commit) -> Result<Committed, StoreError> {
        let now = Instant::now();
        let Some(mut shard) = self.shard(session) else { return Ok(Committed::Conflict) };
        if let Some(record) = shard.records.get_mut(&session).filter(|record| now < record.expires) {
            let Some(live) = &mut record.live else { return Ok(Committed::Gone) };
            let committed = live.commit(commit, &self.usage)?;
            if committed == Committed::Saved {
                record.expires = after(now, commit.idle);
            }
            return Ok(committed);
        }
        let stale = shard.drop_expired(session, now, &self.usage);
        let created = shard.create(session, now, commit, &self.usage);
        drop(shard);
        drop(stale);
        created
    }

    fn touch_now(&self, session: SessionKey, idle: Duration) -> Presence {
        let now = Instant::now();
        let Some(mut shard) = self.shard(session) else { return Presence::Absent };
        match shard.records.get_mut(&session).filter(|record| now < record.expires) {
            None => Presence::Absent,
            Some(Record { live: None, .. }) => Presence::Gone,
            Some(record) => {
                record.expires = after(now, idle);
                Presence::Live
            }
        }
    }

    fn remove_now(&self, session: SessionKey, tombstone: Duration) -> Result<(), StoreError> {
        let now = Instant::now();
        let expires = after(now, tombstone);
        let Some(mut shard) = self.shard(session) else { return Ok(()) };
        let stale = shard.drop_expired(session, now, &self.usage);
        let inner = &mut *shard;
        let removed = match inner.records.entry(session) {
            Entry::Occupied(entry) => {
                let record = entry.into_mut();
                record.expires = if record.live.is_none() { record.expires.max(expires) } else { expires };
                let live = record.live.take();
                if let Some(live) = &live {
                    inner.owners.remove(&(live.owner, session));
                    self.usage.bytes.give_back(live.bytes());
                }
                Ok(live)
            }
            Entry::Vacant(_) if !self.usage.sessions.take(1) => Err(StoreError::Full),
            Entry::Vacant(entry) => {
                entry.insert(Record { expires, live: None });
                Ok(None)
            }
        };
        drop(shard);
        drop(stale);
        removed.map(drop)
    }

    /// Runs what may find the store full; if it does, once more without the sessions whose time has passed.
    fn make_room<T>(&self, mut run: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let first = run();
        if !matches!(first, Err(StoreError::Full)) {
            return first;
        }
        {
            let now = Instant::now();
            let mut swept = lock(&self.swept);
            if swept.is_some_and(|swept| now.duration_since(swept) < FULL_SWEEP_INTERVAL) {
                return first;
            }
            *swept = Some(now);
        }
        self.shards.iter().for_each(|shard| {
            self.sweep_shard(shard);
        });
        run()
    }

    fn sweep_shard(&self, shard: &Mutex<Shard>) -> usize {
        let now = Instant::now();
        let mut shard = lock(shard);
        let expired: Vec<_> =
            shard.records.iter().filter(|(_, record)| record.expires <= now).map(|(session, _)| *session).collect();
        let dropped: Vec<_> =
            expired.into_iter().filter_map(|session| shard.drop_expired(session, now, &self.usage)).collect();
        drop(shard);
        dropped.len()
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MemoryStore")
            .field("bytes", &self.usage.bytes.used)
            .field("sessions", &self.usage.sessions.used)
            .finish_non_exhaustive()
    }
}

impl Bounded {
    fn take(&self, amount: usize) -> bool {
        let taken = |used: usize| used.checked_add(amount).filter(|used| *used <= self.limit);
        amount == 0 || self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok()
    }

    fn give_back(&self, amount: usize) {
        self.used.fetch_sub(amount, Ordering::Relaxed);
    }
}

impl Shard {
    /// Takes out the record of this session if its time has passed; it is to be dropped outside the lock.
    fn drop_expired(&mut self, session: SessionKey, now: Instant, usage: &Usage) -> Option<Record> {
        if now < self.records.get(&session)?.expires {
            return None;
        }
        let record = self.records.remove(&session)?;
        usage.sessions.give_back(1);
        if let Some(live) = &record.live {
            self.owners.remove(&(live.owner, session));
            usage.bytes.give_back(live.bytes());
        }
        Some(record)
    }

    /// Makes the record of a session that has none.
    fn create(
        &mut self,
        session: SessionKey,
        now: Instant,
        commit: &mut Commit,
        usage: &Usage,
    ) -> Result<Committed, StoreError> {
        if commit.writes.iter().any(|write| write.expected != 0) {
            return Ok(Committed::Conflict);
        }
        if !usage.sessions.take(1) {
            return Err(StoreError::Full);
        }
        let mut live = Live::new(commit.owner);
        let committed = live.commit(commit, usage);
        if committed.is_ok() {
            self.owners.insert((commit.owner, session));
            self.records.insert(session, Record { expires: after(now, commit.idle), live: Some(live) });
        } else {
            usage.sessions.give_back(1);
        }
        committed
    }
}

impl Live {
    fn new(owner: Owner) -> Box<Self> {
        Box::new(Self { owner, parts: Vec::new(), operations: Vec::new(), oldest: 0 })
    }

    fn part(&self, key: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.key == key)
    }

    fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.bytes).sum()
    }

    fn commit(&mut self, commit: &mut Commit, usage: &Usage) -> Result<Committed, StoreError> {
        if self.operations.contains(&commit.operation) {
            return Ok(Committed::Duplicate);
        }
        let (mut old, mut new) = (0, 0);
        for write in &commit.writes {
            let part = self.part(write.key);
            if part.map_or(0, |part| part.revision) != write.expected {
                return Ok(Committed::Conflict);
            }
            old += part.map_or(0, |part| part.bytes);
            new += write.value.len();
        }
        if !usage.bytes.take(new.saturating_sub(old)) {
            return Err(StoreError::Full);
        }
        usage.bytes.give_back(old.saturating_sub(new));
        for write in &mut commit.writes {
            let bytes = write.value.len();
            match self.parts.iter_mut().find(|part| part.key == write.key) {
                Some(part) => {
                    part.revision += 1;
                    part.bytes = bytes;
                    mem::swap(&mut part.value, &mut write.value);
                }
                None => {
                    self.parts.push(Part { key: write.key, revision: 1, bytes, value: write.value.clone() });
                }
            }
        }
        if self.operations.len() < OPERATIONS_KEPT {
            self.operations.push(commit.operation);
        } else if let Some(oldest) = self.operations.get_mut(self.oldest) {
            *oldest = commit.operation;
            self.oldest = (self.oldest + 1) % OPERATIONS_KEPT;
        }
        Ok(Committed::Saved)
    }
}

/// The moment that is this much later; a duration beyond any clock is thirty years.
fn after(now: Instant, duration: Duration) -> Instant {
    let far = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    now.checked_add(duration.min(far)).unwrap_or(now)
}

/// A panic of the user's code never happens under a lock; if it did, the data would still be whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StateStore for MemoryStore {
    fn identity(&self) -> StoreFuture<'_, StoreIdentity> {
        let identity = self.identity.ok_or_else(|| StoreError::Unavailable("the system gives no random bytes".into()));
        StoreFuture::ready(identity)
    }

    fn durable(&self) -> bool {
        false
    }

    fn load<'a>(&'a self, session: SessionKey, keys: &'a [&'static str], idle: Duration) -> StoreFuture<'a, Loaded> {
        StoreFuture::ready(Ok(self.load_now(session, keys, idle)))
    }

    fn commit(&self, session: SessionKey, mut commit: Commit) -> StoreFuture<'_, Committed> {
        StoreFuture::ready(self.make_room(|| self.commit_now(session, &mut commit)))
    }

    fn touch(&self, session: SessionKey, idle: Duration) -> StoreFuture<'_, Presence> {
        StoreFuture::ready(Ok(self.touch_now(session, idle)))
    }

    fn remove(&self, session: SessionKey, tombstone: Duration) -> StoreFuture<'_, ()> {
        StoreFuture::ready(self.make_room(|| self.remove_now(session, tombstone)))
    }

    fn list(&self, owner: Owner, after: Option<SessionKey>, limit: usize) -> StoreFuture<'_, Vec<SessionKey>> {
        let now = Instant::now();
        let from = after.map_or(Bound::Included((owner, SessionKey([0; 17]))), |after| Bound::Excluded((owner, after)));
        let to = Bound::Included((owner, SessionKey([u8::MAX; 17])));
        let mut found = Vec::new();
        for shard in &self.shards {
            let shard = lock(shard);
            let is_live = |session: &SessionKey| shard.records.get(session).is_some_and(|record| now < record.expires);
            let live = shard.owners.range((from, to)).map(|(_, session)| *session).filter(is_live);
            found.extend(live.take(limit));
        }
        found.sort_unstable();
        found.truncate(limit);
        StoreFuture::ready(Ok(found))
    }

    fn sweep(&self) -> StoreFuture<'_, usize> {
        StoreFuture::new(async {
            let mut dropped = 0;
            for shard in &self.shards {
                dropped += self.sweep_shard(shard);
                // One shard at a time, so that a large store does not hold up the calls.
                tokio::task::yield_now().await;
            }
            Ok(dropped)
        })
    }
}
