//! Epochs: whose sessions were ended, and how often.
//!
//! Takes: principals, and whose sessions end. Gives: as whom a principal's sessions are known. Knows: three scopes, one
//! record in the store for each, how old its own knowledge may be. Must not know: ids, carriers.
//!
//! Whoever's sessions were ended is someone else from then on, as far as sessions go: those of before belong to a stranger,
//! and no clock decides which those are.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_lc_rs::hmac;
use futures_util::future::try_join3;
use tokio::time::Instant;

use super::{
    patience::{PATIENCE, answer},
    principal,
};
use crate::{
    auth::Principal,
    store::{Blob, Commit, Committed, Operation, Owner, Revision, SessionKey, StateStore, StoreError, Write},
};

/// The first byte of the key of a record that says how often sessions were ended.
const KIND: u8 = 7;
/// The one part of such a record: random bytes, others each time.
const PART: &str = "epoch";
/// At most so many principals are known; then it begins again.
const MOST: usize = 4096;
/// A record that others write at the same time is written as often as this.
const TRIES: usize = 8;

/// Whose sessions end together.
///
/// A principal names no tenant. Where each tenant has an issuer of its own, as with most providers of identities, the issuer
/// is the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationScope<'a> {
    /// Of one person or machine, through whatever client.
    Subject {
        /// Who vouches for it.
        issuer: &'a str,
        /// The person or machine.
        subject: &'a str,
    },
    /// Of everyone who comes through this client.
    Client {
        /// Who knows the client.
        issuer: &'a str,
        /// The client.
        client: &'a str,
    },
    /// Of everyone for whom this issuer vouches.
    Issuer(&'a str),
}

impl<'a> From<&'a Principal> for RevocationScope<'a> {
    /// The principal's issuer and subject, whatever the client.
    fn from(principal: &'a Principal) -> Self {
        Self::Subject { issuer: &principal.issuer, subject: &principal.subject }
    }
}

/// Whose sessions were ended, as the store has it.
pub(super) struct Epochs {
    store: Arc<dyn StateStore>,
    names: hmac::Key,
    // How long a record is kept without being looked at: twice as long as anything lives that is not used.
    kept: Duration,
    lag: Duration,
    known: Mutex<Known>,
}

/// What was read, and when.
#[derive(Default)]
struct Known {
    /// Another one with each epoch that anyone begins: as long as it is the same, nothing that is known here has changed.
    generation: Option<Vec<u8>>,
    asked: Option<Instant>,
    /// How often this instance ended sessions: what was read across that may be from before.
    ended: u64,
    somebody: HashMap<Principal, Entry>,
}

/// As whom a principal's sessions are known, and when that was read.
struct Entry {
    whose: Option<Arc<Principal>>,
    read: Instant,
}

impl Epochs {
    /// In this store, whose names are made with this key, where no id lives longer than `longest` without being used. What
    /// another instance wrote counts here after `lag` at the latest.
    pub(super) fn new(store: Arc<dyn StateStore>, names: hmac::Key, longest: Duration, lag: Duration) -> Self {
        // In a store that no one else has there is nothing that would come as news after a while.
        let lag = if store.shared() { lag } else { Duration::ZERO };
        Self { store, names, kept: longest * 2, lag, known: Mutex::default() }
    }

    /// As whom this principal's sessions are known; `None` where it is the principal, because none were ended.
    pub(super) async fn whose(&self, principal: &Principal) -> Result<Option<Arc<Principal>>, StoreError> {
        self.look(principal, self.lag).await
    }

    /// The same, asked now: what is opened shall live longer than the lag.
    pub(super) async fn whose_now(&self, principal: &Principal) -> Result<Option<Arc<Principal>>, StoreError> {
        self.look(principal, Duration::ZERO).await
    }

