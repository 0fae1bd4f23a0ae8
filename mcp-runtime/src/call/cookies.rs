//! The cookie of a call: the session that it named, and what became of it.
//!
//! Takes: the id that came. Gives: the session, to the function and to the answer. Knows: one change per call. Must not
//! know: stores.

use std::{
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{Carrier, Context, ToolError};
use crate::session::{Brought, CookiePolicy, SessionCookie, SessionKey};

/// What a client sends of a cookie.
#[derive(Clone)]
pub(crate) struct GivenCookie {
    /// The id, whether it names a session or not.
    pub(crate) id: Box<str>,
    /// What stands beside it and only the server reads.
    pub(crate) token: Option<Box<str>>,
}

/// The cookie of a call.
pub(crate) struct CookieState {
    pub(crate) policy: CookiePolicy,
    /// What came.
    pub(crate) given: Option<GivenCookie>,
    idle: Duration,
    /// What would carry the state without a cookie.
    beside: Option<Carrier>,
    session: Option<SessionCookie>,
    /// What came with it.
    brought: Brought,
    /// What the answer says beside its id.
    token: Mutex<Option<Box<str>>>,
    /// The session is in no store yet.
    unborn: bool,
    change: OnceLock<Change>,
    /// The change happened.
    settled: AtomicBool,
}

/// What a function does to its session.
enum Change {
    Ends,
    Begins(SessionCookie),
}

/// What is to be done with the session of a function that succeeded.
pub(crate) enum Settling<'a> {
    /// Nothing.
    Same,
    /// It ends, if it was in the store already.
    Ends(Option<SessionKey>),
    /// This one begins, in place of another.
    Begins(&'a SessionCookie, Option<SessionKey>),
}

impl CookieState {
    /// Of a request that came with this or with none; a session that begins with it brings `nothing`.
    pub(crate) fn new(policy: CookiePolicy, given: Option<GivenCookie>, idle: Duration, nothing: Brought) -> Self {
        Self {
            policy,
            given,
            idle,
            beside: None,
            session: None,
            brought: nothing,
            token: Mutex::default(),
            unborn: false,
            change: OnceLock::new(),
            settled: AtomicBool::new(false),
        }
    }

    /// What would carry the state without a cookie: what the call came with.
    pub(crate) fn beside(&mut self, carrier: &Carrier) -> Carrier {
        self.beside.get_or_insert_with(|| carrier.clone()).clone()
    }

    /// What would carry the state without a cookie, where that was asked.
    pub(crate) fn carrier_beside(&self) -> Option<&Carrier> {
        self.beside.as_ref()
    }

    /// The session of the protocol in which the call came, if there is one.
    pub(crate) fn session_beside(&self) -> Option<SessionKey> {
        match self.beside {
            Some(Carrier::Session(key)) => Some(key),
            _ => None,
        }
    }

    /// The id names this session, with which this came, or none that lives.
    pub(crate) fn found(&mut self, session: Option<SessionCookie>, brought: Brought) {
        self.session = session;
        self.brought = brought;
        self.unborn = false;
        self.change = OnceLock::new();
    }

    /// A new session, which is kept if the call succeeds.
    pub(crate) fn begin(&mut self, title: &str, reason: &str, nothing: Brought) -> SessionKey {
        let session = SessionCookie::fresh(title, reason, Default::default(), self.idle);
        let key = session.key();
        self.found(Some(session), nothing);
        self.unborn = true;
        key
    }

    /// The session that was found.
    pub(crate) fn kept(&self) -> Option<&SessionCookie> {
        self.session.as_ref().filter(|_| !self.unborn)
    }

    /// What came with it.
    pub(crate) fn brought(&self) -> &Brought {
        &self.brought
    }

    /// The answer says this beside the id.
    pub(crate) fn tell(&self, token: Option<Box<str>>) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }

    /// What the answer says there.
    pub(crate) fn token(&self) -> Option<Box<str>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The session is in the store.
    pub(crate) fn born(&mut self) {
        self.unborn = false;
    }

    /// The same for the answer that names a task, while the task has this one.
    pub(super) fn beside_the_task(&self) -> Self {
        let mut same = Self::new(self.policy, self.given.clone(), self.idle, self.brought.clone());
        same.beside.clone_from(&self.beside);
        same.session.clone_from(&self.session);
        same.token = Mutex::new(self.token());
        same
    }

    /// What is to be done with the session if the function succeeded.
    pub(crate) fn settling(&self) -> Settling<'_> {
        let born = self.session.as_ref().filter(|_| !self.unborn).map(SessionCookie::key);
        match (self.change.get(), &self.session) {
            (Some(Change::Begins(session)), _) => Settling::Begins(session, born),
            (Some(Change::Ends), _) => Settling::Ends(born),
            (None, Some(session)) if self.unborn => Settling::Begins(session, None),
            (None, _) => Settling::Same,
        }
    }

    /// That was done.
    pub(crate) fn settle(&self) {
        self.settled.store(true, Ordering::Relaxed);
    }

    /// The session ends here, whatever the function did.
    pub(crate) fn ends(&self) {
        let _ = self.change.set(Change::Ends);
        self.settle();
    }

    /// This session begins here.
    pub(crate) fn begins(&self, session: SessionCookie) {
        let _ = self.change.set(Change::Begins(session));
        self.settle();
    }

    /// What the answer says of it: `None` for nothing, `Some(None)` for a session that is over.
    pub(crate) fn echo(&self) -> Option<Option<&SessionCookie>> {
        let settled = self.settled.load(Ordering::Relaxed);
        match (self.change.get().filter(|_| settled), &self.session) {
            (Some(Change::Begins(session)), _) => Some(Some(session)),
            (Some(Change::Ends), _) => Some(None),
            (None, Some(session)) if !self.unborn || settled => Some(Some(session)),
            (None, _) => None,
        }
    }

    /// The session as the function sees it.
    fn seen(&self) -> Option<&SessionCookie> {
        match self.change.get() {
            Some(Change::Begins(session)) => Some(session),
            Some(Change::Ends) => None,
            None => self.session.as_ref(),
        }
    }
}

