//! Session state in a folder: a file for each session, replaced as a whole.
//!
//! Takes: values as bytes. Gives: the same bytes, also after a crash. Knows: files, the wall clock. Must not know: what the
//! values are.

// ANCHOR: record
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use mcp_runtime::store::{
    Blob, Commit, Committed, Loaded, Operation, Owner, Presence, Revision, SessionKey, StateStore, StoreError,
    StoreFuture, StoreIdentity,
};
use serde::{Deserialize, Serialize};

/// What the file of a session holds. When the record ends is the time of the file, so that renewing it writes no content.
#[derive(Serialize, Deserialize)]
struct Record {
    owner: [u8; 16],
    /// Each part's revision and value; `None` for a tombstone.
    parts: Option<BTreeMap<String, (Revision, Vec<u8>)>>,
    /// The last sixteen commits, the newest at the end.
    operations: Vec<[u8; 16]>,
}

/// Keeps sessions in a folder, which one process at a time may use.
#[derive(Clone)]
pub struct FolderStore(Arc<Folder>);

struct Folder {
    path: PathBuf,
    identity: StoreIdentity,
    /// Whoever writes holds it from reading to writing; so does whoever reads, because reading renews a lifetime.
    turn: Mutex<()>,
    /// Locked as long as this process has the folder.
    _owned: File,
}
// ANCHOR_END: record

// ANCHOR: files
impl FolderStore {
    /// Opens the folder at this path, or makes it.
    ///
    /// # Errors
    /// If it can't be made or read, or another process has it.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_owned();
        fs::create_dir_all(&path)?;
        let owned = File::options().create(true).append(true).open(path.join("lock"))?;
        owned.try_lock()?;
        let identity = path.join("identity");
        if !identity.exists() {
            let mut random = [0; 16];
            io::Read::read_exact(&mut File::open("/dev/urandom")?, &mut random)?;
            replace(&identity, &random, SystemTime::now())?;
        }
        let identity = fs::read(identity)?.try_into().map_err(|_| io::Error::other("this is no folder of sessions"))?;
        Ok(Self(Arc::new(Folder { path, identity: StoreIdentity(identity), turn: Mutex::default(), _owned: owned })))
    }

    /// Runs what may block where that is allowed. It goes on when nobody waits for it any more.
    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> io::Result<T> + Send + 'static,
    ) -> StoreFuture<'static, T> {
        let folder = Arc::clone(&self.0);
        StoreFuture::new(async move {
            let ran = tokio::task::spawn_blocking(move || work(&folder)).await;
            ran.map_err(io::Error::other).flatten().map_err(|error| match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
                _ => StoreError::Unavailable(error.into()),
            })
        })
    }
}

/// Puts these bytes at this path, as a whole or not at all, also if the machine fails.
fn replace(path: &Path, bytes: &[u8], time: SystemTime) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.set_modified(time)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

