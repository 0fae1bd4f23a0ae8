//! The bus in PostgreSQL: a row for each topic, and one for each message, of which every reader has its own number.

use bytes::Bytes;
use tokio_postgres::types::Type;

use super::{
    PostgresStore, at_most,
    bells::Bell,
    link::Statement::{Once, Repeatable},
    milliseconds, misunderstood, unsigned,
};
use crate::store::{Bus, Heard, Sequence, StoreError, StoreFuture, Topic};

/// What a topic is called in the tables.
fn name(topic: &Topic) -> &[u8] {
    match topic {
        Topic::Everyone => &[],
        Topic::Instance(instance) => &instance.0,
    }
}

impl PostgresStore {
    async fn say(&self, topic: Topic, message: &Bytes) -> Result<(), StoreError> {
        self.bus_limits.check(message.len())?;
        self.link
            .rows(
                Once,
                "SELECT bus_publish($1, $2, $3, $4)",
                &[
                    (&name(&topic), Type::BYTEA),
                    (&&message[..], Type::BYTEA),
                    (&milliseconds(self.bus_limits.lifetime), Type::INT8),
                    (&at_most(self.bus_limits.messages.max(1)), Type::INT8),
                ],
            )
            .await?;
        self.bells.ring(&self.link, Bell::Topic(topic));
        Ok(())
    }

    async fn last(&self, topic: Topic) -> Result<Sequence, StoreError> {
        let last = "SELECT last FROM topics WHERE topic = $1";
        let found = self.link.rows(Repeatable, last, &[(&name(&topic), Type::BYTEA)]).await?;
        found.first().map_or(Ok(0), |row| unsigned(row.try_get(0).map_err(|_| misunderstood())?))
    }

    async fn hear(&self, topic: Topic, after: Sequence, limit: usize) -> Result<Heard, StoreError> {
        let found = self
            .link
            .rows(
                Repeatable,
                // Of a topic whose time has passed everything is dropped, swept or not.
                "SELECT CASE WHEN expires_at > now() THEN dropped ELSE last END > $2, found.number, found.content FROM topics \
                 LEFT JOIN LATERAL (SELECT number, content FROM messages WHERE messages.topic = topics.topic AND number > $2 \
                 AND topics.expires_at > now() ORDER BY number LIMIT $3) AS found ON true WHERE topics.topic = $1 ORDER BY \
                 found.number",
                &[
                    (&name(&topic), Type::BYTEA),
                    (&i64::try_from(after).unwrap_or(i64::MAX), Type::INT8),
                    (&at_most(limit), Type::INT8),
                ],
            )
            .await?;
        let mut heard = Heard { messages: Vec::with_capacity(found.len()), gap: false };
        for row in &found {
            heard.gap = row.try_get(0).map_err(|_| misunderstood())?;
            let number: Option<i64> = row.try_get(1).map_err(|_| misunderstood())?;
            let Some(number) = number else { continue };
            let content: Vec<u8> = row.try_get(2).map_err(|_| misunderstood())?;
            heard.messages.push((unsigned(number)?, content.into()));
        }
        Ok(heard)
    }
}

impl Bus for PostgresStore {
    fn publish(&self, topic: Topic, message: Bytes) -> StoreFuture<'_, ()> {
        StoreFuture::new(async move { self.say(topic, &message).await })
    }

    fn position(&self, topic: Topic) -> StoreFuture<'_, Sequence> {
        StoreFuture::new(self.last(topic))
    }

    fn read_after(&self, topic: Topic, after: Sequence, limit: usize) -> StoreFuture<'_, Heard> {
        StoreFuture::new(self.hear(topic, after, limit))
    }

    fn changed(&self, topic: Topic, after: Sequence) -> StoreFuture<'_, ()> {
        let look = move || async move { Ok(self.last(topic).await? > after) };
        StoreFuture::new(self.bells.wait(&self.link, Bell::Topic(topic), look))
    }
}
