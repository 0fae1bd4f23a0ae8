//! The trait of a log for the messages of streams, from which a client that lost its connection reads what it missed.

use std::{fmt, time::Duration};

use bytes::Bytes;

use super::{SessionKey, StoreError, StoreFuture};

/// The name of one stream: random, so that two streams of a session never share one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub [u8; 16]);

impl fmt::Debug for StreamId {
    /// The first four bytes: enough to tell streams apart in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(formatter, "StreamId({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// The number of an event in its stream: 1 for the first, one more for each that follows; 0 stands before the first.
pub type Sequence = u64;

/// What [`EventLog::read_after`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The session has no such stream, or not any more, or the stream has no event of that number.
    Unknown,
    /// The events that follow.
    Events {
        /// They, in order, each with its number.
        events: Vec<(Sequence, Bytes)>,
        /// Whether events between the one named and the first of these were dropped to make room.
        gap: bool,
        /// Whether the stream ends with these events: nothing follows them, now or later.
        finished: bool,
    },
}

/// How much a log keeps, and for how long.
///
/// # Source
/// Our choice: a client that lost its connection comes back within minutes or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventLimits {
    /// How many bytes one stream keeps; 1 MiB by default. Beyond it, the oldest events are dropped.
    pub stream_bytes: usize,
    /// How many events one stream keeps; 1024 by default. Beyond it, the oldest events are dropped.
    pub stream_events: usize,
    /// How many bytes all streams keep together; 64 MiB by default. Beyond it, the events of the streams that were
    /// longest without a new one are dropped, then these streams.
    pub bytes: usize,
    /// How long a stream is kept after its last event or touch; five minutes by default.
    pub lifetime: Duration,
}

impl Default for EventLimits {
    fn default() -> Self {
        Self { stream_bytes: 1 << 20, stream_events: 1024, bytes: 64 << 20, lifetime: Duration::from_secs(5 * 60) }
    }
}

impl EventLimits {
    /// What an event costs besides its bytes.
    const EVENT: usize = 64;
    /// What a stream costs besides its events.
    pub(super) const STREAM: usize = 256;

    /// What an event of this many bytes is counted as.
    pub(super) fn cost(data: usize) -> usize {
        data.saturating_add(Self::EVENT)
    }

    /// What the events of one stream may cost together, so that one stream fits into the log.
    pub(super) fn of_stream(&self) -> usize {
        self.stream_bytes.min(self.bytes.saturating_sub(Self::STREAM))
    }

    /// Refuses an event that is larger than a stream may be.
    pub(super) fn check(&self, bytes: usize) -> Result<(), StoreError> {
        let limit = self.of_stream().saturating_sub(Self::EVENT);
        if bytes > limit { Err(StoreError::TooLarge { bytes, limit }) } else { Ok(()) }
    }
}

/// Keeps the messages of streams: bytes by session and stream, numbered.
///
/// A stream is opened, grows by events until its last one, and is forgotten some time after that. What is forgotten does
/// not come back: a number, once given, never names another event. Each event and each stream is counted as a little more
/// than its bytes, so that a limit in bytes limits their number too.
///
/// [`conformance::check_event_log`](super::conformance::check_event_log) is the suite that every implementation must
/// pass.
pub trait EventLog: Send + Sync + 'static {
    /// Makes a stream without events. One that is there stays as it is.
    ///
    /// # Errors
    /// [`StoreError`], to the caller.
    fn open(&self, session: SessionKey, stream: StreamId) -> StoreFuture<'_, ()>;

    /// Puts an event at the end of a stream and gives its number; `last` ends the stream. `None`, and nothing is kept, if
    /// the stream is unknown or has ended.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] for an event that is larger than a stream may be: nothing is
    /// kept, the stream stays as it was. [`StoreError::Unavailable`] when the engine
    /// failed: whether the event is kept is unknown.
    ///
    /// # Cancellation
    /// Dropping the future leaves open whether the event is kept.
    fn append(
        &self,
        session: SessionKey,
        stream: StreamId,
        data: Bytes,
        last: bool,
    ) -> StoreFuture<'_, Option<Sequence>>;

    /// The events after the one of this number, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`], to the caller.
    fn read_after(
        &self,
        session: SessionKey,
        stream: StreamId,
        after: Sequence,
        limit: usize,
    ) -> StoreFuture<'_, Replay>;

    /// Waits until there is more to read after the event of this number: a later event, the stream's end, or that it is
    /// unknown. It may end too early, and late or never for what another process did: read afterwards, and wait with a
    /// limit.
    ///
    /// # Errors
    /// [`StoreError`], to the caller.
    fn changed(&self, session: SessionKey, stream: StreamId, after: Sequence) -> StoreFuture<'_, ()>;

    /// Keeps a stream for its whole lifetime from now on; `false` if it is unknown.
    ///
    /// # Errors
    /// [`StoreError`], to the caller.
    fn touch(&self, session: SessionKey, stream: StreamId) -> StoreFuture<'_, bool>;

    /// Forgets all streams of a session.
    ///
    /// # Errors
    /// [`StoreError`], to the caller.
    fn drop_session(&self, session: SessionKey) -> StoreFuture<'_, ()>;

    /// Forgets streams whose time has passed; gives their number. Called now and then by the server; a log whose engine
    /// expires by itself has nothing to do.
    ///
    /// # Errors
    /// [`StoreError`], to the log.
    fn sweep(&self) -> StoreFuture<'_, usize> {
        StoreFuture::ready(Ok(0))
    }
}
