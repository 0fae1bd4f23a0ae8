//! The log of streams in the file: three tables, and what they mean.
//!
//! Takes: events. Gives: the same bytes, also after a crash. Knows: its bounds and the wall clock. Must not know: what the
//! events say.

use std::sync::Arc;

use bytes::Bytes;
use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::{FileStore, milliseconds, now, tables::Tables};
use crate::store::{EventLimits, EventLog, Replay, Sequence, SessionKey, StoreError, StoreFuture, StreamId};

type Key = (&'static [u8; 17], &'static [u8; 16]);
/// When a stream expires, how many events it had, how many of them it holds, what these cost, whether it has ended.
type Record = (u64, u64, u64, u64, bool);
/// Session and stream → record.
const STREAMS: TableDefinition<Key, Record> = TableDefinition::new("streams");
type EventKey = (&'static [u8; 17], &'static [u8; 16], u64);
/// Session, stream and number → event.
const EVENTS: TableDefinition<EventKey, &[u8]> = TableDefinition::new("events");
/// Whether a stream holds no events, and when it expires: the order in which streams are thrown out.
type Place = (bool, u64, &'static [u8; 17], &'static [u8; 16]);
const STREAM_ORDER: TableDefinition<Place, ()> = TableDefinition::new("stream order");
/// What all streams cost together, under one name.
const STREAM_BYTES: TableDefinition<&str, u64> = TableDefinition::new("stream bytes");
const ALL: &str = "all";

pub(super) type StreamKey = (SessionKey, StreamId);

/// How many streams are dropped before a sweep takes a breath.
const SWEEP_STEP: usize = 1024;

/// One stream.
#[derive(Clone, Copy)]
struct Stream {
    expires: u64,
    last: u64,
    held: u64,
    bytes: u64,
    finished: bool,
}

impl Stream {
    fn of((expires, last, held, bytes, finished): Record) -> Self {
        Self { expires, last, held, bytes, finished }
    }

    fn record(self) -> Record {
        (self.expires, self.last, self.held, self.bytes, self.finished)
    }

    /// The number of the event before the first that is held.
    fn before(self) -> u64 {
        self.last.saturating_sub(self.held)
    }
}

/// The tables of streams within one transaction, for writing.
pub(super) struct Streams<'a> {
    streams: Table<'a, Key, Record>,
    events: Table<'a, EventKey, &'static [u8]>,
    order: Table<'a, Place, ()>,
    bytes: Table<'a, &'static str, u64>,
}

