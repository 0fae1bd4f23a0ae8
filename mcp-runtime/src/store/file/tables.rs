//! What is in the file about sessions: four tables, and what they mean.

use std::time::Duration;

use redb::{
    Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable, Table, TableDefinition, WriteTransaction,
};

use super::{BoxError, events::Streams, milliseconds, tasks::Tasks};
use crate::store::{
    Blob, Commit, Committed, Loaded, Operation, Owner, Presence, Revision, SessionKey, StoreIdentity,
    state::OPERATIONS_KEPT,
};

/// Facts about the file: its format, and the store's identity.
const FACTS: TableDefinition<&str, &[u8]> = TableDefinition::new("facts");
/// When a session expires, whether it lives or is a tombstone, its owner, and its last operations one after another.
type Record = (u64, bool, &'static [u8; 16], &'static [u8]);
/// Session → record.
const RECORDS: TableDefinition<&[u8; 17], Record> = TableDefinition::new("records");
/// Session and key, one after the other → revision and value.
const PARTS: TableDefinition<&[u8], (u64, &[u8])> = TableDefinition::new("parts");
/// The live sessions of each owner.
const OWNERS: TableDefinition<(&[u8; 16], &[u8; 17]), ()> = TableDefinition::new("owners");

const FORMAT: &[u8] = b"1";

/// How many records are looked at before a sweep takes a breath.
const SWEEP_STEP: usize = 4096;

/// Makes the tables where they are missing; gives the store's identity.
pub(super) fn prepare(database: &Database) -> Result<StoreIdentity, BoxError> {
    let transaction = database.begin_write()?;
    let identity = {
        let mut facts = transaction.open_table(FACTS)?;
        // Each room of the file makes its tables, also in a file that was made before there was such a room.
        Changes::of(&transaction)?;
        Streams::of(&transaction)?;
        Tasks::of(&transaction)?;
        let format = facts.get("format")?.map(|format| format.value().to_vec());
        match format {
            None => {
                let mut identity = [0; 16];
                aws_lc_rs::rand::fill(&mut identity).map_err(|_| "the system gives no random bytes")?;
                facts.insert("format", FORMAT)?;
                facts.insert("identity", identity.as_slice())?;
                identity
            }
            Some(format) if format == FORMAT => {
                let identity = facts.get("identity")?.ok_or("the file has no identity")?;
                identity.value().try_into().map_err(|_| "the identity in the file is damaged")?
            }
            Some(_) => return Err("the file was written by another version".into()),
        }
    };
    transaction.commit()?;
    Ok(StoreIdentity(identity))
}

/// When a record expires.
pub(super) struct Expiry(pub(super) u64);

impl Expiry {
    /// Whether renewing it now is worth a write.
    pub(super) fn is_due(&self, now: u64, idle: Duration) -> bool {
        let idle = milliseconds(idle);
        now.saturating_add(idle).saturating_sub(self.0) >= (idle / 10).max(1)
    }
}

/// What a record says.
pub(super) enum RecordState {
    /// There is none, or its time has passed.
    Absent,
    /// It lives.
    Live { expires: u64 },
    /// It is a tombstone.
    Gone,
}

/// The key of a part.
fn part_key(session: SessionKey, key: &str) -> Vec<u8> {
    [&session.0, key.as_bytes()].concat()
}

fn state_in(
    records: &impl ReadableTable<&'static [u8; 17], Record>,
    session: SessionKey,
    now: u64,
) -> Result<RecordState, redb::Error> {
    let Some(record) = records.get(&session.0)? else { return Ok(RecordState::Absent) };
    let (expires, lives, ..) = record.value();
    Ok(match lives {
        _ if expires <= now => RecordState::Absent,
        true => RecordState::Live { expires },
        false => RecordState::Gone,
    })
}

/// The tables at one moment, for reading.
pub(super) struct Snapshot {
    transaction: ReadTransaction,
    records: ReadOnlyTable<&'static [u8; 17], Record>,
}

impl Snapshot {
    pub(super) fn of(database: &Database) -> Result<Self, redb::Error> {
        let transaction = database.begin_read()?;
        let records = transaction.open_table(RECORDS)?;
        Ok(Self { transaction, records })
    }

    pub(super) fn state(&self, session: SessionKey, now: u64) -> Result<RecordState, redb::Error> {
        state_in(&self.records, session, now)
    }

