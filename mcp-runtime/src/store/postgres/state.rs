//! Session state in PostgreSQL: a row for each session, and one for each of its parts.

use std::time::Duration;

use tokio_postgres::types::Type;

use super::{
    PostgresStore, at_most,
    link::Statement::{Once, Repeatable},
    milliseconds, misunderstood, signed, unsigned, until_few,
};
use crate::store::{
    Blob, Commit, Committed, Loaded, Owner, Presence, SessionKey, StateStore, StoreError, StoreFuture, StoreIdentity,
};

/// How long a part's key may be, in bytes.
const MAX_KEY: usize = 128;
/// How large a part's value may be, in bytes.
const MAX_VALUE: usize = 16 << 20;
/// How many sessions are swept at once, so that no statement takes long.
const BATCH: i64 = 1000;

/// What nearly every call asks: one part, of a session that is there. The functions answer the rest, and take several times as
/// long for it. There are no remarks in these files, because a connection looks their text up at each call.
///
/// The first reads a part, and says whether the session's end is to be moved as well. Parameters: the session, the key of the
/// part, the idle lifetime in milliseconds.
const READ_ONE: &str = include_str!("sql/read_one.sql");
/// Writes a part that exists, if nothing speaks against it, and gives a row if it did. Parameters: the session, the operation,
/// the key of the part, the revision expected, the content, the idle lifetime in milliseconds.
///
/// Who waits for the lock of the session's row finds the newest row then, and so does each step after it: a row that changed
/// meanwhile is held against the conditions again.
const WRITE_ONE: &str = include_str!("sql/write_one.sql");

/// Sessions of nobody in particular are in no index: it would hold all of a server without authorization.
fn named(owner: Owner) -> Option<[u8; 16]> {
    (owner != Owner::default()).then_some(owner.0)
}

impl PostgresStore {
    async fn read(&self, session: SessionKey, keys: &[&str], idle: Duration) -> Result<Loaded, StoreError> {
        if keys.len() <= 1
            && let Some(loaded) = self.read_one(session, keys, idle).await?
        {
            return Ok(loaded);
        }
        let asked: Vec<_> = keys.iter().map(|key| key.as_bytes()).collect();
        let found = self
            .link
            .row(
                Repeatable,
                "SELECT * FROM session_load($1, $2, $3)",
                &[(&&session.0[..], Type::BYTEA), (&asked, Type::BYTEA_ARRAY), (&milliseconds(idle), Type::INT8)],
            )
            .await?;
        let presence = match found.try_get(0).map_err(|_| misunderstood())? {
            "gone" => Presence::Gone,
            "absent" => Presence::Absent,
            "live" => Presence::Live,
            _ => return Err(misunderstood()),
        };
        if presence != Presence::Live || keys.is_empty() {
            return Ok(Loaded { presence, parts: vec![None; keys.len()] });
        }
        let contents: Vec<Option<Vec<u8>>> = found.try_get(1).map_err(|_| misunderstood())?;
        let revisions: Vec<Option<i64>> = found.try_get(2).map_err(|_| misunderstood())?;
        let part = |(content, revision): (Option<Vec<u8>>, Option<i64>)| match (content, revision) {
            (Some(content), Some(revision)) => Ok(Some((Blob::from_bytes(content), unsigned(revision)?))),
            _ => Ok(None),
        };
        let parts = contents.into_iter().zip(revisions).map(part).collect::<Result<Vec<_>, StoreError>>()?;
        if parts.len() == keys.len() { Ok(Loaded { presence, parts }) } else { Err(misunderstood()) }
    }

    /// Reads at most one part; `None` if the session's end is to be moved as well.
    async fn read_one(&self, session: SessionKey, keys: &[&str], idle: Duration) -> Result<Option<Loaded>, StoreError> {
        let key = keys.first().map_or(&b""[..], |key| key.as_bytes());
        let found = self
            .link
            .rows(
                Repeatable,
                READ_ONE,
                &[(&&session.0[..], Type::BYTEA), (&key, Type::BYTEA), (&milliseconds(idle), Type::INT8)],
            )
            .await?;
        let nothing = |presence| Ok(Some(Loaded { presence, parts: vec![None; keys.len()] }));
        let Some(row) = found.first() else { return nothing(Presence::Absent) };
        if row.try_get(0).map_err(|_| misunderstood())? {
            return nothing(Presence::Gone);
        }
        if row.try_get(1).map_err(|_| misunderstood())? {
            return Ok(None);
        }
        let content: Option<Vec<u8>> = row.try_get(2).map_err(|_| misunderstood())?;
        let revision: Option<i64> = row.try_get(3).map_err(|_| misunderstood())?;
        let part = match (content, revision) {
            (Some(content), Some(revision)) => Some((Blob::from_bytes(content), unsigned(revision)?)),
            _ => None,
        };
        Ok(Some(Loaded { presence: Presence::Live, parts: keys.iter().map(|_| part.clone()).collect() }))
    }

