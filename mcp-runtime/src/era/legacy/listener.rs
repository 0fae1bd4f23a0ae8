//! What is sent on a stream that a client opened with GET: what it missed, then what there is to say.

use std::{
    collections::VecDeque,
    future::{Future, pending},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::time::{sleep, timeout};

use super::{event_id::EventId, record::RETRY, streams::Place};
use crate::{
    call::chain,
    exchange::Event,
    session::{self, PATIENCE, SessionKey},
    store::{EventLog, Replay, Sequence, StreamId},
};

/// How many events are read from the log at once.
pub(super) const PAGE: usize = 64;
/// How often the log is looked at although it does not say that it changed: another process may write to it.
const LOOK: Duration = Duration::from_secs(1);
/// How long nothing is read after nothing was found: a log may say too early that it changed.
const PAUSE: Duration = Duration::from_millis(100);

/// What a session is told outside of its calls.
pub(super) type News = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// One stream that a client opened with GET.
pub(super) struct Listener {
    pub(super) log: Arc<dyn EventLog>,
    pub(super) place: Place,
    /// Ends with the session.
    pub(super) over: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Nothing on the stream of a call, which has what this call says and nothing else.
    pub(super) news: Option<News>,
    position: Position,
    waiting: VecDeque<Event>,
    ended: bool,
}

/// Where the client is.
struct Position {
    session: SessionKey,
    stream: StreamId,
    after: Sequence,
    /// The log has the stream.
    kept: bool,
    /// The client was told that events are lost.
    gap_told: bool,
}

/// Why there is something to do.
enum Woken {
    Over,
    LetGo(Duration),
    News(Bytes),
    Log,
}

impl Listener {
    /// A stream of its own, for what the session is told outside of its calls.
    pub(super) fn new(
        log: Arc<dyn EventLog>,
        place: Place,
        over: Pin<Box<dyn Future<Output = ()> + Send>>,
        news: Option<News>,
        primed: bool,
    ) -> Self {
        let position =
            Position { session: place.session, stream: place.stream, after: 0, kept: false, gap_told: false };
        let mut listener = Self { log, place, over, news, position, waiting: VecDeque::new(), ended: false };
        if primed {
            // The log has the stream once it has an event. Until then, who comes back with this id has missed nothing,
            // and gets what everyone gets.
            let id = Some(listener.position.id());
            listener.waiting.push_back(Event { id, retry: Some(RETRY), ..Event::default() });
        }
        listener
    }

    /// The same, resumed after the event of this number.
    pub(super) fn resumed(mut self, after: Sequence, missed: Replay) -> Self {
        self.waiting.clear();
        self.position = Position { after, kept: true, ..self.position };
        self.found(missed);
        self
    }

    /// The next event; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.ended {
                return None;
            }
            match self.woken().await {
                Woken::Over => return None,
                Woken::News(message) => self.tell(message).await,
                Woken::Log => {
                    self.read().await;
                    if self.waiting.is_empty() && !self.ended {
                        sleep(PAUSE).await;
                    }
                }
                Woken::LetGo(retry) => {
                    let mut sent = usize::MAX;
                    while sent != self.waiting.len() && !self.ended {
                        sent = self.waiting.len();
                        self.read().await;
                    }
                    self.waiting.push_back(Event { retry: Some(retry), ..Event::default() });
                    self.ended = true;
                }
            }
        }
    }

    async fn woken(&mut self) -> Woken {
        let Position { session, stream, after, kept, .. } = self.position;
        let news = async {
            match &mut self.news {
                Some(news) => news.next().await,
                None => pending().await,
            }
        };
        let changed = async {
            if !kept {
                return pending().await;
            }
            if let Ok(Err(_)) = timeout(LOOK, self.log.changed(session, stream, after)).await {
                // Reading says what is wrong.
                sleep(LOOK).await;
            }
        };
        tokio::select! {
            biased;
            let_go = self.place.order() => let_go.map_or(Woken::Over, Woken::LetGo),
            () = &mut self.over => Woken::Over,
            () = changed => Woken::Log,
            news = news => news.map_or(Woken::Over, Woken::News),
        }
    }

    /// Keeps a message and sends it; one that can't be kept is sent all the same.
    async fn tell(&mut self, message: Bytes) {
        // Twice, because a log may forget a stream at any time: then it goes on as a new one.
        for _ in 0..2 {
            let Position { session, stream, kept, .. } = self.position;
            if !kept && let Err(error) = session::answer(self.log.open(session, stream), PATIENCE).await {
                tracing::warn!(error = %chain(&error), "the event log failed: a message can't be sent again");
                break;
            }
            self.position.kept = true;
            match session::answer(self.log.append(session, stream, message.clone(), false), PATIENCE).await {
                // Read and not just sent: there may be others before it, of a connection that broke just now.
                Ok(Some(_)) => return self.read().await,
                Ok(None) => self.position.start_anew(),
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "the event log failed: a message can't be sent again");
                    break;
                }
            }
        }
        self.waiting.push_back(Event::message(message));
    }

    /// Reads on in the log.
    async fn read(&mut self) {
        let Position { session, stream, after, .. } = self.position;
        match session::answer(self.log.read_after(session, stream, after, PAGE), PATIENCE).await {
            Ok(found) => self.found(found),
            Err(error) => {
                // The client comes back with the last id that it has.
                tracing::warn!(error = %chain(&error), "the event log failed: a stream ends");
                self.ended = true;
            }
        }
    }

    fn found(&mut self, found: Replay) {
        let (events, gap, finished) = match found {
            Replay::Events { events, gap, finished } => (events, gap, finished),
            // Forgotten. A stream of the session goes on as a new one, that of a call has nothing more to say.
            Replay::Unknown if self.news.is_some() => return self.position.start_anew(),
            Replay::Unknown => (Vec::new(), false, true),
        };
        let mut gap = gap && !self.position.gap_told;
        if gap {
            let stream = self.position.stream;
            tracing::warn!(?stream, "a client came back too late: some of the events that it missed are gone");
            self.position.gap_told = true;
        }
        for (number, data) in events {
            self.position.after = number;
            // An answer that could not be kept ends the stream without a word.
            if !data.is_empty() {
                let id = Some(self.position.id());
                self.waiting.push_back(Event { id, gap: std::mem::take(&mut gap), ..Event::message(data) });
            }
        }
        if gap {
            self.waiting.push_back(Event { gap, ..Event::default() });
        }
        self.ended |= finished;
    }
}

impl Position {
    fn id(&self) -> Box<str> {
        EventId { stream: self.stream, number: self.after }.write()
    }

    fn start_anew(&mut self) {
        *self = Self { stream: EventId::stream_of_session(), after: 0, kept: false, gap_told: false, ..*self };
    }
}
