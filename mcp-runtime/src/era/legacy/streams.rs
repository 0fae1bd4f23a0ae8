//! The streams that clients open with GET.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::stream;
use http::StatusCode;
use tokio::sync::watch;

use crate::{
    auth::Principal,
    era::{Era, classify::Hinted, refuse},
    exchange::{Event, EventStream, Headers, Outbound},
    session::{Closed, Policy, SessionKey},
    wire::Code,
};

/// A session has at most so many open streams; the oldest gives way.
const STREAMS_PER_SESSION: usize = 8;

/// The open streams, so that they can be ended.
#[derive(Clone, Default)]
pub(crate) struct Streams(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    open: HashMap<SessionKey, Vec<watch::Sender<bool>>>,
    draining: bool,
}

impl Streams {
    /// Opens one; `None` while the server goes down.
    fn open(&self, session: SessionKey) -> Option<watch::Receiver<bool>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.draining {
            return None;
        }
        let open = state.open.entry(session).or_default();
        // Streams whose client went away have no receiver any more.
        open.retain(|sender| sender.receiver_count() > 0);
        if open.len() == STREAMS_PER_SESSION {
            // Dropping the sender ends the oldest.
            open.remove(0);
        }
        let (sender, receiver) = watch::channel(false);
        open.push(sender);
        Some(receiver)
    }

    /// Forgets a stream whose client went away.
    fn forget(&self, session: SessionKey) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = state.open.get_mut(&session) {
            open.retain(|sender| sender.receiver_count() > 0);
            if open.is_empty() {
                state.open.remove(&session);
            }
        }
    }

    /// Ends the streams of one session.
    pub(crate) fn end(&self, session: SessionKey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).open.remove(&session);
    }

    /// Ends all streams and opens no more.
    pub(crate) fn drain(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.draining = true;
        state.open.clear();
    }
}

/// Leaves the register when the stream is dropped.
struct Listening {
    streams: Streams,
    session: SessionKey,
    ended: Option<watch::Receiver<bool>>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.ended = None;
        self.streams.forget(self.session);
    }
}

impl Era {
    /// Opens the stream of the session that the headers name.
    pub(crate) async fn listen(
        &self,
        headers: &Headers,
        principal: Option<&Principal>,
    ) -> Result<EventStream, Outbound> {
        let session = self.named_session(headers, principal).await?;
        let Some(ended) = self.streams.open(session) else {
            return Err(Outbound::empty(StatusCode::SERVICE_UNAVAILABLE));
        };
        let listening = Listening { streams: self.streams.clone(), session, ended: Some(ended) };
        Ok(EventStream(Box::pin(stream::unfold(listening, |mut listening| async move {
            if let Some(ended) = &mut listening.ended {
                // The sender never sends: it is dropped, and that is the end.
                let _ = ended.changed().await;
            }
            None::<(Event, Listening)>
        }))))
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
            Ok(session) => session,
            Err(refusal) => return refusal,
        };
        match self.sessions.close(token, principal).await {
            Ok(Closed::Ended) => {
                self.streams.end(session);
                self.in_flight.end(session);
                Outbound::empty(StatusCode::NO_CONTENT)
            }
            Ok(Closed::Unknown) => refuse::session_not_found(),
            Ok(Closed::Unsupported) => not_allowed("GET, POST, OPTIONS"),
            Err(error) => refuse::unavailable(None, &error),
        }
    }

    /// The session of a GET or DELETE, neither of which 2026-07-28 has.
    async fn named_session(&self, headers: &Headers, principal: Option<&Principal>) -> Result<SessionKey, Outbound> {
        match Hinted::of(headers) {
            Hinted::Nothing => {}
            Hinted::Known(version) if !version.facts().modern => {}
            Hinted::Known(_) => return Err(not_allowed(NO_SESSIONS)),
            Hinted::Unknown => {
                return Err(refuse::bad_request(
                    None,
                    Code::INVALID_REQUEST,
                    "Unsupported MCP-Protocol-Version header",
                ));
            }
        }
        if self.sessions.policy() == Policy::Off {
            return Err(not_allowed(NO_SESSIONS));
        }
        let session = self.legacy_session(headers, None, principal).await?;
        session.map(|session| session.key).ok_or_else(session_id_required)
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
