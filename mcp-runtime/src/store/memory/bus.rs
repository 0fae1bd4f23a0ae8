//! The bus inside one process: for servers that share it, and for tests.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::Mutex,
};

use bytes::Bytes;
use tokio::time::Instant;

use super::{after, lock};
use crate::store::{Bus, BusLimits, Heard, Sequence, StoreError, StoreFuture, Topic, doorbell::Doorbells};

/// Carries messages between the servers of one process, bounded.
pub struct MemoryBus {
    limits: BusLimits,
    topics: Mutex<HashMap<Topic, Messages>>,
    bells: Doorbells<Topic>,
}

struct Messages {
    kept: VecDeque<Bytes>,
    last: Sequence,
    expires: Instant,
}

impl MemoryBus {
    /// A bus without messages.
    #[must_use]
    pub fn new() -> Self {
        Self { limits: BusLimits::default(), topics: Mutex::default(), bells: Doorbells::default() }
    }

    /// Keeps this much instead.
    #[must_use]
    pub fn with_limits(mut self, limits: BusLimits) -> Self {
        self.limits = limits;
        self
    }

    fn publish_now(&self, topic: Topic, message: Bytes) -> Result<(), StoreError> {
        self.limits.check(message.len())?;
        let now = Instant::now();
        let mut topics = lock(&self.topics);
        // An inbox that is forgotten is that of an instance which is gone; what is for everyone goes on with its numbers.
        topics.retain(|known, messages| *known == Topic::Everyone || now < messages.expires);
        let new = Messages { kept: VecDeque::new(), last: 0, expires: now };
        let messages = topics.entry(topic).or_insert(new);
        messages.kept.push_back(message);
        messages.last += 1;
        messages.expires = after(now, self.limits.lifetime);
        while messages.kept.len() > self.limits.messages.max(1) {
            messages.kept.pop_front();
        }
        drop(topics);
        self.bells.ring(topic);
        Ok(())
    }

    fn last(&self, topic: Topic) -> Sequence {
        lock(&self.topics).get(&topic).map_or(0, |messages| messages.last)
    }

    fn read_now(&self, topic: Topic, after: Sequence, limit: usize) -> Heard {
        let topics = lock(&self.topics);
        let Some(messages) = topics.get(&topic) else { return Heard { messages: Vec::new(), gap: false } };
        // The number of the message before the first that is kept.
        let before = messages.last.saturating_sub(messages.kept.len() as u64);
        let numbered = (before + 1..).zip(messages.kept.iter().cloned());
        Heard { messages: numbered.filter(|(number, _)| *number > after).take(limit).collect(), gap: after < before }
    }
}

impl Default for MemoryBus {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryBus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MemoryBus").field("topics", &lock(&self.topics).len()).finish_non_exhaustive()
    }
}

impl Bus for MemoryBus {
    fn publish(&self, topic: Topic, message: Bytes) -> StoreFuture<'_, ()> {
        StoreFuture::ready(self.publish_now(topic, message))
    }

    fn position(&self, topic: Topic) -> StoreFuture<'_, Sequence> {
        StoreFuture::ready(Ok(self.last(topic)))
    }

    fn read_after(&self, topic: Topic, after: Sequence, limit: usize) -> StoreFuture<'_, Heard> {
        StoreFuture::ready(Ok(self.read_now(topic, after, limit)))
    }

    fn changed(&self, topic: Topic, after: Sequence) -> StoreFuture<'_, ()> {
        StoreFuture::new(self.bells.wait(topic, move || std::future::ready(Ok(self.last(topic) > after))))
    }
}
