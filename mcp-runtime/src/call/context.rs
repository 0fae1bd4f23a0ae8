//! What a function sees of its request.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    task::{Poll, Waker},
};

use crate::{
    auth::Principal,
    protocol::{ClientCapabilities, Implementation},
};

/// This request: who calls, with which session, and the way to tell the client something meanwhile.
pub struct Context {
    facts: Facts,
    outbox: Arc<Outbox>,
}

/// What is known of the request before it runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) session_id: Option<Box<str>>,
    pub(crate) principal: Option<Principal>,
    pub(crate) client: Option<Arc<Implementation>>,
    pub(crate) capabilities: Option<Arc<ClientCapabilities>>,
    pub(crate) wants_progress: bool,
}

/// Something to tell the client before the answer, in words that no revision owns.
#[derive(Clone, Debug)]
pub(crate) enum Emission {
    /// How far the work is.
    Progress { progress: f64, total: Option<f64>, message: Option<String> },
}

/// Where emissions wait for the transport, bounded: the oldest progress is dropped first.
#[derive(Debug, Default)]
pub(crate) struct Outbox(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    queue: VecDeque<Emission>,
    last_progress: Option<f64>,
    waker: Option<Waker>,
}

/// More than this many emissions never wait for one call.
const OUTBOX_LIMIT: usize = 64;

impl Outbox {
    /// The next emission; pending until there is one, and for ever after the call has ended.
    pub(crate) fn poll(&self, waker: &Waker) -> Poll<Emission> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.queue.pop_front() {
            Some(emission) => Poll::Ready(emission),
            None => {
                if !waiting.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
                    waiting.waker = Some(waker.clone());
                }
                Poll::Pending
            }
        }
    }

    /// The next emission, if one waits.
    pub(crate) fn take(&self) -> Option<Emission> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).queue.pop_front()
    }

    fn progress(&self, progress: f64, total: Option<f64>, message: Option<String>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !progress.is_finite() || waiting.last_progress.is_some_and(|last| progress <= last) {
            return;
        }
        waiting.last_progress = Some(progress);
        if waiting.queue.len() == OUTBOX_LIMIT {
            waiting.queue.pop_front();
        }
        waiting.queue.push_back(Emission::Progress { progress, total, message });
        if let Some(waker) = waiting.waker.take() {
            waker.wake();
        }
    }
}

impl Context {
    pub(crate) fn new(facts: Facts) -> Self {
        Self { facts, outbox: Arc::default() }
    }

    pub(crate) fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    pub(crate) fn set_session_id(&mut self, id: Box<str>) {
        self.facts.session_id = Some(id);
    }

    /// The public name of this session: never the signed id, so it may be logged. `None` where the call has no session.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.facts.session_id.as_deref()
    }

    /// Who calls, as the server's authenticator found; `None` without one.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        self.facts.principal.as_ref()
    }

    /// What the client says it is; never a basis for a security decision.
    #[must_use]
    pub fn client(&self) -> Option<&Implementation> {
        self.facts.client.as_deref()
    }

    /// What the client declared that it can do.
    #[must_use]
    pub fn capabilities(&self) -> Option<&ClientCapabilities> {
        self.facts.capabilities.as_deref()
    }

    /// Tells the client how far the work is, if it asked to be told; otherwise nothing.
    ///
    /// `progress` must rise from call to call (what does not is dropped), `total` is what it rises to, where that is
    /// known. Never waits: of more than 64 reports that the client has not read yet, the oldest are dropped.
    ///
    /// # Source
    /// 2026-07-28 basic/utilities/progress.
    pub fn progress(&self, progress: f64, total: impl Into<Option<f64>>, message: impl Into<Option<String>>) {
        if self.facts.wants_progress {
            self.outbox.progress(progress, total.into(), message.into());
        }
    }
}