impl Context {
    /// The session that a cookie carries: the one that the client named, or that began with this call. `None` where
    /// something else carries the session, or nothing.
    ///
    /// # Source
    /// The experimental data-layer sessions, version 2.
    #[must_use]
    pub fn cookie(&self) -> Option<&SessionCookie> {
        self.facts.cookies.as_ref()?.seen()
    }

    /// Begins a session that a cookie carries, in place of the one that the call came with, which ends. What this function
    /// leaves in the state that it borrows is the new session's; nothing else of the old one remains.
    ///
    /// It happens if the function succeeds. Doing it again in the same call gives the same session.
    ///
    /// # Errors
    /// [`ToolError`], read by the model, where the server takes no cookies ([`Sessions::cookies`](crate::Sessions::cookies)),
    /// in a task, or after [`end_session`](Self::end_session).
    pub fn begin_session(&self, title: &str) -> Result<&SessionCookie, ToolError> {
        let cookies = self.cookies_or_refuse()?;
        let fresh = || Change::Begins(SessionCookie::fresh(title, "tool/new", Default::default(), cookies.idle));
        match cookies.change.get_or_init(fresh) {
            Change::Begins(session) => Ok(session),
            Change::Ends => Err(ToolError::new("This session was ended: a new one can begin with the next call")),
        }
    }

    /// Ends the session that a cookie carries: its state is removed, and the client is told to forget it.
    ///
    /// It happens if the function succeeds; what the function leaves in the state that it borrows is removed too.
    ///
    /// # Errors
    /// [`ToolError`], read by the model, where no cookie carries the session, in a task, or after
    /// [`begin_session`](Self::begin_session).
    pub fn end_session(&self) -> Result<(), ToolError> {
        let cookies = self.cookies_or_refuse()?;
        if cookies.session.is_none() {
            return Err(ToolError::new("This call came without a session cookie, so that there is no session to end"));
        }
        match cookies.change.get_or_init(|| Change::Ends) {
            Change::Ends => Ok(()),
            Change::Begins(_) => Err(ToolError::new("A session began with this call: it can end with the next one")),
        }
    }

    fn cookies_or_refuse(&self) -> Result<&CookieState, ToolError> {
        if self.is_task() {
            // Nobody would be told: the call was answered already.
            return Err(ToolError::new("A task can't change its session: its call was answered already"));
        }
        let none = || ToolError::new("This server takes no session cookies, so that a tool can't change the session");
        self.facts.cookies.as_deref().ok_or_else(none)
    }

    /// The cookie of this call, where the server takes any.
    pub(crate) fn cookies(&self) -> Option<&CookieState> {
        self.facts.cookies.as_deref()
    }

    /// The same, to be changed.
    pub(crate) fn cookies_mut(&mut self) -> Option<&mut CookieState> {
        self.facts.cookies.as_deref_mut()
    }
}