impl<'a> Streams<'a> {
    pub(super) fn of(transaction: &'a WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self {
            streams: transaction.open_table(STREAMS)?,
            events: transaction.open_table(EVENTS)?,
            order: transaction.open_table(STREAM_ORDER)?,
            bytes: transaction.open_table(STREAM_BYTES)?,
        })
    }

    /// Makes a stream; gives the streams that had to go.
    fn open(&mut self, key: StreamKey, limits: &EventLimits) -> Result<Vec<StreamKey>, redb::Error> {
        let now = now();
        if self.live(key, now)?.is_some() {
            return Ok(Vec::new());
        }
        self.remove(key)?;
        let expires = now.saturating_add(milliseconds(limits.lifetime));
        self.put(key, None, Stream { expires, last: 0, held: 0, bytes: 0, finished: false })?;
        self.count(EventLimits::STREAM as u64, 0)?;
        self.shrink(limits, key)
    }

    /// Puts an event at the end; gives its number, and the streams that had to go.
    fn append(
        &mut self,
        key: StreamKey,
        data: &[u8],
        last: bool,
        limits: &EventLimits,
    ) -> Result<(Option<Sequence>, Vec<StreamKey>), redb::Error> {
        let now = now();
        let Some(old) = self.live(key, now)?.filter(|stream| !stream.finished) else { return Ok((None, Vec::new())) };
        let cost = EventLimits::cost(data.len()) as u64;
        let mut stream = Stream {
            expires: now.saturating_add(milliseconds(limits.lifetime)),
            last: old.last.saturating_add(1),
            held: old.held + 1,
            bytes: old.bytes.saturating_add(cost),
            finished: last,
        };
        let (session, id) = parts(&key);
        self.events.insert((session, id, stream.last), data)?;
        let (most_bytes, most_events) = (limits.of_stream() as u64, limits.stream_events.max(1) as u64);
        let mut freed = 0;
        while stream.bytes > most_bytes || stream.held > most_events {
            let oldest = self.events.remove((session, id, stream.before() + 1))?;
            let cost = oldest.map_or(0, |event| EventLimits::cost(event.value().len()) as u64);
            stream.bytes = stream.bytes.saturating_sub(cost);
            stream.held = stream.held.saturating_sub(1);
            freed += cost;
        }
        self.put(key, Some(old), stream)?;
        self.count(cost, freed)?;
        Ok((Some(stream.last), self.shrink(limits, key)?))
    }

    fn touch(&mut self, key: StreamKey, limits: &EventLimits) -> Result<bool, redb::Error> {
        let now = now();
        let Some(old) = self.live(key, now)? else { return Ok(false) };
        self.put(key, Some(old), Stream { expires: now.saturating_add(milliseconds(limits.lifetime)), ..old })?;
        Ok(true)
    }

    fn drop_session(&mut self, session: SessionKey) -> Result<Vec<StreamKey>, redb::Error> {
        let mut keys = Vec::new();
        for entry in self.streams.range((&session.0, &[0; 16])..=(&session.0, &[u8::MAX; 16]))? {
            keys.push((session, StreamId(*entry?.0.value().1)));
        }
        for key in &keys {
            self.remove(*key)?;
        }
        Ok(keys)
    }

    /// Drops those of these streams whose time has passed: one may have been touched since it was found.
    fn drop_expired(&mut self, keys: &[StreamKey]) -> Result<Vec<StreamKey>, redb::Error> {
        let now = now();
        let mut gone = Vec::new();
        for key in keys {
            if self.stream(*key)?.is_some_and(|stream| stream.expires <= now) {
                self.remove(*key)?;
                gone.push(*key);
            }
        }
        Ok(gone)
    }

    /// Drops events, then streams, until the rest costs no more than it may; the stream in use stays. Gives the streams
    /// that are gone.
    fn shrink(&mut self, limits: &EventLimits, in_use: StreamKey) -> Result<Vec<StreamKey>, redb::Error> {
        let mut gone = Vec::new();
        while self.bytes.get(ALL)?.map_or(0, |bytes| bytes.value()) > limits.bytes as u64 {
            let mut next = None;
            for entry in self.order.iter()? {
                let key = key_of(entry?.0.value());
                if key != in_use {
                    next = Some(key);
                    break;
                }
            }
            let Some(key) = next else { break };
            match self.stream(key)? {
                Some(old) if old.held > 0 => {
                    self.drop_events(key)?;
                    self.put(key, Some(old), Stream { held: 0, bytes: 0, ..old })?;
                    self.count(0, old.bytes)?;
                }
                _ => {
                    self.remove(key)?;
                    gone.push(key);
                }
            }
        }
        Ok(gone)
    }

    fn stream(&self, key: StreamKey) -> Result<Option<Stream>, redb::Error> {
        Ok(self.streams.get(parts(&key))?.map(|record| Stream::of(record.value())))
    }

    fn live(&self, key: StreamKey, now: u64) -> Result<Option<Stream>, redb::Error> {
        Ok(self.stream(key)?.filter(|stream| now < stream.expires))
    }

    fn put(&mut self, key: StreamKey, old: Option<Stream>, new: Stream) -> Result<(), redb::Error> {
        let (session, id) = parts(&key);
        if let Some(old) = old {
            self.order.remove((old.held == 0, old.expires, session, id))?;
        }
        self.order.insert((new.held == 0, new.expires, session, id), ())?;
        self.streams.insert((session, id), new.record())?;
        Ok(())
    }

    fn remove(&mut self, key: StreamKey) -> Result<(), redb::Error> {
        let Some(old) = self.stream(key)? else { return Ok(()) };
        let (session, id) = parts(&key);
        self.drop_events(key)?;
        self.order.remove((old.held == 0, old.expires, session, id))?;
        self.streams.remove((session, id))?;
        self.count(0, old.bytes.saturating_add(EventLimits::STREAM as u64))
    }

    fn drop_events(&mut self, key: StreamKey) -> Result<(), redb::Error> {
        let (session, id) = parts(&key);
        self.events.retain_in((session, id, 0)..=(session, id, u64::MAX), |_, _| false)?;
        Ok(())
    }

    fn count(&mut self, more: u64, less: u64) -> Result<(), redb::Error> {
        let all = self.bytes.get(ALL)?.map_or(0, |bytes| bytes.value());
        self.bytes.insert(ALL, all.saturating_add(more).saturating_sub(less))?;
        Ok(())
    }
}

fn parts(key: &StreamKey) -> (&[u8; 17], &[u8; 16]) {
    (&key.0.0, &key.1.0)
}

fn key_of((_, _, session, stream): (bool, u64, &[u8; 17], &[u8; 16])) -> StreamKey {
    (SessionKey(*session), StreamId(*stream))
}

/// Some of the streams whose time has passed.
fn expired(database: &Database) -> Result<Vec<StreamKey>, redb::Error> {
    let order = database.begin_read()?.open_table(STREAM_ORDER)?;
    let now = now();
    let mut expired = Vec::new();
    for bare in [false, true] {
        let passed = (bare, 0, &[0; 17], &[0; 16])..=(bare, now, &[u8::MAX; 17], &[u8::MAX; 16]);
        for entry in order.range(passed)?.take(SWEEP_STEP) {
            expired.push(key_of(entry?.0.value()));
        }
    }
    Ok(expired)
}

