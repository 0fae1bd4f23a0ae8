//! The handle by which the program ends sessions.
//!
//! Takes: public ids, scopes. Gives: them to the running server. Knows: which server. Must not know: how sessions end.

use std::{
    fmt,
    sync::{Arc, OnceLock, Weak},
};

use super::{RevocationScope, SessionRoom};
use crate::store::StoreError;

/// Ends sessions before their time: one, or all of somebody. Cheap to clone; for any thread.
///
/// [`Server::revocations`](crate::Server::revocations) gives it. What is ended is ended on every instance that shares the
/// store and took such a handle: its id is the same 404 as any that never was, its handle the same error, its cookie the same
/// refusal. Deleting one session ends no other; ending all of somebody keeps nobody from opening new ones, which is the
/// business of authorization.
///
/// # Lag
/// A single session is over at once, everywhere. All of somebody are over at once on the instance that was told, and on
/// others after [`Sessions::revocation_lag`](crate::Sessions::revocation_lag), by default 5 seconds. Streams that are open
/// end within a minute; calls that run are not interrupted.
///
/// # Source
/// Our choice: MCP knows sessions that end (`DELETE`, 404), but nobody who ends those of others.
#[derive(Clone, Default)]
pub struct Revocations(Arc<Link>);

#[derive(Default)]
struct Link {
    room: OnceLock<Weak<SessionRoom>>,
    /// The handle of the server on which this one's is mounted.
    joined: OnceLock<Revocations>,
}

/// Why sessions could not be ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum RevocationError {
    /// The server of this handle does not run, or not any more.
    NotRunning,
    /// That is no session id as [`Context::session_id`](crate::Context::session_id) gives it.
    NoSessionId,
    /// Its client keeps the session ([`Sessions::sealed_cookies`](crate::Sessions::sealed_cookies)), which counts until it
    /// expires or its key is taken away.
    Sealed,
    /// The store did not answer. Whether the sessions are over is unknown: try again.
    Store(StoreError),
}

impl fmt::Display for RevocationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotRunning => "the server whose sessions are to end does not run: start it first, and keep it",
            Self::NoSessionId => {
                "this is no session id as `cx.session_id()` gives it: 22 letters, or the id of a cookie; what a header or \
                 an argument carries is something else"
            }
            Self::Sealed => {
                "this session is sealed in a cookie that its client keeps, so that it can't be ended before it expires, but \
                 by taking its key away"
            }
            Self::Store(_) => "whether the sessions are over is unknown, because the store did not answer: try again",
        })
    }
}

impl std::error::Error for RevocationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotRunning | Self::NoSessionId | Self::Sealed => None,
            Self::Store(error) => Some(error),
        }
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Revocations").field("running", &self.room().is_some()).finish()
    }
}

impl Revocations {
    /// Ends the session of this id, as [`Context::session_id`](crate::Context::session_id) gives it, whatever carries it;
    /// nothing happens where there is none. What it kept is removed.
    ///
    /// # Errors
    /// [`RevocationError`], to the program.
    pub async fn revoke(&self, session_id: &str) -> Result<(), RevocationError> {
        self.room().ok_or(RevocationError::NotRunning)?.revoke(session_id).await
    }

    /// Ends all sessions of this scope that were opened until now: by signed ids, handles and cookies. A session by identity
    /// is not opened and does not end: whoever has the identity has it.
    ///
    /// ```
    /// # async fn logged_out_everywhere(
    /// #     revocations: mcp_runtime::Revocations, principal: mcp_runtime::auth::Principal,
    /// # ) -> Result<(), mcp_runtime::session::RevocationError> {
    /// use mcp_runtime::session::RevocationScope;
    ///
    /// revocations.revoke_all(&principal).await?;
    /// revocations.revoke_all(RevocationScope::Issuer("https://login.customer.example")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`RevocationError`], to the program.
    pub async fn revoke_all<'a>(&self, scope: impl Into<RevocationScope<'a>>) -> Result<(), RevocationError> {
        self.room().ok_or(RevocationError::NotRunning)?.revoke_all(scope.into()).await
    }

    /// From now on, what is ended here is ended there.
    pub(crate) fn join(&self, other: Self) {
        // Only the first counts: a server is mounted once.
        let _ = self.0.joined.set(other);
    }

    /// The sessions that this handle ends.
    pub(crate) fn connect(&self, room: &Arc<SessionRoom>) {
        let _ = self.0.room.set(Arc::downgrade(room));
    }

    fn room(&self) -> Option<Arc<SessionRoom>> {
        match self.0.joined.get() {
            Some(other) => other.room(),
            None => self.0.room.get().and_then(Weak::upgrade),
        }
    }
}
