//! Events of streams in PostgreSQL: a row for each stream, and one for each event that is kept.

use bytes::Bytes;
use tokio_postgres::types::Type;

use super::{
    PostgresStore, at_most,
    bells::Bell,
    link::Statement::{Once, Repeatable},
    milliseconds, misunderstood, unsigned, until_few,
};
use crate::store::{EventLimits, EventLog, Replay, Sequence, SessionKey, StoreError, StoreFuture, StreamId};

/// How many streams are swept at once, so that no statement takes long.
const BATCH: i64 = 200;

impl PostgresStore {
    async fn append_now(
        &self,
        session: SessionKey,
        stream: StreamId,
        data: &Bytes,
        last: bool,
    ) -> Result<Option<Sequence>, StoreError> {
        let limits = &self.event_limits;
        limits.check(data.len())?;
        let appended = self
            .link
            .row(
                Once,
                "SELECT stream_append($1, $2, $3, $4, $5, $6, $7, $8)",
                &[
                    (&&session.0[..], Type::BYTEA),
                    (&&stream.0[..], Type::BYTEA),
                    (&&data[..], Type::BYTEA),
                    (&last, Type::BOOL),
                    (&milliseconds(limits.lifetime), Type::INT8),
                    (&at_most(limits.of_stream()), Type::INT8),
                    (&at_most(EventLimits::cost(0)), Type::INT8),
                    (&at_most(limits.stream_events.max(1)), Type::INT8),
                ],
            )
            .await?;
        let number = unsigned(appended.try_get(0).map_err(|_| misunderstood())?)?;
        self.bells.ring(&self.link, Bell::Stream(session, stream));
        Ok(Some(number).filter(|number| *number > 0))
    }

    async fn read_now(
        &self,
        session: SessionKey,
        stream: StreamId,
        after: Sequence,
        limit: usize,
    ) -> Result<Replay, StoreError> {
        let Ok(wanted) = i64::try_from(after) else { return Ok(Replay::Unknown) };
        let found = self
            .link
            .rows(
                Repeatable,
                "SELECT streams.last, streams.first, streams.finished, found.number, found.content FROM streams LEFT JOIN \
                 LATERAL (SELECT number, content FROM events WHERE events.session = streams.session AND events.stream = \
                 streams.stream AND number > $3 ORDER BY number LIMIT $4) AS found ON true WHERE streams.session = $1 AND \
                 streams.stream = $2 AND expires_at > now() ORDER BY found.number",
                &[
                    (&&session.0[..], Type::BYTEA),
                    (&&stream.0[..], Type::BYTEA),
                    (&wanted, Type::INT8),
                    (&at_most(limit), Type::INT8),
                ],
            )
            .await?;
        let Some(facts) = found.first() else { return Ok(Replay::Unknown) };
        let count = |at: usize| unsigned(facts.try_get(at).map_err(|_| misunderstood())?);
        let (last, first) = (count(0)?, count(1)?);
        let has_ended: bool = facts.try_get(2).map_err(|_| misunderstood())?;
        if after > last {
            return Ok(Replay::Unknown);
        }
        let mut events = Vec::with_capacity(found.len());
        for row in &found {
            let number: Option<i64> = row.try_get(3).map_err(|_| misunderstood())?;
            let Some(number) = number else { continue };
            let content: Vec<u8> = row.try_get(4).map_err(|_| misunderstood())?;
            events.push((unsigned(number)?, content.into()));
        }
        let reaches = events.last().map_or(after.max(first.saturating_sub(1)), |(number, _)| *number);
        Ok(Replay::Events { events, gap: after.saturating_add(1) < first, finished: has_ended && reaches == last })
    }

    async fn has_more(&self, session: SessionKey, stream: StreamId, after: Sequence) -> Result<bool, StoreError> {
        let last = "SELECT last, finished FROM streams WHERE session = $1 AND stream = $2 AND expires_at > now()";
        let found =
            self.link.rows(Repeatable, last, &[(&&session.0[..], Type::BYTEA), (&&stream.0[..], Type::BYTEA)]).await?;
        let Some(facts) = found.first() else { return Ok(true) };
        let last = unsigned(facts.try_get(0).map_err(|_| misunderstood())?)?;
        Ok(last != after || facts.try_get(1).map_err(|_| misunderstood())?)
    }

    async fn forget(&self, session: SessionKey) -> Result<(), StoreError> {
        let dropped = self.link.row(Repeatable, "SELECT stream_drop($1)", &[(&&session.0[..], Type::BYTEA)]).await?;
        let dropped: Vec<Vec<u8>> = dropped.try_get(0).map_err(|_| misunderstood())?;
        let streams = dropped.iter().filter_map(|stream| stream.as_slice().try_into().ok().map(StreamId));
        streams.for_each(|stream| self.bells.ring(&self.link, Bell::Stream(session, stream)));
        Ok(())
    }
}

/// What one stream keeps is limited; what all keep together is limited by the disk.
impl EventLog for PostgresStore {
    fn open(&self, session: SessionKey, stream: StreamId) -> StoreFuture<'_, ()> {
        StoreFuture::new(async move {
            let lifetime = milliseconds(self.event_limits.lifetime);
            self.link
                .rows(
                    Repeatable,
                    "SELECT stream_open($1, $2, $3)",
                    &[(&&session.0[..], Type::BYTEA), (&&stream.0[..], Type::BYTEA), (&lifetime, Type::INT8)],
                )
                .await?;
            Ok(())
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
            let lifetime = milliseconds(self.event_limits.lifetime);
            let touched = self
                .link
                .rows(
                    Repeatable,
                    "UPDATE streams SET expires_at = renewed(expires_at, now(), $3 * interval '1 millisecond') WHERE session \
                     = $1 AND stream = $2 AND expires_at > now() RETURNING true",
                    &[(&&session.0[..], Type::BYTEA), (&&stream.0[..], Type::BYTEA), (&lifetime, Type::INT8)],
                )
                .await?;
            Ok(!touched.is_empty())
        })
    }

    fn drop_session(&self, session: SessionKey) -> StoreFuture<'_, ()> {
        StoreFuture::new(self.forget(session))
    }

    /// Forgets messages between instances too whose time has passed; these are not counted.
    fn sweep(&self) -> StoreFuture<'_, usize> {
        StoreFuture::new(async {
            self.link.rows(Repeatable, "SELECT bus_sweep()", &[]).await?;
            until_few(&self.link, "SELECT stream_sweep($1)", BATCH).await
        })
    }
}