    async fn look(&self, principal: &Principal, lag: Duration) -> Result<Option<Arc<Principal>>, StoreError> {
        let ended = {
            let known = self.known();
            let lately = known.asked.is_some_and(|asked| asked.elapsed() < lag);
            if let (true, Some(whose)) = (lately, known.get(principal, self.kept)) {
                return Ok(whose);
            }
            known.ended
        };
        let asked = Instant::now();
        let generation = self.read(self.generation()).await?.map(|(bytes, _)| bytes);
        {
            let mut known = self.known();
            if known.ended == ended {
                if known.generation != generation {
                    known.somebody.clear();
                    known.generation.clone_from(&generation);
                }
                known.asked = Some(asked);
                if let Some(whose) = known.get(principal, self.kept) {
                    return Ok(whose);
                }
            }
        }
        let Principal { issuer, subject, client, .. } = principal;
        let epochs = try_join3(
            self.epoch(RevocationScope::Subject { issuer, subject }),
            self.epoch(RevocationScope::Client { issuer, client }),
            self.epoch(RevocationScope::Issuer(issuer)),
        )
        .await?;
        let whose = renamed(principal, &[epochs.0, epochs.1, epochs.2]);
        let mut known = self.known();
        // Whoever ended sessions meanwhile may have written after this was read.
        if known.ended == ended && known.generation == generation {
            if known.somebody.len() >= MOST {
                known.somebody.clear();
            }
            known.somebody.insert(principal.clone(), Entry { whose: whose.clone(), read: asked });
        }
        Ok(whose)
    }

    /// Ends all sessions of this scope that were opened until now.
    pub(super) async fn end(&self, scope: RevocationScope<'_>) -> Result<(), StoreError> {
        self.renew(self.key(scope)).await?;
        self.renew(self.generation()).await?;
        let mut known = self.known();
        *known = Known { ended: known.ended + 1, ..Known::default() };
        Ok(())
    }

    async fn epoch(&self, scope: RevocationScope<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read(self.key(scope)).await?.map(|(bytes, _)| bytes))
    }

    /// Reads a record, which keeps it.
    async fn read(&self, key: SessionKey) -> Result<Option<(Vec<u8>, Revision)>, StoreError> {
        let loaded = answer(self.store.load(key, &[PART], self.kept), PATIENCE).await?;
        Ok(loaded.parts.into_iter().next().flatten().map(|(blob, revision)| (blob.bytes(), revision)))
    }

    /// Writes other bytes than were ever there.
    async fn renew(&self, key: SessionKey) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let expected = self.read(key).await?.map_or(0, |(_, revision)| revision);
            let value = Blob::from_bytes(super::random::<16>().to_vec());
            let commit = Commit {
                operation: Operation(super::random()),
                owner: Owner::default(),
                idle: self.kept,
                writes: vec![Write { key: PART, expected, value }],
            };
            if answer(self.store.commit(key, commit), PATIENCE).await? == Committed::Saved {
                return Ok(());
            }
        }
        Err(StoreError::Unavailable("others write the same record all the time".into()))
    }

    /// Where the epoch of a scope stands: under a name that tells nobody who it is.
    fn key(&self, scope: RevocationScope<'_>) -> SessionKey {
        let names: [&str; 3] = match scope {
            RevocationScope::Subject { issuer, subject } => ["subject", issuer, subject],
            RevocationScope::Client { issuer, client } => ["client", issuer, client],
            RevocationScope::Issuer(issuer) => ["issuer", issuer, ""],
        };
        self.named(&names)
    }

    fn generation(&self) -> SessionKey {
        self.named(&["generation"])
    }

    fn named(&self, names: &[&str]) -> SessionKey {
        let mut key = [KIND; 17];
        key[1..].copy_from_slice(&principal::named(&self.names, names));
        SessionKey(key)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// What is known of a principal, if its records need not be looked at to be kept.
    fn get(&self, principal: &Principal, kept: Duration) -> Option<Option<Arc<Principal>>> {
        let entry = self.somebody.get(principal)?;
        (entry.read.elapsed() < kept / 4).then(|| entry.whose.clone())
    }
}

/// The principal after these epochs: with another client, which nobody has.
fn renamed(principal: &Principal, epochs: &[Option<Vec<u8>>]) -> Option<Arc<Principal>> {
    if epochs.iter().all(Option::is_none) {
        return None;
    }
    let mut client = principal.client.to_string();
    for epoch in epochs {
        client.push('\n');
        for byte in epoch.iter().flatten() {
            let _ = write!(client, "{byte:02x}");
        }
    }
    Some(Arc::new(Principal { client: client.into(), ..principal.clone() }))
}

#[cfg(test)]
mod tests;
