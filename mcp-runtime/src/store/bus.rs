//! The trait of a bus: messages between the instances of one server.

use std::{fmt, time::Duration};

use bytes::Bytes;

use super::{Sequence, StoreError, StoreFuture};

/// The name of one running instance: random, so that two never share one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceId(pub [u8; 16]);

impl fmt::Debug for InstanceId {
    /// The first four bytes: enough to tell instances apart in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(formatter, "InstanceId({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// For whom a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// For every instance, the one that publishes it included.
    Everyone,
    /// For this instance alone: its inbox.
    Instance(InstanceId),
}

/// What [`Bus::read_after`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The messages, in order, each with its number. Numbers grow; they may leave some out.
    pub messages: Vec<(Sequence, Bytes)>,
    /// Whether messages between the one named and the first of these were dropped to make room: what they said is lost.
    pub gap: bool,
}

/// How much a bus keeps for those who have not read it yet, and for how long.
///
/// # Source
/// Our choice: who has not read for minutes is gone, and whoever comes later begins at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusLimits {
    /// How many messages a topic keeps; 1024 by default. Beyond it, the oldest are dropped.
    pub messages: usize,
    /// How many bytes a message may have; 5 MiB by default, enough for any answer that a client can send.
    pub message_bytes: usize,
    /// How long a topic is kept after its last message; five minutes by default.
    pub lifetime: Duration,
}

impl Default for BusLimits {
    fn default() -> Self {
        Self { messages: 1024, message_bytes: 5 << 20, lifetime: Duration::from_secs(5 * 60) }
    }
}

impl BusLimits {
    /// Refuses a message that is too large.
    pub(super) fn check(&self, bytes: usize) -> Result<(), StoreError> {
        let limit = self.message_bytes;
        if bytes > limit { Err(StoreError::TooLarge { bytes, limit }) } else { Ok(()) }
    }
}

/// Carries messages between instances: bytes by topic, numbered, read by each reader at its own pace.
///
/// A reader keeps the number of the last message that it has, and asks for what follows: nothing that was published is
/// missed while it is away, unless so much came meanwhile that it was dropped, and then it is told. So a bus need not push,
/// and one whose doorbell is silent is slower and not wrong.
///
/// [`conformance::check_bus`](super::conformance::check_bus) is the suite that every implementation must pass.
pub trait Bus: Send + Sync + 'static {
    /// Puts a message at the end of a topic.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] for a message that is larger than a topic takes. [`StoreError::Unavailable`] when the
    /// engine failed: whether others hear the message is unknown.
    ///
    /// # Cancellation
    /// Dropping the future leaves open whether others hear the message.
    fn publish(&self, topic: Topic, message: Bytes) -> StoreFuture<'_, ()>;

    /// The number of the last message, after which a new reader begins; 0 where there is none.
    ///
    /// # Errors
    /// [`StoreError`], to the caller.
    fn position(&self, topic: Topic) -> StoreFuture<'_, Sequence>;

    /// The messages after the one of this number, at most `limit`. A topic without messages is an empty one.
    ///
    /// # Errors
    /// [`StoreError`], to the caller.
    fn read_after(&self, topic: Topic, after: Sequence, limit: usize) -> StoreFuture<'_, Heard>;

    /// Waits until there is a message after the one of this number. It may end too early, and late or never for what
    /// another process did: read afterwards, and wait with a limit.
    ///
    /// # Errors
    /// [`StoreError`], to the caller.
    fn changed(&self, topic: Topic, after: Sequence) -> StoreFuture<'_, ()>;
}
