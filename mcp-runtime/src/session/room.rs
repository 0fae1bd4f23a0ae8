//! The sessions of a running server: one place that mints, checks and ends, whatever the carrier.

use std::{sync::Arc, time::Duration};

use super::{Closed, Policy, ProtocolSession, SessionError, Sessions};
use crate::{
    auth::Principal,
    protocol::{ClientCapabilities, Implementation, Version},
    store::{Owner, SessionKey, StateStore, StoreError},
};

/// The sessions of a running server.
pub(crate) struct SessionRoom {
    policy: Policy,
}

impl SessionRoom {
    /// Sets the room up: reads the store's identity, derives the subkeys. `stateful` says whether any tool borrows
    /// session state.
    pub(crate) async fn open_room(
        sessions: Sessions,
        store: Arc<dyn StateStore>,
        server: &str,
        stateful: bool,
    ) -> Result<Self, StoreError> {
        let _ = (sessions, store, server, stateful);
        todo!()
    }

    /// Whether requests must have a session.
    pub(crate) fn policy(&self) -> Policy {
        self.policy
    }

    /// Opens a session at `initialize`: no memory, no write.
    pub(crate) async fn open(
        &self,
        version: Version,
        capabilities: &ClientCapabilities,
        client: Option<&Implementation>,
        principal: Option<&Principal>,
    ) -> Result<String, SessionError> {
        let _ = (version, capabilities, client, principal);
        todo!()
    }

    /// The live session of this id; `None` for every dead or foreign one.
    pub(crate) async fn resolve(
        &self,
        id: &str,
        principal: Option<&Principal>,
    ) -> Result<Option<Arc<ProtocolSession>>, SessionError> {
        let _ = (id, principal);
        todo!()
    }

    /// Ends a session at DELETE.
    pub(crate) async fn close(&self, id: &str, principal: Option<&Principal>) -> Result<Closed, SessionError> {
        let _ = (id, principal);
        todo!()
    }

    /// A new handle: 38 characters. No write.
    pub(crate) fn mint_handle(&self, principal: Option<&Principal>) -> String {
        let _ = principal;
        todo!()
    }

    /// The key and the public id behind a handle; `None` for missing, forged, foreign and expired ones alike.
    pub(crate) async fn read_handle(
        &self,
        handle: &str,
        principal: Option<&Principal>,
    ) -> Result<Option<(SessionKey, Box<str>)>, SessionError> {
        let _ = (handle, principal);
        todo!()
    }

    /// How long a handle lives without being used.
    pub(crate) fn handle_idle(&self) -> Duration {
        todo!()
    }

    /// The one session of an identity.
    pub(crate) fn identity(&self, principal: &Principal) -> SessionKey {
        let _ = principal;
        todo!()
    }

    /// The one session of a stdio process: a new key for each connection.
    pub(crate) fn process(&self) -> SessionKey {
        todo!()
    }

    /// How long a record under this key may be idle.
    pub(crate) fn idle(&self, key: SessionKey) -> Duration {
        let _ = key;
        todo!()
    }

    /// Whose sessions a principal's are.
    pub(crate) fn owner(&self, principal: Option<&Principal>) -> Owner {
        let _ = principal;
        todo!()
    }

    /// Whether the state of requests with a principal hangs on the principal.
    pub(crate) fn by_identity(&self) -> bool {
        todo!()
    }

    /// Removes the record under this key.
    pub(crate) async fn forget(&self, key: SessionKey) -> Result<(), StoreError> {
        let _ = key;
        todo!()
    }
}
