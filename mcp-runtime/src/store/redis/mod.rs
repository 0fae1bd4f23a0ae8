//! The store that several instances share: Redis.
//!
//! Takes: values as bytes. Gives: the same bytes, to every instance. Knows: one Redis, its clock, its scripts. Must not
//! know: what the values are.

mod bells;
mod bus;
mod events;
mod link;
mod state;
mod tasks;

use std::{fmt, sync::Arc, time::Duration};

use redis::{IntoConnectionInfo, Value};

use self::{
    bells::Bells,
    link::{Link, Script},
};
use super::{BusLimits, EventLimits, Owner, SessionKey, StoreError, TaskLimits};

/// Keeps sessions, events of streams and tasks, and the messages between instances, in Redis, which any number of instances share.
///
/// Needs Redis 7.0 or newer, or Valkey. Each read and each write is one script, so that it happens as a whole and takes
/// one round trip. Every key begins with a prefix, `mcp` by default, and has a lifetime, so that what nobody uses goes by
/// itself; only the store's identity stays. The keys of a session share a hash tag and are in one slot of a cluster.
///
/// What a Redis that answers has acknowledged is as safe as Redis was told to be: `appendonly yes` and `appendfsync
/// always` for what must survive a crash of the machine. The engine's own limit of memory is the limit of the store:
/// without room, what is new is refused, and `maxmemory-policy` must be `noeviction`, because a session that was evicted
/// would look like a fresh one.
///
/// # Source
/// Our choice, because most who run several instances of a service run a Redis.
#[derive(Clone)]
pub struct RedisStore {
    link: Arc<Link>,
    bells: Arc<Bells>,
    event_limits: EventLimits,
    task_limits: TaskLimits,
    bus_limits: BusLimits,
}

/// A script, as it stands in its file.
macro_rules! script {
    ($name:ident, $file:literal) => {
        static $name: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!(concat!("lua/", $file, ".lua"))));
    };
}

use script;

/// A key of Redis: `prefix:{tag}:kind`; what is in braces decides the slot of a cluster.
type Key = String;

impl RedisStore {
    /// The Redis at this URL: `redis://[user[:password]@]host[:port][/database][?prefix=mcp]`. It is connected to when it
    /// is first used, and looked at then: how old it is, and whether it would evict.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], to the operator, if this is no such URL.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let (url, prefix) = prefix_of(url)?;
        // The error of the client is not shown: it might show the password.
        let info = url.as_str().into_connection_info().map_err(|_| {
            refused(
                "this is no URL of Redis: it must be `redis://host[:port][/database]`, before the host \
                 `user:password@` if it wants them, percent-encoded",
            )
        })?;
        Ok(Self {
            link: Arc::new(Link::new(info, prefix)?),
            bells: Arc::new(Bells::new()),
            event_limits: EventLimits::default(),
            task_limits: TaskLimits::default(),
            bus_limits: BusLimits::default(),
        })
    }

    /// Keeps this much of each stream, for so long. [`EventLimits::bytes`] is not looked at: the memory that Redis may use
    /// is the limit of all streams.
    #[must_use]
    pub fn with_event_limits(mut self, limits: EventLimits) -> Self {
        self.event_limits = limits;
        self
    }

    /// Takes records of tasks of this size. Of the limits [`TaskLimits::record_bytes`] alone is looked at: the memory that
    /// Redis may use is the limit of all tasks.
    #[must_use]
    pub fn with_task_limits(mut self, limits: TaskLimits) -> Self {
        self.task_limits = limits;
        self
    }

    /// Keeps this much of each topic of messages between instances.
    #[must_use]
    pub fn with_bus_limits(mut self, limits: BusLimits) -> Self {
        self.bus_limits = limits;
        self
    }
}

/// Takes the prefix of the keys out of the URL.
fn prefix_of(url: &str) -> Result<(String, String), StoreError> {
    if url.starts_with("rediss:") || url.starts_with("valkeys:") {
        return Err(refused(
            "Redis over TLS is not spoken by this program: use `redis://` inside a private network or through a tunnel",
        ));
    }
    let (front, query) = url.split_once('?').unwrap_or((url, ""));
    let mut prefix = "mcp";
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some(("prefix", name)) => prefix = name,
            _ => {
                return Err(refused(format!(
                    "`{parameter}` is no parameter of a Redis store: there is `prefix` alone"
                )));
            }
        }
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    if prefix.is_empty() || prefix.len() > 64 || !prefix.bytes().all(plain) {
        return Err(refused(format!(
            "`{prefix}` is no prefix of keys: it has 1 to 64 letters, digits and `-_.:`, such as `mcp`"
        )));
    }
    Ok((front.to_owned(), prefix.to_owned()))
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RedisStore").field("at", &self.link.place()).finish_non_exhaustive()
    }
}

/// An error of ours: what is wrong, in words.
fn refused(why: impl Into<String>) -> StoreError {
    StoreError::Unavailable(why.into().into())
}

/// Milliseconds, as arguments of scripts have them; a duration beyond any clock is thirty years.
fn milliseconds(duration: Duration) -> u64 {
    const FAR: u64 = 30 * 365 * 24 * 60 * 60 * 1000;
    u64::try_from(duration.as_millis()).map_or(FAR, |milliseconds| milliseconds.min(FAR))
}

/// Bytes as letters that may stand in a hash tag.
fn letters(bytes: &[u8]) -> String {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn text(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(text) => Some(text),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Only a Redis whose keys somebody else writes comes here.
#[cold]
fn misunderstood() -> StoreError {
    refused("what Redis has under the keys of this store is not what was written there")
}

impl Link {
    /// A key of a session; all of one session are in one slot.
    fn of_session(&self, session: SessionKey, kind: &str) -> Key {
        self.tagged(&session.0, kind)
    }

    /// A key of an owner's index.
    fn of_owner(&self, owner: Owner, kind: &str) -> Key {
        self.tagged(&owner.0, kind)
    }

    /// Written piece by piece into one allocation: each call makes several.
    fn tagged(&self, tag: &[u8], kind: &str) -> Key {
        use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
        let mut key = String::with_capacity(self.prefix().len() + tag.len() * 4 / 3 + kind.len() + 6);
        key.push_str(self.prefix());
        key.push_str(":{");
        BASE64_URL_SAFE_NO_PAD.encode_string(tag, &mut key);
        key.push_str("}:");
        key.push_str(kind);
        key
    }
}
