//! The log of streams inside the process.
//!
//! Takes: events. Gives: the same bytes, shared. Knows: its bounds and the clock. Must not know: what the events say.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt, mem,
    ops::RangeInclusive,
    sync::Mutex,
};

use bytes::Bytes;
use tokio::time::Instant;

use super::{after, lock};
use crate::store::{
    EventLimits, EventLog, Replay, Sequence, SessionKey, StoreError, StoreFuture, StreamId, doorbell::Doorbells,
};

/// Keeps the events of streams in memory, bounded; they are gone with the process.
///
/// When it is full, the streams that were longest without a new event lose theirs.
pub struct MemoryEventLog {
    limits: EventLimits,
    streams: Mutex<Streams>,
    bells: Doorbells<StreamKey>,
}

type StreamKey = (SessionKey, StreamId);

/// Where a stream stands in the order in which streams are thrown out: those with events first, then those without; of
/// each, the one that was longest without use.
type Place = (bool, u64);

#[derive(Default)]
struct Streams {
    by_key: BTreeMap<StreamKey, Stream>,
    order: BTreeMap<Place, StreamKey>,
    bytes: usize,
    uses: u64,
}

struct Stream {
    place: Place,
    expires: Instant,
    events: VecDeque<Bytes>,
    /// What the events cost together.
    bytes: usize,
    last: Sequence,
    finished: bool,
}

impl MemoryEventLog {
    /// An empty log with the limits that are usual.
    #[must_use]
    pub fn new() -> Self {
        Self { limits: EventLimits::default(), streams: Mutex::default(), bells: Doorbells::default() }
    }

    /// Keeps this much instead.
    #[must_use]
    pub fn with_limits(mut self, limits: EventLimits) -> Self {
        self.limits = limits;
        self
    }

    fn open_now(&self, key: StreamKey) {
        let now = Instant::now();
        let mut streams = lock(&self.streams);
        if streams.live(key, now).is_some() {
            return;
        }
        streams.remove(key);
        let stream = Stream {
            place: (true, 0),
            expires: after(now, self.limits.lifetime),
            events: VecDeque::new(),
            bytes: 0,
            last: 0,
            finished: false,
        };
        streams.bytes += EventLimits::STREAM;
        streams.by_key.insert(key, stream);
        streams.use_now(key);
        let dropped = streams.shrink(self.limits.bytes, key);
        self.tell(streams, dropped);
    }

    fn append_now(&self, key: StreamKey, data: Bytes, last: bool) -> Result<Option<Sequence>, StoreError> {
        self.limits.check(data.len())?;
        let (cost, limit) = (EventLimits::cost(data.len()), self.limits.of_stream());
        let now = Instant::now();
        let mut streams = lock(&self.streams);
        let Some(stream) = streams.live(key, now).filter(|stream| !stream.finished) else { return Ok(None) };
        stream.last += 1;
        stream.finished = last;
        stream.expires = after(now, self.limits.lifetime);
        stream.events.push_back(data);
        stream.bytes += cost;
        let number = stream.last;
        let mut freed = 0;
        while stream.bytes > limit || stream.events.len() > self.limits.stream_events.max(1) {
            let Some(oldest) = stream.events.pop_front() else { break };
            let cost = EventLimits::cost(oldest.len());
            stream.bytes = stream.bytes.saturating_sub(cost);
            freed += cost;
        }
        streams.bytes = (streams.bytes + cost).saturating_sub(freed);
        streams.use_now(key);
        let mut changed = streams.shrink(self.limits.bytes, key);
        changed.push(key);
        self.tell(streams, changed);
        Ok(Some(number))
    }

    fn read_now(&self, key: StreamKey, after: Sequence, limit: usize) -> Replay {
        let now = Instant::now();
        let mut streams = lock(&self.streams);
        match streams.live(key, now) {
            Some(stream) if after <= stream.last => stream.replay(after, limit),
            _ => Replay::Unknown,
        }
    }

    fn touch_now(&self, key: StreamKey) -> bool {
        let now = Instant::now();
        let mut streams = lock(&self.streams);
        let Some(stream) = streams.live(key, now) else { return false };
        stream.expires = after(now, self.limits.lifetime);
        streams.use_now(key);
        true
    }

    fn drop_now(&self, session: SessionKey) {
        let mut streams = lock(&self.streams);
        let keys: Vec<_> = streams.by_key.range(of(session)).map(|(key, _)| *key).collect();
        keys.iter().for_each(|key| streams.remove(*key));
        self.tell(streams, keys);
    }

    fn sweep_now(&self) -> usize {
        let now = Instant::now();
        let mut streams = lock(&self.streams);
        let expired = streams.by_key.iter().filter(|(_, stream)| stream.expires <= now).map(|(key, _)| *key);
        let keys: Vec<_> = expired.collect();
        keys.iter().for_each(|key| streams.remove(*key));
        let dropped = keys.len();
        self.tell(streams, keys);
        dropped
    }

