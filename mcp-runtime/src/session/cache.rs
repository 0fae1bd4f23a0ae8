//! Tokens that were verified already.
//!
//! Takes: a verified token. Gives: its session, for the same token and principal before its end. Knows: how much it may
//! hold. Must not know: how tokens are signed.

use std::sync::{Arc, Mutex, PoisonError};

use super::ProtocolSession;
use crate::auth::Principal;

/// Tokens are kept in this many sets of [`WAYS`]: 4096 tokens in all, some 3 MiB when full, which leaves what 100,000
/// minted sessions cost below 5 MiB.
const SETS: usize = 512;
/// How many tokens a set holds; the one that was not used lately makes room.
const WAYS: usize = 8;
/// A bounded map from whole tokens to their sessions.
pub(super) struct Cache {
    sets: Box<[Mutex<Set>]>,
    /// Drawn anew in each process, so that nobody can choose tokens that meet in one set.
    multiplier: u64,
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
        Self {
            sets: (0..SETS).map(|_| Mutex::default()).collect(),
            multiplier: u64::from_ne_bytes(super::random()) | 1,
        }
    }

    /// The session of this token, if it was verified for this principal and has not expired. `None` decides nothing:
    /// the token must then be verified.
    pub(super) fn get(
        &self,
        token: &[u8],
        principal: Option<&Principal>,
        now: u64,
    ) -> Option<(Arc<ProtocolSession>, Life)> {
        let hash = self.hash(token);
        let mut set = self.set(hash);
        let entry = set.entries.iter_mut().find(|entry| entry.hash == hash && entry.token.as_bytes() == token)?;
        if entry.known.principal.as_ref() != principal || now >= entry.known.life.expires {
            return None;
        }
        entry.used = true;
        Some((Arc::clone(&entry.known.session), entry.known.life))
    }

    /// How long a token lives that is remembered, for whomever it was verified.
    pub(super) fn life(&self, token: &str) -> Option<Life> {
        let hash = self.hash(token.as_bytes());
        let set = self.set(hash);
        set.entries.iter().find(|entry| entry.hash == hash && *entry.token == *token).map(|entry| entry.known.life)
    }

    /// Remembers a verified token.
    pub(super) fn insert(&self, token: &str, known: Known) {
        let hash = self.hash(token.as_bytes());
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
        let hash = self.hash(token.as_bytes());
        self.set(hash).entries.retain(|entry| *entry.token != *token);
    }

    /// How many tokens are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.sets.iter().map(|set| set.lock().unwrap().entries.len()).sum()
    }

    /// A token ends in its signature: its last letters are as good as random, and only tokens that we signed are kept.
    fn hash(&self, token: &[u8]) -> u64 {
        let end = token.last_chunk().map_or(0, |end| u64::from_ne_bytes(*end));
        end.wrapping_mul(self.multiplier)
    }

    fn set(&self, hash: u64) -> std::sync::MutexGuard<'_, Set> {
        // The highest bits: they alone depend on all letters.
        self.sets[hash.rotate_left(SETS.ilog2()) as usize % SETS].lock().unwrap_or_else(PoisonError::into_inner)
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
