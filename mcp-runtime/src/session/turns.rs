//! Turns: within this process, writers of one part of one session go one after the other.
//!
//! Takes: a session and a part. Gives: a turn, at once or later. Knows: who waits for whom. Must not know: stores; that a
//! commit is safe is the store's doing, turns only spare writers of one process from losing to each other.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::store::SessionKey;

/// Enough that two sessions rarely share a lock.
const SHARDS: usize = 256;

/// Who writes what at the moment. Nothing is kept for what nobody writes.
#[derive(Default)]
pub(super) struct Turns {
    shards: Shards,
}

struct Shards(Box<[Mutex<Vec<Held>>]>);

impl Default for Shards {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }
}

/// A turn that somebody has, and who waits for it.
struct Held {
    session: SessionKey,
    part: &'static str,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}

/// A turn: dropping it passes it on.
pub(super) struct Turn {
    // Empty in a turn that could not be handed over: who handed it tries the next one.
    turns: Option<Arc<Turns>>,
    session: SessionKey,
    part: &'static str,
}

/// How a turn comes.
pub(super) enum Taken {
    /// It was free.
    Now(Turn),
    /// When those before have gone; giving up is dropping the receiver.
    Later(oneshot::Receiver<Turn>),
}

impl Turns {
    /// Takes the turn of this part, or a place in the line for it.
    pub(super) fn take(self: &Arc<Self>, session: SessionKey, part: &'static str) -> Taken {
        let mut shard = self.shard(session);
        match shard.iter_mut().find(|held| held.session == session && held.part == part) {
            Some(held) => {
                // Those who gave up are at the front, because all wait equally long: the line grows no longer than the
                // number of calls that wait.
                while held.waiting.front().is_some_and(oneshot::Sender::is_closed) {
                    held.waiting.pop_front();
                }
                let (sender, receiver) = oneshot::channel();
                held.waiting.push_back(sender);
                Taken::Later(receiver)
            }
            None => {
                shard.push(Held { session, part, waiting: VecDeque::new() });
                Taken::Now(Turn { turns: Some(Arc::clone(self)), session, part })
            }
        }
    }

    /// Passes the turn to the first who still waits, or frees it.
    fn pass_on(self: Arc<Self>, session: SessionKey, part: &'static str) {
        loop {
            let next = {
                let mut shard = self.shard(session);
                let Some(position) = shard.iter().position(|held| held.session == session && held.part == part) else {
                    return;
                };
                match shard[position].waiting.pop_front() {
                    Some(next) => next,
                    None => {
                        shard.swap_remove(position);
                        return;
                    }
                }
            };
            // The lock is open here: a receiver that goes away now drops the turn, which comes back to this function.
            match next.send(Turn { turns: Some(Arc::clone(&self)), session, part }) {
                Ok(()) => return,
                Err(mut unwanted) => unwanted.turns = None,
            }
        }
    }

    fn shard(&self, session: SessionKey) -> MutexGuard<'_, Vec<Held>> {
        // Keys are random or digests: their last byte spreads them evenly.
        let index = usize::from(session.0[16]) % SHARDS;
        self.shards.0[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many turns are taken.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.0.iter().map(|shard| shard.lock().unwrap().len()).sum()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.turns.take() {
            turns.pass_on(self.session, self.part);
        }
    }
}

#[cfg(test)]
mod tests;
