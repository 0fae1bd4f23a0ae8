//! Messages that wait for the transport while a call runs.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Poll, Waker},
};

use bytes::Bytes;

/// More than this many messages never wait for one exchange: a slow reader costs a bounded number of bytes.
const LIMIT: usize = 64;

/// Messages that wait for the transport while an exchange runs, bounded: the oldest is dropped first.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    outlives: AtomicBool,
}

#[derive(Debug, Default)]
struct Waiting {
    queue: VecDeque<Bytes>,
    waker: Option<Waker>,
}

impl Outbox {
    /// Puts a message in and wakes the transport.
    pub(crate) fn push(&self, message: Bytes) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.queue.len() == LIMIT {
            waiting.queue.pop_front();
        }
        waiting.queue.push_back(message);
        if let Some(waker) = waiting.waker.take() {
            waker.wake();
        }
    }

    /// The next message, if one waits.
    pub(crate) fn take(&self) -> Option<Bytes> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).queue.pop_front()
    }

    /// The next message; pending until there is one.
    pub(crate) fn poll(&self, waker: &Waker) -> Poll<Bytes> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(message) = waiting.queue.pop_front() {
            return Poll::Ready(message);
        }
        if !waiting.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            waiting.waker = Some(waker.clone());
        }
        Poll::Pending
    }

    /// From now on the work goes on when the peer goes away: so the revision wants it.
    pub(crate) fn outlive_the_request(&self) {
        self.outlives.store(true, Ordering::Release);
    }

    /// Whether the work goes on when the peer goes away.
    pub(crate) fn outlives(&self) -> bool {
        self.outlives.load(Ordering::Acquire)
    }
}