    async fn write(&self, session: SessionKey, commit: Commit) -> Result<Committed, StoreError> {
        let Commit { operation, owner, idle, writes } = commit;
        if let Some(write) = writes.iter().find(|write| write.key.len() > MAX_KEY) {
            return Err(StoreError::TooLarge { bytes: write.key.len(), limit: MAX_KEY });
        }
        let contents: Vec<_> = writes.iter().map(|write| write.value.bytes()).collect();
        if let Some(large) = contents.iter().find(|content| content.len() > MAX_VALUE) {
            return Err(StoreError::TooLarge { bytes: large.len(), limit: MAX_VALUE });
        }
        if let ([write], [content]) = (&*writes, &*contents)
            && write.expected > 0
        {
            let written = self
                .link
                .rows(
                    // It has a name by which it is recognised.
                    Repeatable,
                    WRITE_ONE,
                    &[
                        (&&session.0[..], Type::BYTEA),
                        (&&operation.0[..], Type::BYTEA),
                        (&write.key.as_bytes(), Type::BYTEA),
                        (&signed(write.expected), Type::INT8),
                        (content, Type::BYTEA),
                        (&milliseconds(idle), Type::INT8),
                    ],
                )
                .await?;
            if !written.is_empty() {
                return Ok(Committed::Saved);
            }
            // Why not, the function says.
        }
        let keys: Vec<_> = writes.iter().map(|write| write.key.as_bytes()).collect();
        let expected: Vec<_> = writes.iter().map(|write| signed(write.expected)).collect();
        let owner = named(owner);
        let ended = self
            .link
            .row(
                Repeatable,
                "SELECT session_commit($1, $2, $3, $4, $5, $6, $7)",
                &[
                    (&&session.0[..], Type::BYTEA),
                    (&&operation.0[..], Type::BYTEA),
                    (&owner.as_ref().map(|owner| &owner[..]), Type::BYTEA),
                    (&milliseconds(idle), Type::INT8),
                    (&keys, Type::BYTEA_ARRAY),
                    (&expected, Type::INT8_ARRAY),
                    (&contents, Type::BYTEA_ARRAY),
                ],
            )
            .await?;
        match ended.try_get(0).map_err(|_| misunderstood())? {
            "saved" => Ok(Committed::Saved),
            "duplicate" => Ok(Committed::Duplicate),
            "conflict" => Ok(Committed::Conflict),
            "gone" => Ok(Committed::Gone),
            _ => Err(misunderstood()),
        }
    }

    async fn page(&self, owner: Owner, after: Option<SessionKey>, limit: usize) -> Result<Vec<SessionKey>, StoreError> {
        let Some(owner) = named(owner) else { return Ok(Vec::new()) };
        // Nothing comes before the empty key.
        let after = after.map_or(Vec::new(), |after| after.0.to_vec());
        let found = self
            .link
            .rows(
                Repeatable,
                "SELECT session FROM sessions WHERE owner = $1 AND session > $2 AND expires_at > now() ORDER BY session \
                 LIMIT $3",
                &[
                    (&&owner[..], Type::BYTEA),
                    (&after, Type::BYTEA),
                    (&at_most(limit), Type::INT8),
                ],
            )
            .await?;
        found.iter().map(|row| bytes_of(row).map(SessionKey)).collect()
    }
}

/// The first column of a row, of a known length.
fn bytes_of<const LENGTH: usize>(row: &tokio_postgres::Row) -> Result<[u8; LENGTH], StoreError> {
    row.try_get::<_, &[u8]>(0).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(misunderstood)
}

impl StateStore for PostgresStore {
    fn identity(&self) -> StoreFuture<'_, StoreIdentity> {
        StoreFuture::new(async {
            let found = self.link.row(Repeatable, "SELECT id FROM identity", &[]).await?;
            bytes_of(&found).map(StoreIdentity)
        })
    }

    fn durable(&self) -> bool {
        true
    }

    fn shared(&self) -> bool {
        true
    }

    fn load<'a>(&'a self, session: SessionKey, keys: &'a [&'static str], idle: Duration) -> StoreFuture<'a, Loaded> {
        StoreFuture::new(self.read(session, keys, idle))
    }

    fn commit(&self, session: SessionKey, commit: Commit) -> StoreFuture<'_, Committed> {
        StoreFuture::new(self.write(session, commit))
    }

    fn touch(&self, session: SessionKey, idle: Duration) -> StoreFuture<'_, Presence> {
        StoreFuture::new(async move { Ok(self.read(session, &[], idle).await?.presence) })
    }

    fn remove(&self, session: SessionKey, tombstone: Duration) -> StoreFuture<'_, ()> {
        StoreFuture::new(async move {
            // Without a tombstone a second one might remove what was made after the first.
            let kind = if tombstone.is_zero() { Once } else { Repeatable };
            self.link
                .rows(
                    kind,
                    "SELECT session_remove($1, $2)",
                    &[(&&session.0[..], Type::BYTEA), (&milliseconds(tombstone), Type::INT8)],
                )
                .await?;
            Ok(())
        })
    }

    fn list(&self, owner: Owner, after: Option<SessionKey>, limit: usize) -> StoreFuture<'_, Vec<SessionKey>> {
        StoreFuture::new(self.page(owner, after, limit))
    }

    fn sweep(&self) -> StoreFuture<'_, usize> {
        StoreFuture::new(until_few(&self.link, "SELECT session_sweep($1)", BATCH))
    }
}
