//! Sessions of ids that we did not sign: those that the store knows, and those of a manager of the user's.
//!
//! Takes: ids and principals. Gives: live sessions. Knows: who has to be asked. Must not know: tokens.

use std::sync::Arc;

use super::{Ids, SessionRoom, kind, unavailable};
use crate::{
    auth::Principal,
    session::{
        ProtocolSession, SessionError, SessionManager,
        opaque::Opaque,
        patience::{PATIENCE, answer},
    },
    store::Presence,
};

impl SessionRoom {
    /// The live session of this id, where ids are not signed.
    pub(super) async fn resolve_unsigned(
        &self,
        id: &str,
        principal: Option<&Principal>,
    ) -> Result<Option<Arc<ProtocolSession>>, SessionError> {
        match &self.ids {
            Ids::Signed { .. } => Ok(None),
            Ids::Opaque(opaque) => self.resolve_opaque(opaque, id, principal).await,
            Ids::Custom(manager) => self.resolve_custom(&**manager, id, principal).await,
        }
    }

    /// The live session of an id that says nothing.
    pub(super) async fn resolve_opaque(
        &self,
        opaque: &Opaque,
        id: &str,
        principal: Option<&Principal>,
    ) -> Result<Option<Arc<ProtocolSession>>, SessionError> {
        let whose = self.whose(principal).await?;
        let session = opaque.resolve(id, whose.as_deref().or(principal)).await.map_err(unavailable)?;
        Ok(session.map(Arc::new))
    }

    /// The live session of an id that a manager of the user's gave out.
    pub(super) async fn resolve_custom(
        &self,
        manager: &dyn SessionManager,
        id: &str,
        principal: Option<&Principal>,
    ) -> Result<Option<Arc<ProtocolSession>>, SessionError> {
        let Some(mut session) = manager.resolve(id, principal).await? else { return Ok(None) };
        // Whatever the manager chose, its sessions can't be those of another carrier.
        session.key.0[0] = kind::HEADER;
        if self.stateful {
            // How long the session lives is the manager's word; a record is renewed, and one that was removed is gone.
            let touched = self.store.touch(session.key, self.lifetimes.idle);
            if answer(touched, PATIENCE).await.map_err(unavailable)? == Presence::Gone {
                return Ok(None);
            }
        }
        Ok(Some(Arc::new(session)))
    }
}