impl Folder {
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, session: SessionKey) -> PathBuf {
        // Hexadecimal, so that the order of names is that of keys.
        self.path.join(session.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }

    /// The record of this session and when it ends, if that is still to come.
    fn read(&self, session: SessionKey) -> io::Result<Option<(Record, SystemTime)>> {
        let file = match File::open(self.file(session)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let ends = file.metadata()?.modified()?;
        if ends <= SystemTime::now() {
            return Ok(None);
        }
        Ok(Some((serde_json::from_reader(io::BufReader::new(file))?, ends)))
    }

    fn write(&self, session: SessionKey, record: &Record, ends: SystemTime) -> io::Result<()> {
        replace(&self.file(session), &serde_json::to_vec(record)?, ends)
    }
}

/// That much later; beyond any clock is thirty years.
fn after(lifetime: Duration) -> SystemTime {
    SystemTime::now() + lifetime.min(Duration::from_secs(30 * 365 * 24 * 60 * 60))
}
// ANCHOR_END: files

// ANCHOR: load
impl Folder {
    fn load(&self, session: SessionKey, keys: &[&str], idle: Duration) -> io::Result<Loaded> {
        let _turn = self.turn();
        let nothing = |presence| Loaded { presence, parts: vec![None; keys.len()] };
        let Some((record, _)) = self.read(session)? else { return Ok(nothing(Presence::Absent)) };
        let Some(parts) = record.parts else { return Ok(nothing(Presence::Gone)) };
        // A look with no lifetime changes nothing.
        if !idle.is_zero() {
            File::open(self.file(session))?.set_modified(after(idle))?;
        }
        let found = |key: &&str| parts.get(*key).map(|(revision, value)| (Blob::from_bytes(value.clone()), *revision));
        Ok(Loaded { presence: Presence::Live, parts: keys.iter().map(found).collect() })
    }
}
// ANCHOR_END: load

// ANCHOR: commit
impl Folder {
    fn commit(&self, session: SessionKey, commit: &Commit) -> io::Result<Committed> {
        let _turn = self.turn();
        // A record whose time has passed is none, and neither are its parts.
        let fresh = || Record { owner: commit.owner.0, parts: Some(BTreeMap::new()), operations: Vec::new() };
        let mut record = self.read(session)?.map_or_else(fresh, |(record, _)| record);
        let Some(parts) = &mut record.parts else { return Ok(Committed::Gone) };
        let Operation(operation) = commit.operation;
        if record.operations.contains(&operation) {
            return Ok(Committed::Duplicate);
        }
        let revision = |key: &str| parts.get(key).map_or(0, |(revision, _)| *revision);
        if commit.writes.iter().any(|write| revision(write.key) != write.expected) {
            return Ok(Committed::Conflict);
        }
        for write in &commit.writes {
            parts.insert(write.key.to_owned(), (write.expected + 1, write.value.bytes()));
        }
        record.operations.push(operation);
        let known = record.operations.len().saturating_sub(16);
        record.operations.drain(..known);
        self.write(session, &record, after(commit.idle))?;
        Ok(Committed::Saved)
    }
}
// ANCHOR_END: commit

// ANCHOR: remove
impl Folder {
    fn remove(&self, session: SessionKey, tombstone: Duration) -> io::Result<()> {
        let _turn = self.turn();
        let stands = self.read(session)?.filter(|(record, _)| record.parts.is_none()).map(|(_, ends)| ends);
        if tombstone.is_zero() && stands.is_none() {
            return gone(fs::remove_file(self.file(session)));
        }
        let record = Record { owner: [0; 16], parts: None, operations: Vec::new() };
        self.write(session, &record, after(tombstone).max(stands.unwrap_or(SystemTime::UNIX_EPOCH)))
    }

    fn list(&self, owner: Owner, after: Option<SessionKey>, limit: usize) -> io::Result<Vec<SessionKey>> {
        let _turn = self.turn();
        let mut live = Vec::new();
        for session in self.sessions()? {
            let record = self.read(session)?.map(|(record, _)| record);
            if record.is_some_and(|record| record.parts.is_some() && record.owner == owner.0) {
                live.push(session);
            }
        }
        live.sort_unstable();
        Ok(live.into_iter().filter(|session| after.is_none_or(|after| *session > after)).take(limit).collect())
    }

    fn sweep(&self) -> io::Result<usize> {
        let mut dropped = 0;
        for session in self.sessions()? {
            // One at a time, so that calls need not wait for all of them.
            let _turn = self.turn();
            if self.read(session)?.is_none() {
                gone(fs::remove_file(self.file(session)))?;
                dropped += 1;
            }
        }
        Ok(dropped)
    }

    /// The keys of all that there are files of.
    fn sessions(&self) -> io::Result<Vec<SessionKey>> {
        let names = fs::read_dir(&self.path)?.map(|entry| entry.map(|entry| entry.file_name()));
        Ok(names.collect::<io::Result<Vec<_>>>()?.iter().filter_map(|name| key_of(name.to_str()?)).collect())
    }
}

fn key_of(name: &str) -> Option<SessionKey> {
    let digits = (0..name.len()).step_by(2).map(|at| u8::from_str_radix(name.get(at..at + 2)?, 16).ok());
    digits.collect::<Option<Vec<_>>>()?.try_into().ok().map(SessionKey)
}

/// What is not there need not be removed.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
// ANCHOR_END: remove

// ANCHOR: trait
impl StateStore for FolderStore {
    fn identity(&self) -> StoreFuture<'_, StoreIdentity> {
        StoreFuture::ready(Ok(self.0.identity))
    }

    fn durable(&self) -> bool {
        true
    }

    fn load<'a>(&'a self, session: SessionKey, keys: &'a [&'static str], idle: Duration) -> StoreFuture<'a, Loaded> {
        let keys = keys.to_vec();
        self.run(move |folder| folder.load(session, &keys, idle))
    }

    fn commit(&self, session: SessionKey, commit: Commit) -> StoreFuture<'_, Committed> {
        self.run(move |folder| folder.commit(session, &commit))
    }

    fn touch(&self, session: SessionKey, idle: Duration) -> StoreFuture<'_, Presence> {
        self.run(move |folder| Ok(folder.load(session, &[], idle)?.presence))
    }

    fn remove(&self, session: SessionKey, tombstone: Duration) -> StoreFuture<'_, ()> {
        self.run(move |folder| folder.remove(session, tombstone))
    }

    fn list(&self, owner: Owner, after: Option<SessionKey>, limit: usize) -> StoreFuture<'_, Vec<SessionKey>> {
        self.run(move |folder| folder.list(owner, after, limit))
    }

    fn sweep(&self) -> StoreFuture<'_, usize> {
        self.run(Folder::sweep)
    }
}
// ANCHOR_END: trait
