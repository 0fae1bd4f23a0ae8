//! Session state in Redis: a hash for each session, its tombstone beside it, and an index for each owner.
//!
//! The index is in another slot of a cluster than the sessions that it names, so it is told of a session before the record
//! is made, and again now and then while the session is used; who reads it looks at the records.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use redis::Value;

use super::{Key, Link, RedisStore, Script, milliseconds, misunderstood, number, refused, script, text};
use crate::store::{
    Blob, Commit, Committed, Loaded, Owner, Presence, SessionKey, StateStore, StoreError, StoreFuture, StoreIdentity,
};

/// How long a part's key may be, in bytes.
const MAX_KEY: usize = 128;
/// How large a part's value may be, in bytes.
const MAX_VALUE: usize = 16 << 20;
/// How many names of an index are read at once.
const PAGE: usize = 256;

script!(IDENTITY, "identity");
script!(LOAD, "load");
script!(COMMIT, "commit");
script!(REMOVE, "remove");
script!(INDEX, "index");
script!(UNINDEX, "unindex");
script!(LIST, "list");

/// The record and the tombstone of a session.
fn keys(link: &Link, session: SessionKey) -> [Key; 2] {
    [link.of_session(session, "state"), link.of_session(session, "gone")]
}

/// The names of an owner's sessions in their order, and their times.
fn index_keys(link: &Link, owner: Owner) -> [Key; 2] {
    [link.of_owner(owner, "sessions"), link.of_owner(owner, "sessions-until")]
}

/// Nobody's in particular are in no index: it would hold all sessions of a server without authorization.
fn has_index(owner: Owner) -> bool {
    owner != Owner::default()
}

/// The index of this owner names this session for twice its idle lifetime: it is told again after a quarter of it.
async fn index(link: &Link, owner: Owner, session: SessionKey, idle: Duration) -> Result<(), StoreError> {
    let stays = milliseconds(idle.saturating_mul(2));
    link.call(&INDEX, &index_keys(link, owner), |command| {
        command.arg(&session.0).arg(stays);
    })
    .await
}

async fn unindex(link: &Link, owner: Owner, session: SessionKey) -> Result<(), StoreError> {
    link.call(&UNINDEX, &index_keys(link, owner), |command| {
        command.arg(&session.0);
    })
    .await
}

impl RedisStore {
    async fn read(&self, session: SessionKey, keys_of_parts: &[&str], idle: Duration) -> Result<Loaded, StoreError> {
        let found: Vec<Value> = self
            .link
            .call(&LOAD, &keys(&self.link, session), |command| {
                command.arg(milliseconds(idle)).arg(keys_of_parts);
            })
            .await?;
        let nothing = |presence| Loaded { presence, parts: vec![None; keys_of_parts.len()] };
        let mut found = found.into_iter();
        match found.next().as_ref().and_then(text) {
            Some(b"gone") => return Ok(nothing(Presence::Gone)),
            Some(b"absent") => return Ok(nothing(Presence::Absent)),
            Some(b"live") => {}
            _ => return Err(misunderstood()),
        }
        if let Some(owner) = found.next().as_ref().and_then(text).and_then(|owner| owner.try_into().ok()) {
            // Nobody waits for it: should it fail, a later read tries again.
            let link = Arc::clone(&self.link);
            tokio::spawn(async move { index(&link, Owner(owner), session, idle).await });
        }
        let mut parts = Vec::with_capacity(keys_of_parts.len());
        for _ in keys_of_parts {
            parts.push(match (found.next(), found.next()) {
                (Some(Value::BulkString(value)), Some(Value::BulkString(revision))) => {
                    Some((Blob::from_bytes(value), number(&revision).ok_or_else(misunderstood)?))
                }
                (Some(Value::Nil), Some(Value::Nil)) => None,
                _ => return Err(misunderstood()),
            });
        }
        Ok(Loaded { presence: Presence::Live, parts })
    }

