//! Messages that wait for the transport while a call runs.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use bytes::Bytes;

use crate::{session::SessionKey, wire::Raw};

/// More than this many messages that may be dropped never wait for one exchange.
const LIMIT: usize = 64;
/// Nor more than this many bytes of them: a slow reader costs a bounded number of bytes.
const BYTES: usize = 256 << 10;

/// While this many messages wait, a report of progress gives way to the next one: a client that keeps up reads each.
const CROWD: usize = 32;

/// What a function said while it runs.
#[derive(Debug, PartialEq)]
pub(crate) enum Said {
    /// A message for the client.
    Message(Bytes),
    /// The client may go, and come back after this time for the rest.
    Close(Duration),
}

/// How much it matters that a message arrives: when too many wait, the oldest of the least matter are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Importance {
    /// The next report says it again.
    Progress,
    /// Something that the client may want to read.
    Log,
    /// Never dropped: whoever says it sees to it that there are few.
    Needed,
}

/// How the work of an exchange goes on when its peer goes away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Onward {
    /// Where the peer can fetch what it missed, if there is such a place.
    pub(crate) resumable: Option<Resumable>,
}

/// A stream that can be resumed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resumable {
    /// By whom.
    pub(crate) session: SessionKey,
    /// The peer also comes back where the server ended the connection.
    pub(crate) polling: bool,
}

/// Messages that wait for the transport while an exchange runs, bounded.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    onward: OnceLock<Onward>,
}

#[derive(Debug, Default)]
struct Waiting {
    queue: VecDeque<Waits>,
    /// Of the messages.
    bytes: usize,
    waker: Option<Waker>,
}

/// Something that waits.
#[derive(Debug)]
struct Waits {
    importance: Importance,
    said: Said,
    /// The token of the progress that it reports, if it does.
    progress: Option<Raw>,
}

impl Outbox {
    /// Puts a message in and wakes the transport.
    pub(crate) fn push(&self, message: Bytes, importance: Importance) {
        self.waiting().push(message, importance, None);
    }

    /// Puts a report of progress in; where many messages wait already, in place of the oldest with the same token: the
    /// newest says it all.
    pub(crate) fn push_progress(&self, token: &Raw, message: Bytes) {
        let mut waiting = self.waiting();
        let same = |old: &Waits| old.progress.as_ref().is_some_and(|old| old.as_str() == token.as_str());
        if waiting.queue.len() >= CROWD
            && let Some(older) = waiting.queue.iter().position(same)
        {
            waiting.remove(older);
        }
        waiting.push(message, Importance::Progress, Some(token.clone()));
    }

    /// After what was said so far, the client may go and come back after this time; nothing where it can't come back.
    pub(crate) fn close(&self, retry: Duration) {
        if self.resumable().is_some_and(|resumable| resumable.polling) {
            let mut waiting = self.waiting();
            // Said again, it is said once.
            waiting.queue.retain(|waits| !matches!(waits.said, Said::Close(_)));
            waiting.queue.push_back(Waits { importance: Importance::Needed, said: Said::Close(retry), progress: None });
            waiting.wake();
        }
    }

    /// What was said next, if something waits.
    pub(crate) fn take(&self) -> Option<Said> {
        self.waiting().take()
    }

