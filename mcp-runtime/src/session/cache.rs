//! Tokens that were verified already.
//!
//! Takes: a verified token. Gives: its session, for the same token and principal before its end. Knows: how much it may
//! hold. Must not know: how tokens are signed.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, PoisonError},
};

use super::ProtocolSession;
use crate::auth::Principal;

/// Tokens are kept in this many sets of [`WAYS`]: 4096 tokens in all, some 3 MiB when full, which leaves what 100,000
/// minted sessions cost below 5 MiB.
const SETS: usize = 512;
/// How many tokens a set holds; the one that was not used lately makes room.
const WAYS: usize = 8;
/// The length of the last part of a token, its signature: enough to spread tokens over the sets.
const SIGNATURE: usize = 43;

/// A bounded map from whole tokens to their sessions.
pub(super) struct Cache {
    sets: Box<[Mutex<Set>]>,
    // Keyed anew in each process, so that nobody can choose tokens that meet in one set.
    hasher: RandomState,
}

#[derive(Default)]
struct Set {
    entries: Vec<Entry>,
    hand: usize,
}

struct Entry {
    hash: u64,
    token: Box<str>,
    known: Known,
    used: bool,
}

/// What a verified token gave.
pub(super) struct Known {
    pub(super) session: Arc<ProtocolSession>,
    pub(super) principal: Option<Principal>,
    pub(super) life: Life,
}

/// When a session was opened, and when its id ends.
#[derive(Clone, Copy)]
pub(super) struct Life {
    pub(super) issued: u64,
    pub(super) expires: u64,
}

impl Cache {
    pub(super) fn new() -> Self {
        Self { sets: (0..SETS).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }

    /// The session of this token, if it was verified for this principal and has not expired. `None` decides nothing:
    /// the token must then be verified.
    pub(super) fn get(
        &self,
        token: &str,
        principal: Option<&Principal>,
        now: u64,
    ) -> Option<(Arc<ProtocolSession>, Life)> {
        let hash = self.hash(token);
        let mut set = self.set(hash);
        let entry = set.entries.iter_mut().find(|entry| entry.hash == hash && *entry.token == *token)?;
        if entry.known.principal.as_ref() != principal || now >= entry.known.life.expires {
            return None;
        }
        entry.used = true;
        Some((Arc::clone(&entry.known.session), entry.known.life))
    }

    /// Remembers a verified token.
    pub(super) fn insert(&self, token: &str, known: Known) {
        let hash = self.hash(token);
        let entry = Entry { hash, token: token.into(), known, used: false };
        let mut set = self.set(hash);
        let same = set.entries.iter().position(|old| old.hash == hash && old.token == entry.token);
        match same {
            Some(position) => set.entries[position] = entry,
            None if set.entries.len() < WAYS => set.entries.push(entry),
            None => {
                let position = set.make_room();
                set.entries[position] = entry;
            }
        }
    }

    /// Forgets a token.
    pub(super) fn remove(&self, token: &str) {
        let hash = self.hash(token);
        self.set(hash).entries.retain(|entry| *entry.token != *token);
    }

    /// How many tokens are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.sets.iter().map(|set| set.lock().unwrap().entries.len()).sum()
    }

    fn hash(&self, token: &str) -> u64 {
        let bytes = token.as_bytes();
        self.hasher.hash_one(&bytes[bytes.len().saturating_sub(SIGNATURE)..])
    }

    fn set(&self, hash: u64) -> std::sync::MutexGuard<'_, Set> {
        self.sets[hash as usize % SETS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Set {
    /// The position of an entry that was not used since the hand last passed it.
    fn make_room(&mut self) -> usize {
        loop {
            let position = self.hand;
            self.hand = (position + 1) % self.entries.len();
            if !std::mem::take(&mut self.entries[position].used) {
                return position;
            }
        }
    }
}

#[cfg(test)]
mod tests;