    async fn write(&self, session: SessionKey, commit: Commit) -> Result<Committed, StoreError> {
        let Commit { operation, owner, idle, writes } = commit;
        if let Some(write) = writes.iter().find(|write| write.key.len() > MAX_KEY) {
            return Err(StoreError::TooLarge { bytes: write.key.len(), limit: MAX_KEY });
        }
        let values: Vec<_> = writes.iter().map(|write| write.value.bytes()).collect();
        if let Some(large) = values.iter().find(|value| value.len() > MAX_VALUE) {
            return Err(StoreError::TooLarge { bytes: large.len(), limit: MAX_VALUE });
        }
        // It may make the record. What does not come to be is named in vain, and who reads the index sees that.
        if has_index(owner) && writes.iter().all(|write| write.expected == 0) {
            index(&self.link, owner, session, idle).await?;
        }
        let ended: String = self
            .link
            .call(&COMMIT, &keys(&self.link, session), |command| {
                let owner: &[u8] = if has_index(owner) { &owner.0 } else { &[] };
                command.arg(&operation.0).arg(owner).arg(milliseconds(idle));
                for (write, value) in writes.iter().zip(&values) {
                    command.arg(write.key).arg(write.expected).arg(value.as_slice());
                }
            })
            .await?;
        match ended.as_str() {
            "saved" => Ok(Committed::Saved),
            "duplicate" => Ok(Committed::Duplicate),
            "conflict" => Ok(Committed::Conflict),
            "gone" => Ok(Committed::Gone),
            _ => Err(misunderstood()),
        }
    }

    async fn page(&self, owner: Owner, after: Option<SessionKey>, limit: usize) -> Result<Vec<SessionKey>, StoreError> {
        let mut live = Vec::new();
        let mut from = after;
        while live.len() < limit && has_index(owner) {
            let begin = from.map_or(vec![b'-'], |after| [b"(", after.0.as_slice()].concat());
            let [names, _] = index_keys(&self.link, owner);
            let page: Vec<Vec<u8>> = self
                .link
                .call(&LIST, &[names], |command| {
                    command.arg(begin.as_slice()).arg(PAGE);
                })
                .await?;
            let named: Vec<_> =
                page.iter().filter_map(|name| name.as_slice().try_into().ok().map(SessionKey)).collect();
            let Some(last) = named.last() else { break };
            from = Some(*last);
            let mut owners = redis::pipe();
            for session in &named {
                owners.hget(self.link.of_session(*session, "state"), "owner");
            }
            let owners: Vec<Option<Vec<u8>>> = self.link.pipeline(&owners).await?;
            let is_hers = |found: &Option<Vec<u8>>| found.as_deref() == Some(&owner.0[..]);
            live.extend(named.iter().zip(owners).filter(|(_, found)| is_hers(found)).map(|(session, _)| *session));
        }
        live.truncate(limit);
        Ok(live)
    }
}

impl StateStore for RedisStore {
    fn identity(&self) -> StoreFuture<'_, StoreIdentity> {
        StoreFuture::new(async {
            let mut identity = [0; 16];
            aws_lc_rs::rand::fill(&mut identity).map_err(|_| refused("the system gives no random bytes"))?;
            let key = format!("{}:identity", self.link.prefix());
            let identity: Vec<u8> = self
                .link
                .call(&IDENTITY, &[key], |command| {
                    command.arg(&identity);
                })
                .await?;
            identity.try_into().map(StoreIdentity).map_err(|_| misunderstood())
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
            let owner: Option<Vec<u8>> = self
                .link
                .call(&REMOVE, &keys(&self.link, session), |command| {
                    command.arg(milliseconds(tombstone));
                })
                .await?;
            let owner = owner.and_then(|owner| owner.as_slice().try_into().ok().map(Owner));
            // Without a tombstone it may be there again already; then its name leaves the index when its time has passed.
            if let Some(owner) = owner.filter(|_| !tombstone.is_zero()) {
                let link = Arc::clone(&self.link);
                tokio::spawn(async move { unindex(&link, owner, session).await });
            }
            Ok(())
        })
    }

    fn list(&self, owner: Owner, after: Option<SessionKey>, limit: usize) -> StoreFuture<'_, Vec<SessionKey>> {
        StoreFuture::new(self.page(owner, after, limit))
    }
}