    /// What was said next; pending until there is something.
    pub(crate) fn poll(&self, waker: &Waker) -> Poll<Said> {
        let mut waiting = self.waiting();
        if let Some(said) = waiting.take() {
            return Poll::Ready(said);
        }
        if !waiting.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            waiting.waker = Some(waker.clone());
        }
        Poll::Pending
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting().queue.is_empty()
    }

    /// From now on the work goes on when the peer goes away: so the revision wants it.
    pub(crate) fn outlive_the_request(&self, onward: Onward) {
        // The calls of one batch are of one session: whichever comes first speaks for all.
        let _ = self.onward.set(onward);
    }

    /// Whether the work goes on when the peer goes away.
    pub(crate) fn outlives(&self) -> bool {
        self.onward.get().is_some()
    }

    /// Where the peer can fetch what it missed.
    pub(crate) fn resumable(&self) -> Option<Resumable> {
        self.onward.get().and_then(|onward| onward.resumable)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn push(&mut self, message: Bytes, importance: Importance, progress: Option<Raw>) {
        self.bytes += message.len();
        self.queue.push_back(Waits { importance, said: Said::Message(message), progress });
        self.shrink();
        self.wake();
    }

    fn take(&mut self) -> Option<Said> {
        self.remove(0)
    }

    fn remove(&mut self, position: usize) -> Option<Said> {
        let Waits { said, .. } = self.queue.remove(position)?;
        if let Said::Message(message) = &said {
            self.bytes = self.bytes.saturating_sub(message.len());
        }
        Some(said)
    }

    /// Drops what matters least, oldest first, until the rest is within the bounds. One message alone may be larger.
    fn shrink(&mut self) {
        while self.queue.len() > 1 && (self.queue.len() > LIMIT || self.bytes > BYTES) {
            let oldest = |least| self.queue.iter().position(|waits| waits.importance == least);
            let Some(position) = oldest(Importance::Progress).or_else(|| oldest(Importance::Log)) else { return };
            self.remove(position);
        }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(outbox: &Outbox) -> Vec<Said> {
        std::iter::from_fn(|| outbox.take()).collect()
    }

    fn message(text: impl ToString) -> Said {
        Said::Message(text.to_string().into())
    }

    #[test]
    fn progress_is_dropped_first_then_log_messages_and_never_what_is_needed() {
        let outbox = Outbox::default();
        for number in 0..LIMIT / 2 {
            outbox.push(format!("log {number}").into(), Importance::Log);
        }
        outbox.push("question".into(), Importance::Needed);
        for number in 0..1_000_000 {
            outbox.push(number.to_string().into(), Importance::Progress);
        }
        let said = read(&outbox);
        assert_eq!(said.len(), LIMIT);
        assert_eq!(said[..2], [message("log 0"), message("log 1")]);
        assert!(said.contains(&message("question")));
        assert_eq!(said.last(), Some(&message(999_999)));

        outbox.push("question".into(), Importance::Needed);
        for number in 0..100_000 {
            outbox.push(number.to_string().into(), Importance::Log);
        }
        let said = read(&outbox);
        assert_eq!((said.len(), &said[0]), (LIMIT, &message("question")));
        assert_eq!(said.last(), Some(&message(99_999)));
    }

    #[test]
    fn what_waits_is_bounded_in_bytes_as_well() {
        let outbox = Outbox::default();
        for _ in 0..1000 {
            outbox.push(vec![b'x'; BYTES / 8].into(), Importance::Log);
        }
        assert_eq!(outbox.waiting().bytes, BYTES);
        assert_eq!(read(&outbox).len(), 8);
        outbox.push(vec![b'x'; 2 * BYTES].into(), Importance::Log);
        assert_eq!(read(&outbox).len(), 1);
        assert_eq!(outbox.waiting().bytes, 0);
    }

    #[test]
    fn a_client_is_sent_away_once_and_only_where_it_can_come_back() {
        let outbox = Outbox::default();
        outbox.close(Duration::ZERO);
        assert_eq!(read(&outbox), []);
        let session = SessionKey([0; 17]);
        outbox.outlive_the_request(Onward { resumable: Some(Resumable { session, polling: true }) });
        for milliseconds in 0..1000 {
            outbox.close(Duration::from_millis(milliseconds));
        }
        assert_eq!(read(&outbox), [Said::Close(Duration::from_millis(999))]);
    }

    #[test]
    fn a_report_of_progress_gives_way_to_the_next_one_with_its_token_where_many_messages_wait() {
        let outbox = Outbox::default();
        let (one, other) = (Raw::from("\"one\""), Raw::from("2"));
        outbox.push_progress(&one, "10 %".into());
        outbox.push_progress(&one, "20 %".into());
        assert_eq!(read(&outbox), [message("10 %"), message("20 %")]);
        outbox.push_progress(&other, "1 of 2".into());
        let logs = || std::iter::repeat_n("log", CROWD - 2);
        logs().for_each(|log| outbox.push(log.into(), Importance::Log));
        for report in ["30 %", "40 %", "50 %"] {
            outbox.push_progress(&one, report.into());
        }
        let expected: Vec<_> = ["1 of 2"].into_iter().chain(logs()).chain(["50 %"]).map(message).collect();
        assert_eq!(read(&outbox), expected);
    }
}
