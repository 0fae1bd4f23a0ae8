//! What a function sees of its request.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use super::{Importance, Mirrors, Outbox};
use crate::{
    auth::Principal,
    protocol::{ClientCapabilities, Implementation},
    session::ProtocolSession,
    wire::{Raw, write_notification, write_string},
};

/// This request: who calls, with which session, and the way to tell the client something meanwhile.
pub struct Context {
    facts: Facts,
    outbox: Arc<Outbox>,
    last_progress: Mutex<Option<f64>>,
}

/// What is known of the request before it runs.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) session: Session,
    pub(crate) principal: Option<Box<Principal>>,
    pub(crate) client: Undecoded<Implementation>,
    pub(crate) capabilities: Undecoded<ClientCapabilities>,
    pub(crate) progress: Option<Progress>,
    /// What came beside the call and repeats arguments, where anything does.
    pub(crate) mirrors: Option<Box<Mirrors>>,
}

/// Which session a call is in.
#[derive(Default)]
pub(crate) enum Session {
    /// None, or none yet.
    #[default]
    None,
    /// One of the protocol, which knows its client too.
    Protocol(Arc<ProtocolSession>),
    /// One that something else carries, by its public name.
    Named(Box<str>),
}

/// Where progress goes.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    /// The client's token, as it came: a string or an integer.
    pub(crate) token: Raw,
    /// Whether the notification may carry a message.
    pub(crate) message: bool,
}

/// A fact that is decoded when somebody asks for it: most calls never do.
#[derive(Default)]
pub(crate) enum Undecoded<T> {
    /// Not known.
    #[default]
    Absent,
    /// As it came with this request.
    Raw(Raw, OnceLock<Option<Box<T>>>),
}

impl<T: serde::de::DeserializeOwned> Undecoded<T> {
    pub(crate) fn raw(raw: &Raw) -> Self {
        Self::Raw(raw.clone(), OnceLock::new())
    }

    fn get(&self) -> Option<&T> {
        match self {
            Self::Absent => None,
            Self::Raw(raw, cell) => cell.get_or_init(|| serde_json::from_str(raw.as_str()).ok()).as_deref(),
        }
    }
}

impl Context {
    pub(crate) fn new(facts: Facts, outbox: Arc<Outbox>) -> Self {
        Self { facts, outbox, last_progress: Mutex::new(None) }
    }

    pub(crate) fn set_session_id(&mut self, id: Box<str>) {
        self.facts.session = Session::Named(id);
    }

    /// What came beside the call and repeats arguments, where anything does.
    pub(crate) fn mirrors(&self) -> Option<&Mirrors> {
        self.facts.mirrors.as_deref()
    }

    /// The public name of this session: never the signed id, so it may be logged. `None` where the call has no session.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        match &self.facts.session {
            Session::None => None,
            Session::Protocol(session) => Some(&session.id),
            Session::Named(id) => Some(id),
        }
    }

    /// Who calls, as the server's authenticator found; `None` without one.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        self.facts.principal.as_deref()
    }

    /// What the client says it is; never a basis for a security decision.
    #[must_use]
    pub fn client(&self) -> Option<&Implementation> {
        match &self.facts.session {
            Session::Protocol(session) => session.client.as_deref(),
            _ => self.facts.client.get(),
        }
    }

    /// What the client declared that it can do.
    #[must_use]
    pub fn capabilities(&self) -> Option<&ClientCapabilities> {
        match &self.facts.session {
            Session::Protocol(session) => Some(&session.capabilities),
            _ => self.facts.capabilities.get(),
        }
    }

    /// Lets the client go while the call goes on: what was said so far is sent, then the connection of this call ends
    /// without the answer, and the client comes back after `retry` for the rest. For calls that take longer than
    /// connections last.
    ///
    /// Nothing happens where clients can't come back: only those of 2025-11-25 can, over HTTP, with a session, and if
    /// they read event streams.
    ///
    /// # Units
    /// `retry` is sent in whole milliseconds; more than an hour is an hour.
    ///
    /// # Source
    /// 2025-11-25 basic/transports §Sending Messages to the Server, item 6.
    pub fn close_stream(&self, retry: Duration) {
        self.outbox.close(retry.min(Duration::from_secs(60 * 60)));
    }

    /// Tells the client how far the work is, if it asked to be told; otherwise nothing.
    ///
    /// `progress` must rise from call to call (what does not is dropped), `total` is what it rises to, where that is
    /// known. Never waits: of more than 64 reports that the client has not read yet, the oldest are dropped.
    ///
    /// # Source
    /// 2026-07-28 basic/utilities/progress.
    pub fn progress(&self, progress: f64, total: impl Into<Option<f64>>, message: Option<&str>) {
        let Some(to) = &self.facts.progress else { return };
        let mut last = self.last_progress.lock().unwrap_or_else(PoisonError::into_inner);
        if !progress.is_finite() || last.is_some_and(|last| progress <= last) {
            return;
        }
        *last = Some(progress);
        let total = total.into().filter(|total| total.is_finite());
        let mut bytes = Vec::with_capacity(160);
        write_notification(&mut bytes, "notifications/progress", |out| {
            out.extend_from_slice(b"{\"progressToken\":");
            out.extend_from_slice(to.token.as_str().as_bytes());
            out.extend_from_slice(b",\"progress\":");
            out.extend_from_slice(serde_json::Value::from(progress).to_string().as_bytes());
            if let Some(total) = total {
                out.extend_from_slice(b",\"total\":");
                out.extend_from_slice(serde_json::Value::from(total).to_string().as_bytes());
            }
            if let Some(message) = message.filter(|_| to.message) {
                out.extend_from_slice(b",\"message\":");
                write_string(out, message);
            }
            out.push(b'}');
        });
        // Pushed under the lock, so that reports of two threads leave in the order that was checked.
        self.outbox.push(bytes.into(), Importance::Progress);
    }
}
