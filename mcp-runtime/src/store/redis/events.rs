//! Events of streams in Redis: for each stream a hash of facts and a list of events, and for each session the names of its
//! streams.
//!
//! The number of an event is its place in the list plus what was dropped before; every reader has its own number.

use std::sync::LazyLock;

use bytes::Bytes;
use redis::{Cmd, Value};

use super::{Key, Link, RedisStore, Script, bells::Bell, milliseconds, misunderstood, number, script, text};
use crate::store::{EventLimits, EventLog, Replay, Sequence, SessionKey, StoreError, StoreFuture, StreamId};

script!(OPEN, "stream_open");
script!(APPEND, "stream_append");
script!(READ, "stream_read");
script!(TOUCH, "stream_touch");
script!(DROP, "stream_drop");

/// How many streams of a session are forgotten at once.
const PAGE: usize = 256;

/// The facts of a stream and its events.
fn keys_of(link: &Link, session: SessionKey, stream: StreamId) -> [Key; 2] {
    let stream = super::letters(&stream.0);
    [link.of_session(session, &format!("stream:{stream}")), link.of_session(session, &format!("events:{stream}"))]
}

/// The same, and the names of the session's streams.
fn keys(link: &Link, session: SessionKey, stream: StreamId) -> [Key; 3] {
    let [facts, events] = keys_of(link, session, stream);
    [facts, events, streams(link, session)]
}

fn streams(link: &Link, session: SessionKey) -> Key {
    link.of_session(session, "streams")
}

impl RedisStore {
    fn named<'a>(&self, command: &'a mut Cmd, stream: StreamId) -> &'a mut Cmd {
        command.arg(&stream.0).arg(milliseconds(self.event_limits.lifetime))
    }

    async fn append_now(
        &self,
        session: SessionKey,
        stream: StreamId,
        data: &Bytes,
        last: bool,
    ) -> Result<Option<Sequence>, StoreError> {
        let limits = &self.event_limits;
        limits.check(data.len())?;
        let bell = Bell::Stream(session, stream);
        let appended: Sequence = self
            .link
            .call(&APPEND, &keys(&self.link, session, stream), |command| {
                self.named(command, stream).arg(&data[..]).arg(u8::from(last));
                command.arg(limits.of_stream()).arg(EventLimits::cost(0)).arg(limits.stream_events.max(1));
                command.arg(self.link.channel(bell));
            })
            .await?;
        self.bells.ring(bell);
        Ok(Some(appended).filter(|number| *number > 0))
    }

    async fn read_now(
        &self,
        session: SessionKey,
        stream: StreamId,
        after: Sequence,
        limit: usize,
    ) -> Result<Replay, StoreError> {
        let found: Vec<Value> = self
            .link
            .call(&READ, &keys_of(&self.link, session, stream), |command| {
                command.arg(after).arg(limit);
            })
            .await?;
        let [from, gap, finished, events @ ..] = &*found else { return Ok(Replay::Unknown) };
        let from = text(from).and_then(number).ok_or_else(misunderstood)?;
        let mut numbered = Vec::with_capacity(events.len());
        for (number, event) in (from + 1..).zip(events) {
            numbered.push((number, Bytes::copy_from_slice(text(event).ok_or_else(misunderstood)?)));
        }
        let is = |fact: &Value| text(fact) == Some(b"1");
        Ok(Replay::Events { events: numbered, gap: is(gap), finished: is(finished) })
    }

    async fn has_more(&self, session: SessionKey, stream: StreamId, after: Sequence) -> Result<bool, StoreError> {
        let [facts, _] = keys_of(&self.link, session, stream);
        let mut command = redis::cmd("HMGET");
        command.arg(facts).arg("last").arg("finished");
        let (last, finished): (Option<Sequence>, Option<String>) = self.link.command(&command).await?;
        Ok(last.is_none_or(|last| last != after) || finished.as_deref() == Some("1"))
    }

    async fn forget(&self, session: SessionKey) -> Result<(), StoreError> {
        let all = streams(&self.link, session);
        loop {
            let mut command = redis::cmd("ZRANGE");
            command.arg(&all).arg(0).arg(PAGE - 1);
            let names: Vec<Vec<u8>> = self.link.command(&command).await?;
            let names: Vec<_> =
                names.iter().filter_map(|name| Some(StreamId(name.as_slice().try_into().ok()?))).collect();
            if names.is_empty() {
                return Ok(());
            }
            let mut keys = vec![all.clone()];
            keys.extend(names.iter().flat_map(|stream| keys_of(&self.link, session, *stream)));
            let named = |command: &mut Cmd| {
                for stream in &names {
                    command.arg(&stream.0).arg(self.link.channel(Bell::Stream(session, *stream)));
                }
            };
            let () = self.link.call(&DROP, &keys, named).await?;
            names.iter().for_each(|stream| self.bells.ring(Bell::Stream(session, *stream)));
        }
    }
}

/// What one stream keeps is limited; what all keep together is limited by the memory that Redis may use.
impl EventLog for RedisStore {
    fn open(&self, session: SessionKey, stream: StreamId) -> StoreFuture<'_, ()> {
        StoreFuture::new(async move {
            let named = |command: &mut Cmd| {
                self.named(command, stream);
            };
            self.link.call(&OPEN, &keys(&self.link, session, stream), named).await
        })
    }

    fn append(
        &self,
        session: SessionKey,
        stream: StreamId,
        data: Bytes,
        last: bool,
    ) -> StoreFuture<'_, Option<Sequence>> {
        StoreFuture::new(async move { self.append_now(session, stream, &data, last).await })
    }

    fn read_after(
        &self,
        session: SessionKey,
        stream: StreamId,
        after: Sequence,
        limit: usize,
    ) -> StoreFuture<'_, Replay> {
        StoreFuture::new(self.read_now(session, stream, after, limit))
    }

    fn changed(&self, session: SessionKey, stream: StreamId, after: Sequence) -> StoreFuture<'_, ()> {
        let look = move || self.has_more(session, stream, after);
        StoreFuture::new(self.bells.wait(&self.link, Bell::Stream(session, stream), look))
    }

    fn touch(&self, session: SessionKey, stream: StreamId) -> StoreFuture<'_, bool> {
        StoreFuture::new(async move {
            let named = |command: &mut Cmd| {
                self.named(command, stream);
            };
            self.link.call(&TOUCH, &keys(&self.link, session, stream), named).await
        })
    }

    fn drop_session(&self, session: SessionKey) -> StoreFuture<'_, ()> {
        StoreFuture::new(self.forget(session))
    }
}
