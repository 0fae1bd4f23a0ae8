//! Stores: values by session and key, with revisions.
//!
//! Takes: keys and values. Gives: what was committed. Knows: one engine each. Must not know: session types, tokens,
//! protocol.

mod bus;
pub mod conformance;
mod doorbell;
mod events;
#[cfg(feature = "file")]
mod file;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod shared;
mod state;
mod tasks;

pub use bus::{Bus, BusLimits, Heard, InstanceId, Topic};
pub use events::{EventLimits, EventLog, Replay, Sequence, StreamId};
#[cfg(feature = "file")]
pub use file::FileStore;
pub use memory::{MemoryBus, MemoryEventLog, MemoryStore, MemoryTaskStore};
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "redis")]
pub use redis::RedisStore;
pub(crate) use state::Encode;
pub use state::{
    Blob, Commit, Committed, Loaded, Operation, Owner, Presence, Revision, SessionKey, StateStore, StoreError,
    StoreFuture, StoreIdentity, Write,
};
pub use tasks::{StoredTask, TaskId, TaskLimits, TaskOrder, TaskStore, TaskWritten};
