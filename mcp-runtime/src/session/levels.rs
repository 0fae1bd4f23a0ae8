//! From which level on sessions are told log messages.
//!
//! Takes: what a session chose. Gives: it back, or the default. Knows: how much it may hold. Must not know: messages.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::SessionKey;
use crate::protocol::LogLevel;

/// What a session is told that has not chosen. Our choice: a client that looks for a fault says so.
const DEFAULT: LogLevel = LogLevel::Info;
/// When so many sessions have chosen, those that chose longest ago and were told nothing since are told from the default
/// level on again. A session that never chose costs nothing.
const LIMIT: usize = 1 << 16;

/// From which level on each session is told log messages, where it chose one. Known to this process alone.
#[derive(Default)]
pub(crate) struct LogLevels(Mutex<Chosen>);

/// Two halves: the younger one takes what is set and what is used, and becomes the older one when it is full.
#[derive(Default)]
struct Chosen {
    younger: HashMap<SessionKey, LogLevel>,
    older: HashMap<SessionKey, LogLevel>,
}

impl LogLevels {
    /// This session chose.
    pub(crate) fn set(&self, session: SessionKey, level: LogLevel) {
        self.chosen().insert(session, level);
    }

    /// The level from which on this session is told.
    pub(crate) fn of(&self, session: SessionKey) -> LogLevel {
        let mut chosen = self.chosen();
        if let Some(level) = chosen.younger.get(&session) {
            return *level;
        }
        match chosen.older.remove(&session) {
            Some(level) => {
                chosen.insert(session, level);
                level
            }
            None => DEFAULT,
        }
    }

    /// This session is over.
    pub(crate) fn forget(&self, session: SessionKey) {
        let mut chosen = self.chosen();
        chosen.younger.remove(&session);
        chosen.older.remove(&session);
    }

    fn chosen(&self) -> MutexGuard<'_, Chosen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chosen {
    fn insert(&mut self, session: SessionKey, level: LogLevel) {
        self.older.remove(&session);
        if self.younger.len() >= LIMIT / 2 && !self.younger.contains_key(&session) {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(session, level);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> SessionKey {
        let mut bytes = [0; 17];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        SessionKey(bytes)
    }

    #[test]
    fn a_choice_is_that_sessions_alone() {
        let levels = LogLevels::default();
        levels.set(key(1), LogLevel::Error);
        assert_eq!(levels.of(key(1)), LogLevel::Error);
        assert_eq!(levels.of(key(2)), LogLevel::Info);
        levels.forget(key(1));
        assert_eq!(levels.of(key(1)), LogLevel::Info);
    }

    #[test]
    fn however_many_sessions_choose_memory_is_bounded_and_who_is_told_stays() {
        let levels = LogLevels::default();
        for number in 0..4 * LIMIT {
            levels.set(key(number), LogLevel::Debug);
            assert_eq!(levels.of(key(0)), LogLevel::Debug, "{number}");
        }
        let chosen = levels.chosen();
        assert!(chosen.younger.len() + chosen.older.len() <= LIMIT);
    }
}
