//! Doorbells between instances: Pub/Sub says that something changed, never what.
//!
//! A ring that is lost costs time: who waits looks again now and then. So a connection that breaks, and a Redis that lets
//! nobody publish, make waiting slower and nothing wrong.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use redis::{
    ProtocolVersion, PushInfo, PushKind, Value,
    aio::{ConnectionManager, SendError},
};
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout},
};

use super::{letters, link::Link};
use crate::store::{SessionKey, StoreError, StreamId, TaskId, Topic, doorbell::Doorbells};

/// How long who waits does so without looking.
const LOOK: Duration = Duration::from_secs(5);
/// How long a channel is listened to after the last who waited for it: who waits often comes back at once.
const LINGER: Duration = Duration::from_secs(30);
/// How long subscribing may take before waiting begins without.
const SUBSCRIBING: Duration = Duration::from_millis(500);

/// What somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Bell {
    /// A stream of a session.
    Stream(SessionKey, StreamId),
    /// A task.
    Task(TaskId),
    /// A topic of the bus.
    Topic(Topic),
}

/// The bells of one store.
pub(super) struct Bells {
    room: Arc<Room>,
    listening: OnceCell<ConnectionManager>,
}

/// Who is heard, shared with the connection that hears.
#[derive(Default)]
struct Room {
    bells: Doorbells<Bell>,
    channels: Mutex<HashMap<String, Channel>>,
}

struct Channel {
    bell: Bell,
    waiting: usize,
    left: Instant,
}

impl Bells {
    pub(super) fn new() -> Self {
        Self { room: Arc::default(), listening: OnceCell::new() }
    }

    /// Wakes those of this process who wait for this.
    pub(super) fn ring(&self, bell: Bell) {
        self.room.bells.ring(bell);
    }

    /// Waits until `look` sees what it waits for.
    pub(super) async fn wait<F>(&self, link: &Link, bell: Bell, mut look: impl FnMut() -> F) -> Result<(), StoreError>
    where
        F: Future<Output = Result<bool, StoreError>>,
    {
        let _waiter = self.at(link, bell).await;
        // Not seen yet is not an error: the wait is dropped and begun again, so that a ring which was lost costs time.
        loop {
            if let Ok(ended) = timeout(LOOK, self.room.bells.wait(bell, &mut look)).await {
                return ended;
            }
        }
    }

    /// Listens to the channel of this bell for as long as the answer is kept.
    async fn at(&self, link: &Link, bell: Bell) -> Waiter {
        let channel = link.channel(bell);
        let (fresh, stale) = self.room.enter(&channel, bell);
        let waiter = Waiter { room: Arc::clone(&self.room), channel };
        if fresh || !stale.is_empty() {
            let subscribe = async {
                let mut connection = self.listening(link).await?;
                if fresh {
                    connection.subscribe(waiter.channel.as_str()).await?;
                }
                if !stale.is_empty() {
                    connection.unsubscribe(stale).await?;
                }
                Ok::<_, StoreOrRedis>(())
            };
            if !matches!(timeout(SUBSCRIBING, subscribe).await, Ok(Ok(()))) {
                // The next who waits tries again.
                self.room.forget(&waiter.channel);
            }
        }
        waiter
    }

    async fn listening(&self, link: &Link) -> Result<ConnectionManager, StoreOrRedis> {
        let connect = || async {
            let room = Arc::downgrade(&self.room);
            let hear = move |info: PushInfo| hear(&room, &info);
            let connection = link
                .second(ProtocolVersion::RESP3, |config| config.set_push_sender(hear).set_automatic_resubscription());
            connection.map_err(StoreOrRedis::from)
        };
        self.listening.get_or_try_init(connect).await.cloned()
    }
}

/// Either way there is no bell, and nobody asks why.
struct StoreOrRedis;

impl From<redis::RedisError> for StoreOrRedis {
    fn from(_: redis::RedisError) -> Self {
        Self
    }
}

fn hear(room: &Weak<Room>, info: &PushInfo) -> Result<(), SendError> {
    let room = room.upgrade().ok_or(SendError)?;
    match (&info.kind, &*info.data) {
        (PushKind::Message, [Value::BulkString(channel), ..]) => {
            let bell = std::str::from_utf8(channel).ok().and_then(|channel| Some(room.channels().get(channel)?.bell));
            bell.into_iter().for_each(|bell| room.bells.ring(bell));
        }
        // What was rung before this was not heard.
        (PushKind::Disconnection | PushKind::Subscribe, _) => {
            let all: Vec<_> = room.channels().values().map(|channel| channel.bell).collect();
            all.into_iter().for_each(|bell| room.bells.ring(bell));
        }
        _ => {}
    }
    Ok(())
}

impl Room {
    /// Someone begins to wait. Whether the channel is new, and which ones nobody waited for lately.
    fn enter(&self, name: &str, bell: Bell) -> (bool, Vec<String>) {
        let now = Instant::now();
        let mut channels = self.channels();
        if let Some(channel) = channels.get_mut(name) {
            channel.waiting += 1;
            return (false, Vec::new());
        }
        let is_stale = |channel: &Channel| channel.waiting == 0 && now.duration_since(channel.left) > LINGER;
        let stale: Vec<_> =
            channels.iter().filter(|(_, known)| is_stale(known)).map(|(name, _)| name.clone()).collect();
        for name in &stale {
            channels.remove(name);
        }
        channels.insert(name.to_owned(), Channel { bell, waiting: 1, left: now });
        (true, stale)
    }

    fn forget(&self, name: &str) {
        self.channels().remove(name);
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<String, Channel>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Someone who waits.
struct Waiter {
    room: Arc<Room>,
    channel: String,
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(channel) = self.room.channels().get_mut(&self.channel) {
            channel.waiting = channel.waiting.saturating_sub(1);
            channel.left = Instant::now();
        }
    }
}

impl Link {
    /// The channel of a bell. Channels know no databases, so its number is a part of the name.
    pub(super) fn channel(&self, bell: Bell) -> String {
        let name = match bell {
            Bell::Stream(session, stream) => format!("stream:{}:{}", letters(&session.0), letters(&stream.0)),
            Bell::Task(task) => format!("task:{task}"),
            Bell::Topic(topic) => format!("bus:{}", super::bus::name(topic)),
        };
        format!("{}:{}:{name}", self.prefix(), self.database())
    }
}
