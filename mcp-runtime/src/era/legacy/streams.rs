//! The streams that clients open with GET.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    future::{Either, select},
    stream,
};
use http::StatusCode;
use tokio::sync::watch;

use super::{
    event_id::EventId,
    listener::{Listener, PAGE},
    news::Reader,
};
use crate::{
    auth::{Principal, expiry},
    call::chain,
    era::{Era, Errand, classify::Hinted, refuse},
    exchange::{EventStream, Headers, Outbound},
    session::{self, Closed, PATIENCE, Policy, ProtocolSession, SessionKey},
    store::{Replay, StreamId},
    wire::Code,
};

/// A session has at most so many open streams; the oldest gives way.
const STREAMS_PER_SESSION: usize = 8;

/// The open streams, so that they can be ended.
#[derive(Clone, Default)]
pub(crate) struct Streams(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    open: HashMap<SessionKey, Vec<Open>>,
    draining: bool,
}

/// A stream that a client listens to.
struct Open {
    stream: StreamId,
    order: watch::Sender<Option<Duration>>,
}

impl Streams {
    /// Opens one; `None` while the server goes down. Who comes back to a stream takes it over.
    fn open(&self, session: SessionKey, stream: StreamId) -> Option<Place> {
        let mut state = self.state();
        if state.draining {
            return None;
        }
        let open = state.open.entry(session).or_default();
        // Streams whose client went away have no receiver any more. Dropping the sender of the others ends them.
        open.retain(|open| open.stream != stream && open.order.receiver_count() > 0);
        if open.len() == STREAMS_PER_SESSION {
            open.remove(0);
        }
        let (sender, receiver) = watch::channel(None);
        open.push(Open { stream, order: sender });
        Some(Place { streams: self.clone(), session, stream, order: Some(receiver) })
    }

    /// The client of this stream may go, and come back after this time.
    pub(crate) fn let_go(&self, session: SessionKey, stream: StreamId, retry: Duration) {
        let state = self.state();
        let mut open = state.open.get(&session).into_iter().flatten();
        if let Some(open) = open.find(|open| open.stream == stream) {
            open.order.send_replace(Some(retry));
        }
    }

    /// Ends the streams of one session.
    pub(crate) fn end(&self, session: SessionKey) {
        self.state().open.remove(&session);
    }

