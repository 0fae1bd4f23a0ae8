//! The bus in Redis: a stream for each topic, of which every reader has its own number.

use std::sync::LazyLock;

use bytes::Bytes;
use redis::Value;

use super::{Key, Link, RedisStore, Script, bells::Bell, letters, milliseconds, misunderstood, number, script, text};
use crate::store::{Bus, Heard, Sequence, StoreError, StoreFuture, Topic};

script!(PUBLISH, "bus_publish");
script!(POSITION, "bus_position");
script!(READ, "bus_read");

/// The messages of a topic, and the number of the last one dropped.
fn keys(link: &Link, topic: Topic) -> [Key; 2] {
    let name = name(topic);
    let prefix = link.prefix();
    [format!("{prefix}:{{bus:{name}}}:messages"), format!("{prefix}:{{bus:{name}}}:dropped")]
}

/// What a topic is called in keys and channels.
pub(super) fn name(topic: Topic) -> String {
    match topic {
        Topic::Everyone => "everyone".into(),
        Topic::Instance(instance) => letters(&instance.0),
    }
}

impl RedisStore {
    async fn say(&self, topic: Topic, message: &Bytes) -> Result<(), StoreError> {
        self.bus_limits.check(message.len())?;
        let bell = Bell::Topic(topic);
        let () = self
            .link
            .call(&PUBLISH, &keys(&self.link, topic), |command| {
                command.arg(&message[..]).arg(milliseconds(self.bus_limits.lifetime));
                command.arg(self.bus_limits.messages.max(1)).arg(self.link.channel(bell));
            })
            .await?;
        self.bells.ring(bell);
        Ok(())
    }

    async fn last(&self, topic: Topic) -> Result<Sequence, StoreError> {
        let [messages, _] = keys(&self.link, topic);
        self.link.call(&POSITION, &[messages], |_| ()).await
    }

    async fn hear(&self, topic: Topic, after: Sequence, limit: usize) -> Result<Heard, StoreError> {
        let found: Vec<Value> = self
            .link
            .call(&READ, &keys(&self.link, topic), |command| {
                command.arg(after).arg(limit);
            })
            .await?;
        let [gap, entries @ ..] = &*found else { return Err(misunderstood()) };
        let mut messages = Vec::with_capacity(entries.len() / 2);
        for entry in entries.chunks(2) {
            let [sequence, message] = entry else { return Err(misunderstood()) };
            let sequence = text(sequence).and_then(number).ok_or_else(misunderstood)?;
            messages.push((sequence, Bytes::copy_from_slice(text(message).ok_or_else(misunderstood)?)));
        }
        Ok(Heard { messages, gap: text(gap) == Some(b"1") })
    }
}

impl Bus for RedisStore {
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
