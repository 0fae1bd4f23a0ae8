//! Doorbells between instances: `NOTIFY` says that something changed, never what.
//!
//! A ring that is lost costs time: who waits looks again now and then. So it is sent after the change, by itself: one that is
//! sent with it would make all changes wait for each other, because PostgreSQL keeps the order of its notifications.

use std::{
    collections::HashSet,
    mem,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use futures_util::{StreamExt, stream};
use tokio::{
    task::AbortHandle,
    time::{sleep, timeout},
};
use tokio_postgres::{AsyncMessage, Config, Error, NoTls, types::Type};

use super::link::{Link, Statement};
use crate::store::{InstanceId, SessionKey, StoreError, StreamId, TaskId, Topic, doorbell::Doorbells};

/// How long who waits does so without looking.
const LOOK: Duration = Duration::from_secs(5);
/// How long connecting may take, and how long after a connection broke the next one is made.
const CONNECTING: Duration = Duration::from_secs(2);
const AGAIN: Duration = Duration::from_millis(500);
/// How many rings wait to be sent; one more is lost.
const OUTBOX: usize = 4096;

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

impl Bell {
    /// Its name among instances: a letter and what it is of.
    fn name(self) -> String {
        match self {
            Self::Stream(session, stream) => format!("s{}", BASE64.encode([&session.0[..], &stream.0].concat())),
            Self::Task(task) => format!("t{task}"),
            Self::Topic(Topic::Everyone) => "b".into(),
            Self::Topic(Topic::Instance(instance)) => format!("b{}", BASE64.encode(instance.0)),
        }
    }

    /// The bell of this name; `None` for what somebody else sends.
    fn of(name: &str) -> Option<Self> {
        let (kind, rest) = name.split_at_checked(1)?;
        match kind {
            "s" => {
                let bytes = BASE64.decode(rest).ok()?;
                let (session, stream) = bytes.split_at_checked(17)?;
                Some(Self::Stream(SessionKey(session.try_into().ok()?), StreamId(stream.try_into().ok()?)))
            }
            "t" => TaskId::parse(rest).map(Self::Task),
            "b" if rest.is_empty() => Some(Self::Topic(Topic::Everyone)),
            "b" => Some(Self::Topic(Topic::Instance(InstanceId(BASE64.decode(rest).ok()?.try_into().ok()?)))),
            _ => None,
        }
    }
}

/// The bells of one store.
pub(super) struct Bells {
    room: Arc<Room>,
    listener: OnceLock<AbortHandle>,
}

/// Who waits, and what is to be told to the others.
#[derive(Default)]
struct Room {
    bells: Doorbells<Bell>,
    outbox: Mutex<Outbox>,
}

#[derive(Default)]
struct Outbox {
    rung: HashSet<Bell>,
    is_being_sent: bool,
}

impl Bells {
    pub(super) fn new() -> Self {
        Self { room: Arc::default(), listener: OnceLock::new() }
    }

    /// Wakes those who wait for this, here and at the other instances.
    pub(super) fn ring(&self, link: &Arc<Link>, bell: Bell) {
        self.room.bells.ring(bell);
        let begins = {
            let mut outbox = self.room.outbox();
            if outbox.rung.len() < OUTBOX {
                outbox.rung.insert(bell);
            }
            !mem::replace(&mut outbox.is_being_sent, true)
        };
        if begins {
            tokio::spawn(tell(Arc::clone(link), Arc::clone(&self.room)));
        }
    }

    /// Waits until `look` sees what it waits for.
    pub(super) async fn wait<F>(&self, link: &Link, bell: Bell, mut look: impl FnMut() -> F) -> Result<(), StoreError>
    where
        F: Future<Output = Result<bool, StoreError>>,
    {
        self.listener.get_or_init(|| {
            let listening = listen(link.config().clone(), link.channel(), Arc::clone(&self.room));
            tokio::spawn(listening).abort_handle()
        });
        // Not seen yet is not an error: the wait is dropped and begun again, so that a ring which was lost costs time.
        loop {
            if let Ok(ended) = timeout(LOOK, self.room.bells.wait(bell, &mut look)).await {
                return ended;
            }
        }
    }
}

impl Drop for Bells {
    fn drop(&mut self) {
        if let Some(listener) = self.listener.get() {
            listener.abort();
        }
    }
}

impl Room {
    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends what was rung, as much at once as there is.
async fn tell(link: Arc<Link>, room: Arc<Room>) {
    loop {
        let names: Vec<_> = {
            let mut outbox = room.outbox();
            if outbox.rung.is_empty() {
                outbox.is_being_sent = false;
                return;
            }
            outbox.rung.drain().map(Bell::name).collect()
        };
        let ring = "SELECT pg_notify($1, name) FROM unnest($2) AS name";
        // One that is lost costs time.
        let _ = link.rows(Statement::Once, ring, &[(&link.channel(), Type::TEXT), (&names, Type::TEXT_ARRAY)]).await;
    }
}

/// Hears what the others ring, on a connection of its own, again and again.
async fn listen(config: Config, channel: String, room: Arc<Room>) {
    loop {
        let _ = hear(&config, &channel, &room).await;
        sleep(AGAIN).await;
    }
}

async fn hear(config: &Config, channel: &str, room: &Room) -> Result<(), Error> {
    let Ok(connected) = timeout(CONNECTING, config.connect(NoTls)).await else { return Ok(()) };
    let (client, mut connection) = connected?;
    let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
    let statement = format!("LISTEN \"{channel}\"");
    let mut begins = pin!(client.batch_execute(&statement));
    let mut listens = false;
    loop {
        tokio::select! {
            begun = &mut begins, if !listens => {
                begun?;
                listens = true;
                // What was rung before this was not heard.
                room.bells.ring_all();
            }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(rung))) => {
                    Bell::of(rung.payload()).into_iter().for_each(|bell| room.bells.ring(bell));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_is_known_by_its_name_and_what_others_send_is_none() {
        for bell in [
            Bell::Stream(SessionKey([7; 17]), StreamId([8; 16])),
            Bell::Task(TaskId([9; 16])),
            Bell::Topic(Topic::Everyone),
            Bell::Topic(Topic::Instance(InstanceId([10; 16]))),
        ] {
            assert_eq!(Bell::of(&bell.name()), Some(bell));
        }
        for other in ["", "x", "s", "sAAAA", "t", "t*", "bAAAA", "ü"] {
            assert_eq!(Bell::of(other), None, "{other}");
        }
    }
}