    /// Ends all streams and opens no more.
    pub(crate) fn drain(&self) {
        let mut state = self.state();
        state.draining = true;
        state.open.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream's place in the register, given back by dropping it.
pub(super) struct Place {
    streams: Streams,
    pub(super) session: SessionKey,
    pub(super) stream: StreamId,
    order: Option<watch::Receiver<Option<Duration>>>,
}

impl Place {
    /// Waits until the client is to go: to come back after some time, or for good.
    pub(super) async fn order(&mut self) -> Option<Duration> {
        let order = self.order.as_mut()?;
        order.changed().await.ok()?;
        *order.borrow_and_update()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.order = None;
        let mut state = self.streams.state();
        if let Some(open) = state.open.get_mut(&self.session) {
            open.retain(|open| open.order.receiver_count() > 0);
            if open.is_empty() {
                state.open.remove(&self.session);
            }
        }
    }
}

impl Era {
    /// Opens the stream of the session that the headers name: the one that they want to resume, or a new one.
    pub(crate) async fn listen(
        &self,
        headers: &Headers,
        principal: Option<&Principal>,
    ) -> Result<EventStream, Outbound> {
        let session = self.named_session(headers, principal).await?;
        let resumed = match headers.last_event_id.value().and_then(EventId::read) {
            Some(id) => self.missed(session.key, id).await?.map(|missed| (id, missed)),
            None => None,
        };
        let stream = resumed.as_ref().map_or_else(EventId::stream_of_session, |(id, _)| id.stream);
        let Some(place) = self.streams.open(session.key, stream) else {
            return Err(Outbound::empty(StatusCode::SERVICE_UNAVAILABLE));
        };
        let of_session = resumed.as_ref().is_none_or(|(id, _)| id.is_of_session());
        if of_session && self.news.may_be_missed(session.key) {
            self.tell_all(|| Errand::missed(session.key));
        }
        // A session for which no news can be kept has a stream that says nothing.
        let lives = headers.session_id.value().map(|id| self.sessions.remaining(id));
        let reader = Reader { session: session.key, principal, lives };
        let news = of_session.then(|| self.news.of(reader).unwrap_or_else(|| Box::pin(stream::pending())));
        let over = {
            let (sessions, principal) = (self.sessions.clone(), principal.cloned());
            let token = headers.session_id.value().unwrap_or_default().to_owned();
            let (tasks, key) = (self.tasks.clone(), session.key);
            Box::pin(async move {
                let expired = expiry(principal.as_ref().and_then(|principal| principal.expires));
                // Whose credentials are over has a session nevertheless.
                if let Either::Right(_) =
                    select(pin!(expired), pin!(sessions.until_over(&token, principal.as_ref()))).await
                {
                    tasks.end_session(key).await;
                }
            })
        };
        let mut listener = Listener::new(self.events.clone(), place, over, news, session.version.facts().polling);
        if let Some((id, missed)) = resumed {
            listener = listener.resumed(id.number, missed);
        }
        Ok(EventStream(Box::pin(stream::unfold(listener, |mut listener| async move {
            let event = listener.next().await?;
            Some((event, listener))
        }))))
    }

    /// What a session missed after this event. `None` for every id that is none of its own, or not any more: who sends
    /// such a one gets what everyone gets who sends none.
    async fn missed(&self, session: SessionKey, id: EventId) -> Result<Option<Replay>, Outbound> {
        match session::answer(self.events.read_after(session, id.stream, id.number, PAGE), PATIENCE).await {
            Ok(Replay::Unknown) => Ok(None),
            Ok(missed) => Ok(Some(missed)),
            Err(error) => Err(refuse::unavailable(None, &error)),
        }
    }

    /// Ends the session that the headers name.
    pub(crate) async fn end(&self, headers: &Headers, principal: Option<&Principal>) -> Outbound {
        let Some(token) = headers.session_id.value() else {
            return match self.sessions.policy() {
                Policy::Off => not_allowed(NO_SESSIONS),
                Policy::Required | Policy::Optional => session_id_required(),
            };
        };
        let session = match self.named_session(headers, principal).await {
            Ok(session) => session.key,
            Err(refusal) => return refusal,
        };
        match self.sessions.close(token, principal).await {
            Ok(Closed::Ended) => {
                self.session_ended(session);
                self.tell_all(|| Errand::ended(session));
                self.tasks.end_session(session).await;
                if let Err(error) = session::answer(self.events.drop_session(session), PATIENCE).await {
                    tracing::warn!(error = %chain(&error), "the streams of an ended session were not removed");
                }
                Outbound::empty(StatusCode::NO_CONTENT)
            }
            Ok(Closed::Unknown) => refuse::session_not_found(),
            Ok(Closed::Unsupported) => not_allowed("GET, POST, OPTIONS"),
            Err(error) => refuse::unavailable(None, &error),
        }
    }

    /// The session of a GET or DELETE, neither of which 2026-07-28 has.
    async fn named_session(
        &self,
        headers: &Headers,
        principal: Option<&Principal>,
    ) -> Result<Arc<ProtocolSession>, Outbound> {
        let hinted = match Hinted::of(headers) {
            Hinted::Nothing => None,
            Hinted::Known(version) if version.facts().modern => return Err(not_allowed(NO_SESSIONS)),
            Hinted::Known(version) => Some(version),
            Hinted::Unknown => {
                let message = "Unsupported MCP-Protocol-Version header";
                return Err(refuse::bad_request(None, Code::INVALID_REQUEST, message));
            }
        };
        if self.sessions.policy() == Policy::Off {
            return Err(not_allowed(NO_SESSIONS));
        }
        self.legacy_session(headers, hinted, None, principal).await?.ok_or_else(session_id_required)
    }
}

fn session_id_required() -> Outbound {
    refuse::bad_request(None, Code::INVALID_REQUEST, "Mcp-Session-Id header required")
}

/// What is allowed where there are no sessions.
const NO_SESSIONS: &str = "POST, OPTIONS";

fn not_allowed(allow: &'static str) -> Outbound {
    Outbound { allow: Some(allow), ..Outbound::empty(StatusCode::METHOD_NOT_ALLOWED) }
}
