//! Ending sessions.
//!
//! Takes: ids, public ids, scopes. Gives: nothing, when they are over. Knows: what may carry an id, how long each has to be
//! remembered. Must not know: who may end what.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use futures_util::future::try_join_all;

use super::{Ids, SessionRoom, kind, session_key, unavailable, verified_session};
use crate::{
    auth::Principal,
    session::{
        Closed, ProtocolSession, RevocationError, RevocationScope, SessionError,
        cache::{Cache, Life},
        clock, cookies,
        jwt::{SKEW_SECONDS, Tokens},
        patience::{PATIENCE, answer},
    },
};

impl SessionRoom {
    /// Ends a session at DELETE.
    pub(crate) async fn close(&self, id: &str, principal: Option<&Principal>) -> Result<Closed, SessionError> {
        match &self.ids {
            Ids::Signed { tokens, verified } => {
                let Some((session, life)) = self.known(tokens, verified, id.as_bytes(), principal).await? else {
                    return Ok(Closed::Unknown);
                };
                if !self.lives(session.key, life.issued, principal).await? {
                    return Ok(Closed::Unknown);
                }
                if !self.revocable {
                    return Ok(Closed::Unsupported);
                }
                // The tombstone stands until no instance takes the token any more.
                let remaining = life.expires.saturating_sub(clock::now()).saturating_add(SKEW_SECONDS);
                self.revoked.store(true, Ordering::Relaxed);
                let removed = self.store.remove(session.key, Duration::from_secs(remaining));
                answer(removed, PATIENCE).await.map_err(unavailable)?;
                verified.remove(id);
                Ok(Closed::Ended)
            }
            Ids::Opaque(opaque) => match self.resolve_opaque(opaque, id, principal).await? {
                None => Ok(Closed::Unknown),
                Some(session) => opaque.end(session.key).await.map(|()| Closed::Ended).map_err(unavailable),
            },
            Ids::Custom(manager) => {
                let Some(session) = self.resolve_custom(&**manager, id, principal).await? else {
                    return Ok(Closed::Unknown);
                };
                let closed = manager.close(id, principal).await?;
                if closed == Closed::Ended && self.stateful {
                    let removed = self.store.remove(session.key, self.lifetimes.absolute);
                    answer(removed, PATIENCE).await.map_err(unavailable)?;
                }
                Ok(closed)
            }
        }
    }

    /// Ends the session of this public id, whatever carries it.
    pub(crate) async fn revoke(&self, public_id: &str) -> Result<(), RevocationError> {
        self.revoked.store(true, Ordering::Relaxed);
        let skew = Duration::from_secs(SKEW_SECONDS);
        let of_a_cookie = self.lifetimes.idle + skew;
        if let Some(key) = cookies::key_of(public_id) {
            if self.cookies.are_sealed() {
                return Err(RevocationError::Sealed);
            }
            return answer(self.store.remove(key, of_a_cookie), PATIENCE).await.map_err(RevocationError::Store);
        }
        let bytes = BASE64.decode(public_id).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
        let bytes = bytes.ok_or(RevocationError::NoSessionId)?;
        let until_no_id_is_taken = [
            (kind::HEADER, self.lifetimes.absolute + skew),
            (kind::HANDLE, self.lifetimes.handle + skew),
            (kind::PROCESS, self.lifetimes.process),
            // Whoever has the identity goes on having it, with nothing in it.
            (kind::IDENTITY, Duration::ZERO),
        ];
        let removed = until_no_id_is_taken
            .map(|(kind, tombstone)| answer(self.store.remove(session_key(kind, bytes), tombstone), PATIENCE));
        try_join_all(removed).await.map(drop).map_err(RevocationError::Store)
    }

    /// Ends all sessions of this scope that were opened until now.
    pub(crate) async fn revoke_all(&self, scope: RevocationScope<'_>) -> Result<(), RevocationError> {
        match &self.epochs {
            Some(epochs) => epochs.end(scope).await.map_err(RevocationError::Store),
            None => Err(RevocationError::NotRunning),
        }
    }

    /// The session of a token that we signed for whom this principal is now.
    pub(super) async fn known(
        &self,
        tokens: &Tokens,
        verified: &Cache,
        token: &[u8],
        principal: Option<&Principal>,
    ) -> Result<Option<(Arc<ProtocolSession>, Life)>, SessionError> {
        // Where nobody ends sessions, this waits for nothing.
        let whose = match self.epochs {
            Some(_) => self.whose(principal).await?,
            None => None,
        };
        Ok(verified_session(tokens, verified, token, whose.as_deref().or(principal)))
    }

    /// As whom a principal's sessions are known; `None` where it is the principal.
    pub(super) async fn whose(&self, principal: Option<&Principal>) -> Result<Option<Arc<Principal>>, SessionError> {
        match (&self.epochs, principal) {
            // Boxed, so that the future of a call where nobody ends sessions stays small.
            (Some(epochs), Some(principal)) => Box::pin(epochs.whose(principal)).await.map_err(unavailable),
            _ => Ok(None),
        }
    }

    /// What tells the key ring from others.
    pub(crate) fn key_fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The same for a session that opens now.
    pub(super) async fn whose_now(
        &self,
        principal: Option<&Principal>,
    ) -> Result<Option<Arc<Principal>>, SessionError> {
        match (&self.epochs, principal) {
            (Some(epochs), Some(principal)) => Box::pin(epochs.whose_now(principal)).await.map_err(unavailable),
            _ => Ok(None),
        }
    }
}
