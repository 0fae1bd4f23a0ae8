//! The trait of what mints and checks session ids.
//!
//! Takes: what was agreed at `initialize`. Gives: an id, and the session behind one. Knows: nothing itself. Must not
//! know: how ids travel.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use crate::{
    auth::Principal,
    protocol::{ClientCapabilities, Implementation, Version},
    store::SessionKey,
};

/// A session as the protocol knows it: which client, which revision, what it can do.
#[derive(Clone, Debug)]
pub struct ProtocolSession {
    /// Where its state hangs: 16 bytes of your choice, never the same for two sessions; the first of the 17 is set by the
    /// framework.
    pub key: SessionKey,
    /// What `cx.session_id()` gives: never the signed id itself.
    pub id: Box<str>,
    /// The revision agreed on.
    pub version: Version,
    /// What the client declared; shared, because each call shows it to its function.
    pub capabilities: Arc<ClientCapabilities>,
    /// Who the client says it is, where that is kept: name and version.
    pub client: Option<Arc<Implementation>>,
}

/// How an attempt to end a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It is over: from now on its id is a 404.
    Ended,
    /// There is no such session: 404.
    Unknown,
    /// It can't be ended before its time: 405.
    Unsupported,
}

/// Why a session manager can't answer; the peer sees 503.
#[derive(Debug)]
pub struct SessionError(pub Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for SessionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the session manager is unavailable")
    }
}

impl std::error::Error for SessionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

/// A future that a session manager returns.
pub type SessionFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, SessionError>> + Send + 'a>>;

/// Mints and checks session ids: for [`Sessions::custom`](super::Sessions::custom).
///
/// The typed state of the session is not its business: that hangs in the store on [`ProtocolSession::key`]. A manager
/// that keeps its own sessions decides how long they live; their state lives as long as it is not idle.
pub trait SessionManager: Send + Sync + 'static {
    /// Opens a session and gives its id: visible ASCII, at most 4 KiB, unguessable.
    ///
    /// # Errors
    /// [`SessionError`]: the peer sees 503.
    fn open<'a>(
        &'a self,
        version: Version,
        capabilities: &'a ClientCapabilities,
        client: Option<&'a Implementation>,
        principal: Option<&'a Principal>,
    ) -> SessionFuture<'a, String>;

    /// The session of this id, if it lives and is this principal's; `None` for unknown, expired, revoked, forged and
    /// foreign ids alike.
    ///
    /// # Errors
    /// [`SessionError`]: the peer sees 503, never 404.
    fn resolve<'a>(
        &'a self,
        id: &'a str,
        principal: Option<&'a Principal>,
    ) -> SessionFuture<'a, Option<ProtocolSession>>;

    /// Ends the session of this id; [`Closed::Unsupported`] is better than a promise that is not kept.
    ///
    /// # Errors
    /// [`SessionError`]: the peer sees 503.
    fn close<'a>(&'a self, id: &'a str, principal: Option<&'a Principal>) -> SessionFuture<'a, Closed>;
}
