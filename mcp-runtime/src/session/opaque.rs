//! Session ids that say nothing: the store has everything.
//!
//! Takes: what was agreed at `initialize`. Gives: an id, and the session behind one. Knows: one record in the store for each
//! session, beside the parts of its state. Must not know: headers, what hangs on a session.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde::{Deserialize, Serialize};

use super::{
    ProtocolSession, clock, jwt,
    patience::{PATIENCE, answer},
    principal::{self, Tag},
};
use crate::{
    auth::Principal,
    protocol::{ClientCapabilities, Implementation, Version},
    store::{Blob, Commit, Committed, Operation, Owner, Presence, SessionKey, StateStore, StoreError, Write},
};

/// The part that says what the session is. No type of state has this name.
const PART: &str = "\u{1}session";
/// How many characters an id has: base64url of 32 random bytes.
const LENGTH: usize = 43;
/// How long a session lives whose client never comes back with its id.
///
/// # Source
/// Our choice: a client answers the handshake at once, and whoever only opens sessions shall not fill the store.
const HANDSHAKE: Duration = Duration::from_secs(30);
/// Capabilities that are longer are cut to those that the handshake revisions name.
const LONGEST_CAPABILITIES: usize = 8 * 1024;

/// The sessions that only the store knows.
pub(super) struct Opaque {
    store: Arc<dyn StateStore>,
    // What makes the key of a record from an id, so that whoever reads the store has no ids.
    names: hmac::Key,
    idle: Duration,
    absolute: Duration,
}

/// What the store keeps of a session.
#[derive(Serialize, Deserialize)]
struct Record {
    /// The revision agreed on.
    v: String,
    caps: ClientCapabilities,
    /// The client's name and version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ci: Option<(String, String)>,
    /// The tag of the principal to whom it belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<Tag>,
    iat: u64,
}

impl Opaque {
    pub(super) fn new(store: Arc<dyn StateStore>, names: hmac::Key, idle: Duration, absolute: Duration) -> Self {
        Self { store, names, idle, absolute }
    }

    /// Opens a session: one write.
    pub(super) async fn open(
        &self,
        version: Version,
        capabilities: &ClientCapabilities,
        client: Option<&Implementation>,
        principal: Option<&Principal>,
        owner: Owner,
    ) -> Result<String, StoreError> {
        let id = BASE64.encode(super::random::<32>());
        let long = serde_json::to_string(capabilities).map_or(usize::MAX, |text| text.len()) > LONGEST_CAPABILITIES;
        let record = Record {
            v: version.as_str().to_owned(),
            caps: if long { ClientCapabilities(jwt::trimmed(capabilities)) } else { capabilities.clone() },
            ci: client
                .filter(|client| jwt::is_short(client))
                .map(|client| (client.name.clone(), client.version.clone())),
            p: self.tag(principal),
            iat: clock::now(),
        };
        let value = serde_json::to_vec(&record).map_err(|error| StoreError::Unavailable(error.into()))?;
        let commit = Commit {
            operation: Operation(super::random()),
            owner,
            idle: HANDSHAKE.min(self.idle),
            writes: vec![Write { key: PART, expected: 0, value: Blob::from_bytes(value) }],
        };
        match answer(self.store.commit(self.key(&id), commit), PATIENCE).await? {
            Committed::Saved | Committed::Duplicate => Ok(id),
            Committed::Conflict | Committed::Gone => {
                Err(StoreError::Unavailable("a new session was there already".into()))
            }
        }
    }

    /// The live session of this id, if it is this principal's. Being asked for renews it, from the first time on for as long
    /// as a session may be idle.
    pub(super) async fn resolve(
        &self,
        id: &str,
        principal: Option<&Principal>,
    ) -> Result<Option<ProtocolSession>, StoreError> {
        if id.len() != LENGTH || BASE64.decode(id).is_err() {
            return Ok(None);
        }
        let key = self.key(id);
        let loaded = answer(self.store.load(key, &[PART], self.idle), PATIENCE).await?;
        if loaded.presence != Presence::Live {
            return Ok(None);
        }
        let Some((blob, _)) = loaded.parts.into_iter().next().flatten() else { return Ok(None) };
        let unreadable = |error: serde_json::Error| StoreError::Unavailable(error.into());
        let record: Record = serde_json::from_slice(&blob.bytes()).map_err(unreadable)?;
        let own = record.p == self.tag(principal);
        let young = clock::now() < record.iat.saturating_add(self.absolute.as_secs().max(1));
        let Some(version) = Version::parse(&record.v).filter(|_| own && young) else { return Ok(None) };
        Ok(Some(ProtocolSession {
            key,
            id: key.public_id(),
            version,
            capabilities: Arc::new(record.caps),
            client: record.ci.map(|(name, version)| Arc::new(Implementation { name, version, title: None })),
        }))
    }

    /// Ends a session and removes its state.
    pub(super) async fn end(&self, key: SessionKey) -> Result<(), StoreError> {
        // Long enough for every call that began before.
        answer(self.store.remove(key, self.idle), PATIENCE).await
    }

    fn key(&self, id: &str) -> SessionKey {
        super::room::header_key(principal::named(&self.names, &["id", id]))
    }

    fn tag(&self, principal: Option<&Principal>) -> Option<Tag> {
        principal.map(|principal| principal::tag(&self.names, principal))
    }
}
