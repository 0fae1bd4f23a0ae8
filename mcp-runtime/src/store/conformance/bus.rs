//! The laws of [`Bus`].

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use super::probe::{ATTEMPTS, attempt, heard, random, repeat, unavailable};
use crate::store::{Bus, Heard, InstanceId, Sequence, Topic};

/// How many writers there are at once.
const WRITERS: u64 = 50;

/// Checks every law of [`Bus`] but those of its limits, in about a second. The bus may be in use: the suite works on inboxes
/// of random instances, and adds one message for everyone, which is `{}`.
///
/// A call that fails with [`StoreError::Unavailable`](crate::store::StoreError::Unavailable) is repeated a few times; for a
/// message the suite looks first whether it is there, because it has no name by which the bus would recognise it.
///
/// # Panics
/// If the bus breaks a law; the message is the law.
pub async fn check_bus(bus: Arc<dyn Bus>) {
    let probe = BusProbe { bus };
    silence_is_empty(&probe).await;
    messages_are_read_in_order_by_each_at_its_own_pace(&probe).await;
    topics_are_apart(&probe).await;
    everyone_is_everyone(&probe).await;
    messages_are_heard(&probe).await;
    no_message_is_lost(&probe).await;
}

/// Checks that a bus which keeps this many messages of a topic drops the oldest, and says so.
///
/// # Panics
/// If the bus breaks a law; the message is the law.
pub async fn check_bus_bounds(bus: Arc<dyn Bus>, messages: usize) {
    let probe = BusProbe { bus };
    let topic = inbox();
    probe.publish(topic, b"first").await;
    let first = probe.position(topic).await;
    for number in 0..messages {
        probe.publish(topic, &number.to_be_bytes()).await;
    }
    let read = probe.read(topic, 0).await;
    assert!(read.gap, "who has not read what was dropped must be told of the gap");
    assert_eq!(read.messages.len(), messages, "a topic must keep as many messages as it may, the newest ones");
    let kept = read.messages.iter().map(|(_, message)| message.to_vec());
    assert!(kept.eq((0..messages).map(|number| number.to_be_bytes().to_vec())), "the oldest messages must go first");
    assert!(!probe.read(topic, first).await.gap, "who has read what was dropped misses nothing");
}

async fn silence_is_empty(probe: &BusProbe) {
    let topic = inbox();
    assert_eq!(probe.position(topic).await, 0, "a topic without messages must begin at 0");
    let nothing = Heard { messages: Vec::new(), gap: false };
    assert_eq!(probe.read(topic, 0).await, nothing, "a topic without messages must be empty");
    assert_eq!(
        probe.read(topic, 7).await,
        nothing,
        "a topic that was forgotten must be empty, whatever was read of it"
    );
}

async fn messages_are_read_in_order_by_each_at_its_own_pace(probe: &BusProbe) {
    let topic = inbox();
    let large = vec![7; 100_000];
    let every: Vec<u8> = (0..=u8::MAX).collect();
    let written = [&b"one"[..], b"", &large, &every, b"\0"];
    let mut positions = vec![0];
    for message in written {
        probe.publish(topic, message).await;
        positions.push(probe.position(topic).await);
    }
    assert!(positions.is_sorted_by(|one, next| one < next), "the numbers of messages must grow");
    for (skip, after) in positions.iter().enumerate() {
        let Heard { messages, gap } = probe.read(topic, *after).await;
        let expected = positions.iter().copied().skip(1).zip(written).skip(skip);
        let same = messages.iter().map(|(number, message)| (*number, &**message)).eq(expected);
        assert!(same && !gap, "the messages after a number must come in order, with their numbers and bytes");
    }
    for limit in [0, 2] {
        let Heard { messages, .. } = probe.read_some(topic, positions[1], limit).await;
        let numbers: Vec<_> = messages.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, positions[2..2 + limit], "a read must give the first messages, and no more than its limit");
    }
}

async fn topics_are_apart(probe: &BusProbe) {
    let (one, other) = (inbox(), inbox());
    probe.publish(one, b"hers").await;
    assert_eq!(probe.read(other, 0).await.messages, [], "a message must be in its own topic alone");
    assert_eq!(probe.position(other).await, 0, "a message must not move the position of another topic");
}

async fn everyone_is_everyone(probe: &BusProbe) {
    let before = probe.position(Topic::Everyone).await;
    probe.publish(Topic::Everyone, b"{}").await;
    let heard = probe.read(Topic::Everyone, before).await.messages;
    assert!(
        heard.iter().any(|(_, message)| &**message == b"{}"),
        "what is for everyone must be heard by who says it too"
    );
}

async fn messages_are_heard(probe: &BusProbe) {
    let topic = inbox();
    let mut after = 0;
    for round in 0..20 {
        let waiting = [probe.spawn_wait(topic, after), probe.spawn_wait(topic, after)];
        // Sometimes before, sometimes while and sometimes after they begin to wait.
        sleep(Duration::from_millis(round % 4)).await;
        probe.publish(topic, b"x").await;
        for waiting in waiting {
            heard(waiting, "who waits for a message must hear that there is one").await;
        }
        heard(probe.spawn_wait(topic, after), "waiting for a message that is there must end").await;
        after = probe.position(topic).await;
    }
}

async fn no_message_is_lost(probe: &BusProbe) {
    let topic = inbox();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let probe = probe.clone();
        writers.spawn(async move { probe.publish(topic, &writer.to_be_bytes()).await });
    }
    writers.join_all().await;
    let mut found = Vec::new();
    let mut after = 0;
    while let Heard { messages, .. } = probe.read_some(topic, after, 7).await
        && let Some((last, _)) = messages.last()
    {
        after = *last;
        found.extend(messages.into_iter().map(|(_, message)| message));
    }
    found.sort_unstable();
    let all = (0..WRITERS).map(|writer| Bytes::copy_from_slice(&writer.to_be_bytes()));
    assert!(found.into_iter().eq(all), "of several messages at once each must be read once");
}

/// The suite's hands.
#[derive(Clone)]
struct BusProbe {
    bus: Arc<dyn Bus>,
}

impl BusProbe {
    /// Publishes a message; of several at once each must have bytes of its own.
    async fn publish(&self, topic: Topic, message: &[u8]) {
        let before = self.position(topic).await;
        for _ in 0..ATTEMPTS {
            let message = Bytes::copy_from_slice(message);
            if attempt(self.bus.publish(topic, message.clone())).await.is_some() {
                return;
            }
            if self.read(topic, before).await.messages.iter().any(|(_, known)| *known == message) {
                return;
            }
        }
        unavailable()
    }

    async fn position(&self, topic: Topic) -> Sequence {
        repeat(|| self.bus.position(topic)).await.0
    }

    async fn read(&self, topic: Topic, after: Sequence) -> Heard {
        self.read_some(topic, after, 1000).await
    }

    async fn read_some(&self, topic: Topic, after: Sequence, limit: usize) -> Heard {
        repeat(|| self.bus.read_after(topic, after, limit)).await.0
    }

    fn spawn_wait(&self, topic: Topic, after: Sequence) -> JoinHandle<()> {
        let bus = Arc::clone(&self.bus);
        tokio::spawn(async move { repeat(|| bus.changed(topic, after)).await.0 })
    }
}

fn inbox() -> Topic {
    Topic::Instance(InstanceId(random()))
}

#[cfg(test)]
mod tests;