fn live(database: &Database, key: StreamKey) -> Result<Option<Stream>, redb::Error> {
    let streams = database.begin_read()?.open_table(STREAMS)?;
    let stream = streams.get(parts(&key))?.map(|record| Stream::of(record.value()));
    Ok(stream.filter(|stream| now() < stream.expires))
}

fn read(database: &Database, key: StreamKey, after: Sequence, limit: usize) -> Result<Replay, redb::Error> {
    let transaction = database.begin_read()?;
    let streams = transaction.open_table(STREAMS)?;
    let (session, id) = parts(&key);
    let stream = streams.get((session, id))?.map(|record| Stream::of(record.value()));
    let Some(stream) = stream.filter(|stream| now() < stream.expires && after <= stream.last) else {
        return Ok(Replay::Unknown);
    };
    let mut events = Vec::new();
    let mut reached = after.max(stream.before());
    let table = transaction.open_table(EVENTS)?;
    for entry in table.range((session, id, reached.saturating_add(1))..=(session, id, u64::MAX))?.take(limit) {
        let (place, event) = entry?;
        reached = place.value().2;
        events.push((reached, Bytes::copy_from_slice(event.value())));
    }
    let finished = stream.finished && reached == stream.last;
    Ok(Replay::Events { events, gap: after < stream.before(), finished })
}

impl EventLog for FileStore {
    fn open(&self, session: SessionKey, stream: StreamId) -> StoreFuture<'_, ()> {
        StoreFuture::new(async move {
            let (limits, bells) = (self.event_limits, Arc::clone(&self.event_bells));
            let ring = move |gone: &Vec<StreamKey>| gone.iter().for_each(|key| bells.ring(*key));
            let open = move |tables: &mut Tables<'_>| tables.streams()?.open((session, stream), &limits);
            self.writer.send_and_tell(open, ring).await.map(drop)
        })
    }

    fn append(
        &self,
        session: SessionKey,
        stream: StreamId,
        data: Bytes,
        last: bool,
    ) -> StoreFuture<'_, Option<Sequence>> {
        StoreFuture::new(async move {
            let (limits, bells, key) = (self.event_limits, Arc::clone(&self.event_bells), (session, stream));
            limits.check(data.len())?;
            let ring = move |(_, gone): &(_, Vec<StreamKey>)| {
                bells.ring(key);
                gone.iter().for_each(|key| bells.ring(*key));
            };
            let append = move |tables: &mut Tables<'_>| tables.streams()?.append(key, &data, last, &limits);
            self.writer.send_and_tell(append, ring).await.map(|(number, _)| number)
        })
    }

    fn read_after(
        &self,
        session: SessionKey,
        stream: StreamId,
        after: Sequence,
        limit: usize,
    ) -> StoreFuture<'_, Replay> {
        StoreFuture::new(self.look(move |database| read(database, (session, stream), after, limit)))
    }

    fn changed(&self, session: SessionKey, stream: StreamId, after: Sequence) -> StoreFuture<'_, ()> {
        let key = (session, stream);
        StoreFuture::new(self.event_bells.wait(key, move || async move {
            let stream = self.look(move |database| live(database, key)).await?;
            Ok::<_, StoreError>(stream.is_none_or(|stream| stream.finished || stream.last != after))
        }))
    }

    fn touch(&self, session: SessionKey, stream: StreamId) -> StoreFuture<'_, bool> {
        let limits = self.event_limits;
        StoreFuture::new(self.writer.send(move |tables| tables.streams()?.touch((session, stream), &limits)))
    }

    fn drop_session(&self, session: SessionKey) -> StoreFuture<'_, ()> {
        StoreFuture::new(async move {
            let bells = Arc::clone(&self.event_bells);
            let ring = move |gone: &Vec<StreamKey>| gone.iter().for_each(|key| bells.ring(*key));
            self.writer.send_and_tell(move |tables| tables.streams()?.drop_session(session), ring).await.map(drop)
        })
    }

    fn sweep(&self) -> StoreFuture<'_, usize> {
        StoreFuture::new(async move {
            let mut dropped = 0;
            loop {
                // Some at a time, so that commits get their turn in between; nothing is written for nothing.
                let expired = self.look(expired).await?;
                if expired.is_empty() {
                    return Ok(dropped);
                }
                let bells = Arc::clone(&self.event_bells);
                let ring = move |gone: &Vec<StreamKey>| gone.iter().for_each(|key| bells.ring(*key));
                let drop = move |tables: &mut Tables<'_>| tables.streams()?.drop_expired(&expired);
                dropped += self.writer.send_and_tell(drop, ring).await?.len();
            }
        })
    }
}
