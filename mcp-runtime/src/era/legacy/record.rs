//! The record of one call's stream: what was said is kept before it is sent, so that it can be fetched later.

use std::{
    collections::VecDeque,
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep};

use super::event_id::EventId;
use crate::{
    call::{Resumable, Said, chain},
    era::Era,
    exchange::Event,
    session::{self, PATIENCE, SessionKey},
    store::{EventLog, StoreError, StreamId},
    wire::{self, Body, Code, Message, write_error},
};

/// After how long a client comes back whose connection broke. Our choice: soon, but not in a loop without a pause.
pub(super) const RETRY: Duration = Duration::from_secs(1);
/// How often the stream of a call that says nothing is renewed, so that the log does not forget it before its answer.
const RENEW: Duration = Duration::from_secs(60);

/// The record of one call's stream.
pub(crate) struct Record {
    place: Place,
    polling: bool,
    stage: Stage,
    keeping: Option<Pin<Box<dyn Future<Output = Kept> + Send>>>,
    events: VecDeque<Event>,
    renew: Pin<Box<Sleep>>,
    /// After how long the client comes back, once it was let go.
    let_go: Option<Duration>,
}

/// Where the record is.
#[derive(Clone)]
struct Place {
    log: Arc<dyn EventLog>,
    session: SessionKey,
    stream: StreamId,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was kept yet.
    New,
    /// The log has the stream.
    Open,
    /// The log failed: from now on things are said once, and a client that comes back misses the rest.
    Broken,
    /// The answer is in it.
    Ended,
}

/// What is to be kept.
enum Item {
    Message(Bytes),
    Answer(Bytes),
    Close(Duration),
    Renewal,
}

/// What became of it.
struct Kept {
    stage: Stage,
    event: Option<Event>,
}

impl Record {
    /// A record without anything in it.
    pub(crate) fn new(era: &Era, resumable: Resumable) -> Box<Self> {
        let Resumable { session, polling } = resumable;
        Box::new(Self {
            place: Place { log: era.events.clone(), session, stream: EventId::stream_of_call() },
            polling,
            stage: Stage::New,
            keeping: None,
            events: VecDeque::new(),
            renew: Box::pin(sleep(RENEW)),
            let_go: None,
        })
    }

    /// Keeps what was said. Called when [`poll`](Self::poll) has nothing more.
    pub(crate) fn say(&mut self, said: Said) {
        self.keep(match said {
            Said::Message(message) => Item::Message(message),
            Said::Close(retry) => Item::Close(retry),
        });
    }

    /// Keeps the answer, with which the stream ends. Called when [`poll`](Self::poll) has nothing more.
    pub(crate) fn answer(&mut self, answer: Bytes) {
        self.keep(Item::Answer(answer));
    }

    fn keep(&mut self, item: Item) {
        self.keeping = Some(Box::pin(self.place.clone().keep(self.stage, item)));
    }

    /// The next event to send, when all that it stands for is kept; `None` when everything that was said is.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Some(event));
            }
            let Some(keeping) = &mut self.keeping else { return Poll::Ready(None) };
            let Kept { stage, event } = ready!(keeping.as_mut().poll(cx));
            self.keeping = None;
            let before = mem::replace(&mut self.stage, stage);
            if before == Stage::New && stage != Stage::Broken && self.polling {
                let id = Some(EventId { stream: self.place.stream, number: 0 }.write());
                self.events.push_back(Event { id, retry: Some(RETRY), ..Event::default() });
            }
            if let Some(event) = event {
                self.let_go = self.let_go.or(event.retry);
                self.events.push_back(event);
            }
            self.renew.as_mut().reset(Instant::now() + RENEW);
        }
    }

    /// Renews the stream when it is time; called when nothing is said. Ready when there is something to keep.
    pub(crate) fn poll_renewal(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.stage != Stage::Open {
            return Poll::Pending;
        }
        ready!(self.renew.as_mut().poll(cx));
        self.keep(Item::Renewal);
        Poll::Ready(())
    }

    /// After how long the client comes back, if it was let go since this was last asked.
    pub(crate) fn let_go(&mut self) -> Option<Duration> {
        self.let_go.take()
    }

    /// Whether something is being kept that is not in the log yet.
    pub(crate) fn is_busy(&self) -> bool {
        self.keeping.is_some()
    }

    /// Whether the answer is in it.
    pub(crate) fn has_ended(&self) -> bool {
        self.stage == Stage::Ended
    }

    /// Whose it is.
    pub(crate) fn session(&self) -> SessionKey {
        self.place.session
    }

    /// Which stream it is.
    pub(crate) fn stream(&self) -> StreamId {
        self.place.stream
    }
}