    /// These parts, and when the record expires.
    pub(super) fn load(&self, session: SessionKey, keys: &[&str], now: u64) -> Result<(Loaded, u64), redb::Error> {
        let nothing = |presence| (Loaded { presence, parts: vec![None; keys.len()] }, 0);
        let expires = match self.state(session, now)? {
            RecordState::Absent => return Ok(nothing(Presence::Absent)),
            RecordState::Gone => return Ok(nothing(Presence::Gone)),
            RecordState::Live { expires } => expires,
        };
        let table = self.transaction.open_table(PARTS)?;
        let mut parts = Vec::with_capacity(keys.len());
        for key in keys {
            let part = table.get(part_key(session, key).as_slice())?;
            parts.push(part.map(|part| {
                let (revision, value) = part.value();
                (Blob::from_bytes(value.to_vec()), revision)
            }));
        }
        Ok((Loaded { presence: Presence::Live, parts }, expires))
    }

    pub(super) fn list(
        &self,
        owner: Owner,
        after: Option<SessionKey>,
        limit: usize,
        now: u64,
    ) -> Result<Vec<SessionKey>, redb::Error> {
        let table = self.transaction.open_table(OWNERS)?;
        let from = after.unwrap_or(SessionKey([0; 17]));
        let mut found = Vec::new();
        for entry in table.range((&owner.0, &from.0)..=(&owner.0, &[u8::MAX; 17]))? {
            let session = SessionKey(*entry?.0.value().1);
            if found.len() == limit {
                break;
            }
            if Some(session) != after && matches!(self.state(session, now)?, RecordState::Live { .. }) {
                found.push(session);
            }
        }
        Ok(found)
    }

    /// How many records, parts and owned sessions there are.
    #[cfg(test)]
    pub(super) fn counts(&self) -> Result<(u64, u64, u64), redb::Error> {
        use redb::ReadableTableMetadata;
        let (parts, owners) = (self.transaction.open_table(PARTS)?, self.transaction.open_table(OWNERS)?);
        Ok((self.records.len()?, parts.len()?, owners.len()?))
    }

    /// Sessions after `after` whose time has passed, and where to go on, if there is more.
    pub(super) fn expired(
        &self,
        after: Option<SessionKey>,
        now: u64,
    ) -> Result<(Vec<SessionKey>, Option<SessionKey>), redb::Error> {
        let from = after.unwrap_or(SessionKey([0; 17]));
        let mut expired = Vec::new();
        for (seen, entry) in self.records.range::<&[u8; 17]>(&from.0..)?.enumerate() {
            let (session, record) = entry?;
            let session = SessionKey(*session.value());
            if record.value().0 <= now {
                expired.push(session);
            }
            if seen == SWEEP_STEP {
                return Ok((expired, Some(session)));
            }
        }
        Ok((expired, None))
    }
}

/// The tables of one transaction, each room's opened when a change first asks for them.
pub(super) struct Tables<'a> {
    transaction: &'a WriteTransaction,
    sessions: Option<Changes<'a>>,
    streams: Option<Streams<'a>>,
    tasks: Option<Tasks<'a>>,
}

impl<'a> Tables<'a> {
    pub(super) fn of(transaction: &'a WriteTransaction) -> Self {
        Self { transaction, sessions: None, streams: None, tasks: None }
    }

    pub(super) fn sessions(&mut self) -> Result<&mut Changes<'a>, redb::Error> {
        match &mut self.sessions {
            Some(tables) => Ok(tables),
            empty => Ok(empty.insert(Changes::of(self.transaction)?)),
        }
    }

    pub(super) fn streams(&mut self) -> Result<&mut Streams<'a>, redb::Error> {
        match &mut self.streams {
            Some(tables) => Ok(tables),
            empty => Ok(empty.insert(Streams::of(self.transaction)?)),
        }
    }

    pub(super) fn tasks(&mut self) -> Result<&mut Tasks<'a>, redb::Error> {
        match &mut self.tasks {
            Some(tables) => Ok(tables),
            empty => Ok(empty.insert(Tasks::of(self.transaction)?)),
        }
    }
}

/// The tables of sessions within one transaction, for writing.
pub(super) struct Changes<'a> {
    records: Table<'a, &'static [u8; 17], Record>,
    parts: Table<'a, &'static [u8], (u64, &'static [u8])>,
    owners: Table<'a, (&'static [u8; 16], &'static [u8; 17]), ()>,
}