    /// Rings for these streams once what happened to them can be seen.
    fn tell(&self, streams: impl Sized, changed: Vec<StreamKey>) {
        drop(streams);
        changed.into_iter().for_each(|key| self.bells.ring(key));
    }
}

impl Default for MemoryEventLog {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryEventLog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let streams = lock(&self.streams);
        let mut shown = formatter.debug_struct("MemoryEventLog");
        shown.field("bytes", &streams.bytes).field("streams", &streams.by_key.len()).finish_non_exhaustive()
    }
}

impl Streams {
    fn live(&mut self, key: StreamKey, now: Instant) -> Option<&mut Stream> {
        self.by_key.get_mut(&key).filter(|stream| now < stream.expires)
    }

    /// Puts a stream at the end of the order.
    fn use_now(&mut self, key: StreamKey) {
        let Some(stream) = self.by_key.get_mut(&key) else { return };
        self.order.remove(&stream.place);
        self.uses += 1;
        stream.place = (stream.events.is_empty(), self.uses);
        self.order.insert(stream.place, key);
    }

    fn remove(&mut self, key: StreamKey) {
        if let Some(stream) = self.by_key.remove(&key) {
            self.order.remove(&stream.place);
            self.bytes = self.bytes.saturating_sub(stream.bytes + EventLimits::STREAM);
        }
    }

    /// Drops events, then streams, until the rest costs no more than this; the stream in use stays. Gives the streams
    /// that are gone.
    fn shrink(&mut self, limit: usize, in_use: StreamKey) -> Vec<StreamKey> {
        let mut gone = Vec::new();
        while self.bytes > limit {
            let Some(key) = self.order.values().find(|key| **key != in_use).copied() else { break };
            match self.by_key.get_mut(&key) {
                Some(stream) if !stream.events.is_empty() => {
                    stream.events = VecDeque::new();
                    self.bytes = self.bytes.saturating_sub(mem::take(&mut stream.bytes));
                    self.order.remove(&stream.place);
                    stream.place.0 = true;
                    self.order.insert(stream.place, key);
                }
                _ => {
                    self.remove(key);
                    gone.push(key);
                }
            }
        }
        gone
    }
}

impl Stream {
    fn replay(&self, after: Sequence, limit: usize) -> Replay {
        // The number of the event before the first that is kept.
        let before = self.last.saturating_sub(self.events.len() as u64);
        let from = after.max(before);
        let skip = usize::try_from(from - before).unwrap_or(usize::MAX);
        let events: Vec<_> = (from + 1..).zip(self.events.iter().skip(skip).take(limit).cloned()).collect();
        let reached = from + events.len() as u64;
        Replay::Events { events, gap: after < before, finished: self.finished && reached == self.last }
    }

    fn has_more(&self, after: Sequence) -> bool {
        self.finished || after != self.last
    }
}

/// The keys of a session's streams.
fn of(session: SessionKey) -> RangeInclusive<StreamKey> {
    (session, StreamId([0; 16]))..=(session, StreamId([u8::MAX; 16]))
}

impl EventLog for MemoryEventLog {
    fn open(&self, session: SessionKey, stream: StreamId) -> StoreFuture<'_, ()> {
        self.open_now((session, stream));
        StoreFuture::ready(Ok(()))
    }

    fn append(
        &self,
        session: SessionKey,
        stream: StreamId,
        data: Bytes,
        last: bool,
    ) -> StoreFuture<'_, Option<Sequence>> {
        StoreFuture::ready(self.append_now((session, stream), data, last))
    }

    fn read_after(
        &self,
        session: SessionKey,
        stream: StreamId,
        after: Sequence,
        limit: usize,
    ) -> StoreFuture<'_, Replay> {
        StoreFuture::ready(Ok(self.read_now((session, stream), after, limit)))
    }

    fn changed(&self, session: SessionKey, stream: StreamId, after: Sequence) -> StoreFuture<'_, ()> {
        let key = (session, stream);
        StoreFuture::new(self.bells.wait(key, move || {
            let now = Instant::now();
            let more = lock(&self.streams).live(key, now).is_none_or(|stream| stream.has_more(after));
            std::future::ready(Ok(more))
        }))
    }

    fn touch(&self, session: SessionKey, stream: StreamId) -> StoreFuture<'_, bool> {
        StoreFuture::ready(Ok(self.touch_now((session, stream))))
    }

    fn drop_session(&self, session: SessionKey) -> StoreFuture<'_, ()> {
        self.drop_now(session);
        StoreFuture::ready(Ok(()))
    }

    fn sweep(&self) -> StoreFuture<'_, usize> {
        StoreFuture::ready(Ok(self.sweep_now()))
    }
}