impl Place {
    /// Keeps one thing. What can't be kept is said all the same.
    async fn keep(self, mut stage: Stage, item: Item) -> Kept {
        if stage == Stage::New {
            stage = match session::answer(self.log.open(self.session, self.stream), PATIENCE).await {
                Ok(()) => Stage::Open,
                Err(error) => broken(&error),
            };
        }
        match item {
            Item::Message(data) => match self.append(stage, data.clone(), false).await {
                Ok((stage, id)) => Kept { stage, event: Some(Event { id, ..Event::message(data) }) },
                Err(TooLarge) => Kept { stage, event: Some(Event::message(data)) },
            },
            Item::Answer(data) => {
                let kept = match self.append(stage, data.clone(), true).await {
                    Ok(kept) => kept,
                    // Whoever reads now gets it; who comes back for it later is told why it is not there.
                    Err(TooLarge) => self.append(stage, too_large(&data), true).await.unwrap_or((Stage::Broken, None)),
                };
                let (_, id) = kept;
                Kept { stage: Stage::Ended, event: Some(Event { id, ..Event::message(data) }) }
            }
            // Where the client could not come back, it stays.
            Item::Close(_) if stage != Stage::Open => Kept { stage, event: None },
            Item::Close(retry) => Kept { stage, event: Some(Event { retry: Some(retry), ..Event::default() }) },
            Item::Renewal => match session::answer(self.log.touch(self.session, self.stream), PATIENCE).await {
                Ok(true) => Kept { stage, event: None },
                Ok(false) => Kept { stage: forgotten(), event: None },
                Err(error) => Kept { stage: broken(&error), event: None },
            },
        }
    }

    async fn append(&self, stage: Stage, data: Bytes, last: bool) -> Result<(Stage, Option<Box<str>>), TooLarge> {
        if stage != Stage::Open {
            return Ok((stage, None));
        }
        match session::answer(self.log.append(self.session, self.stream, data, last), PATIENCE).await {
            Ok(Some(number)) => Ok((stage, Some(EventId { stream: self.stream, number }.write()))),
            Ok(None) => Ok((forgotten(), None)),
            Err(StoreError::TooLarge { bytes, limit }) => {
                tracing::warn!(bytes, limit, "a message is larger than the event log keeps: it can't be sent again");
                Err(TooLarge)
            }
            Err(error) => Ok((broken(&error), None)),
        }
    }
}

/// An event is larger than the log keeps.
struct TooLarge;

fn broken(error: &StoreError) -> Stage {
    tracing::warn!(error = %chain(error), "the event log failed: a stream can't be resumed from here on");
    Stage::Broken
}

fn forgotten() -> Stage {
    tracing::debug!("the event log has forgotten a stream: it can't be resumed from here on");
    Stage::Broken
}

/// What stands in the log for an answer that is larger than the log keeps.
fn too_large(answer: &Bytes) -> Bytes {
    let mut out = Vec::new();
    if let Ok(Body::Single(Message::Response(response))) = wire::read(answer) {
        let message = "The answer is larger than what is kept for clients that come back for it: call again";
        write_error(&mut out, response.id.as_ref(), Code::INTERNAL_ERROR, message, None);
    }
    // The answers of a batch end without a word.
    out.into()
}