impl<'a> Changes<'a> {
    pub(super) fn of(transaction: &'a WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self {
            records: transaction.open_table(RECORDS)?,
            parts: transaction.open_table(PARTS)?,
            owners: transaction.open_table(OWNERS)?,
        })
    }

    pub(super) fn commit(
        &mut self,
        session: SessionKey,
        commit: &Commit,
        values: &[Vec<u8>],
        now: u64,
    ) -> Result<Committed, redb::Error> {
        let (owner, mut operations) = match state_in(&self.records, session, now)? {
            RecordState::Gone => return Ok(Committed::Gone),
            RecordState::Live { .. } => self.record(session)?.unwrap_or((commit.owner, Vec::new())),
            RecordState::Absent => {
                if commit.writes.iter().any(|write| write.expected != 0) {
                    return Ok(Committed::Conflict);
                }
                self.purge(session)?;
                self.owners.insert((&commit.owner.0, &session.0), ())?;
                (commit.owner, Vec::new())
            }
        };
        if operations.chunks_exact(16).any(|operation| operation == commit.operation.0) {
            return Ok(Committed::Duplicate);
        }
        let keys: Vec<_> = commit.writes.iter().map(|write| part_key(session, write.key)).collect();
        for (write, key) in commit.writes.iter().zip(&keys) {
            if self.revision(key)? != write.expected {
                return Ok(Committed::Conflict);
            }
        }
        for ((write, key), value) in commit.writes.iter().zip(&keys).zip(values) {
            self.parts.insert(key.as_slice(), (write.expected.saturating_add(1), value.as_slice()))?;
        }
        remember(&mut operations, commit.operation);
        let expires = now.saturating_add(milliseconds(commit.idle));
        self.records.insert(&session.0, (expires, true, &owner.0, operations.as_slice()))?;
        Ok(Committed::Saved)
    }

    pub(super) fn touch(&mut self, session: SessionKey, idle: Duration, now: u64) -> Result<Presence, redb::Error> {
        match state_in(&self.records, session, now)? {
            RecordState::Absent => Ok(Presence::Absent),
            RecordState::Gone => Ok(Presence::Gone),
            RecordState::Live { expires } => {
                if Expiry(expires).is_due(now, idle)
                    && let Some((owner, operations)) = self.record(session)?
                {
                    let expires = now.saturating_add(milliseconds(idle));
                    self.records.insert(&session.0, (expires, true, &owner.0, operations.as_slice()))?;
                }
                Ok(Presence::Live)
            }
        }
    }

    pub(super) fn remove(&mut self, session: SessionKey, tombstone: Duration, now: u64) -> Result<(), redb::Error> {
        let mut expires = now.saturating_add(milliseconds(tombstone));
        if let Some(record) = self.records.get(&session.0)? {
            let (earlier, lives, ..) = record.value();
            if !lives {
                expires = expires.max(earlier);
            }
        }
        self.purge(session)?;
        self.records.insert(&session.0, (expires, false, &[0; 16], [].as_slice()))?;
        Ok(())
    }

    /// Drops those of these sessions whose time has passed: one may have come back to life since it was found.
    pub(super) fn drop_expired(&mut self, sessions: &[SessionKey], now: u64) -> Result<usize, redb::Error> {
        let mut dropped = 0;
        for session in sessions {
            if matches!(state_in(&self.records, *session, now)?, RecordState::Absent) && self.purge(*session)? {
                dropped += 1;
            }
        }
        Ok(dropped)
    }

    /// The owner and the last operations in this record.
    fn record(&self, session: SessionKey) -> Result<Option<(Owner, Vec<u8>)>, redb::Error> {
        let record = self.records.get(&session.0)?;
        Ok(record.map(|record| {
            let (.., owner, operations) = record.value();
            (Owner(*owner), operations.to_vec())
        }))
    }

    fn revision(&self, key: &[u8]) -> Result<Revision, redb::Error> {
        Ok(self.parts.get(key)?.map_or(0, |part| part.value().0))
    }

    /// Takes everything of this session away; `false` if there was nothing.
    fn purge(&mut self, session: SessionKey) -> Result<bool, redb::Error> {
        let Some((owner, _)) = self.record(session)? else { return Ok(false) };
        self.owners.remove((&owner.0, &session.0))?;
        let first = session.0.to_vec();
        // No key contains the byte 0xff, which is no UTF-8.
        let last = [session.0.as_slice(), &[u8::MAX]].concat();
        self.parts.retain_in(first.as_slice()..last.as_slice(), |_, _| false)?;
        self.records.remove(&session.0)?;
        Ok(true)
    }
}

/// Puts an operation behind the others and forgets the oldest if there are too many.
fn remember(operations: &mut Vec<u8>, operation: Operation) {
    operations.extend_from_slice(&operation.0);
    let excess = operations.len().saturating_sub(OPERATIONS_KEPT * 16);
    operations.drain(..excess);
}
