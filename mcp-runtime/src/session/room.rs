//! The sessions of a running server: one place that mints, checks and ends, whatever the carrier.
//!
//! Takes: ids from carriers. Gives: session keys, or nothing. Knows: lifetimes, revocation, the store's word. Must not
//! know: where on the wire an id stood.

mod ends;
mod lives;
mod open_error;
mod ring;
mod unsigned;

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

pub(crate) use open_error::OpenError;

use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};

use super::{
    Ahead, PartCard, Policy, ProtocolSession, SessionError, SessionManager, Sessions, SigningKeys,
    cache::{Cache, Known, Life},
    clock,
    cookies::{Cookies, Keeping},
    epochs::Epochs,
    handle::{Handles, Named},
    jwt::{SKEW_SECONDS, Tokens},
    keys::RootKey,
    opaque::Opaque,
    patience::{PATIENCE, answer},
    policy::{Lifetimes, Source},
    principal,
    seal::Seals,
    witness::Witnesses,
};
use crate::{
    auth::Principal,
    protocol::{ClientCapabilities, Implementation, Version},
    store::{Blob, Commit, Committed, Operation, Owner, SessionKey, StateStore, StoreError, Write},
};

/// The environment variable of the keys.
const KEYS_VARIABLE: &str = "MCP_SESSION_KEYS";
/// A session in use for longer than this gets a record in the store, so that being used keeps it alive even when none of
/// its tools has written yet. Before that, it costs no memory and no write.
const RECORD_AFTER_SECONDS: u64 = 60;

/// How often a session that is waited for is looked at.
const LOOK: Duration = Duration::from_secs(60);

/// The first byte of a key: the kind of carrier.
mod kind {
    pub(super) const HEADER: u8 = 1;
    pub(super) const HANDLE: u8 = 2;
    pub(super) const IDENTITY: u8 = 3;
    pub(super) const PROCESS: u8 = 4;
    /// No carrier: the name of something that was used.
    pub(super) const USED: u8 = 5;
}

/// The sessions of a running server.
pub(crate) struct SessionRoom {
    policy: Policy,
    fingerprint: Box<str>,
    ids: Ids,
    handles: Handles,
    seals: Seals,
    cookies: Cookies,
    store: Arc<dyn StateStore>,
    stateful: bool,
    // Whether asking the store takes a while, so that what a call will need is read with the question whether its session
    // lives.
    reads_ahead: bool,
    by_identity: bool,
    lifetimes: Lifetimes,
    // Whether what is revoked stays revoked, wherever the id is shown next.
    revocable: bool,
    // Whether a tombstone may exist: until then, sessions without state need no word from the store.
    revoked: AtomicBool,
    // Where all sessions of somebody may be ended at once.
    epochs: Option<Arc<Epochs>>,
    // Keyed by the store, not by the ring: who someone is does not change when keys rotate.
    owners: hmac::Key,
    identities: hmac::Key,
}

/// Where session ids come from.
#[expect(clippy::large_enum_variant, reason = "a server has one")]
enum Ids {
    Signed { tokens: Tokens, verified: Cache },
    Opaque(Opaque),
    Custom(Arc<dyn SessionManager>),
}

/// What is behind a handle.
pub(crate) struct Behind {
    /// Where its state hangs.
    pub(crate) key: SessionKey,
    /// Its public name.
    pub(crate) id: Box<str>,
    /// What was read of it already.
    pub(crate) ahead: Option<Box<Ahead>>,
}

impl SessionRoom {
    /// Sets the room up: reads the store's identity, derives the subkeys. `stateful` says whether any tool borrows
    /// session state.
    ///
    /// # Errors
    /// [`OpenError`] when the keys in the environment can't be read, the store does not answer, or several processes share
    /// it and this one has no keys that the others have.
    pub(crate) async fn open_room(
        sessions: Sessions,
        store: Arc<dyn StateStore>,
        server: &str,
        stateful: bool,
    ) -> Result<Self, OpenError> {
        let stateful = stateful || sessions.are_stored();
        // Whether the store says which sessions are over.
        let decides = stateful || sessions.are_revocable();
        let lifetimes = sessions.lifetimes(stateful);
        let policy = sessions.policy.unwrap_or(Policy::Required);
        let by_identity = sessions.by_identity;
        let keys = match &sessions.keys {
            Some(keys) => keys.clone(),
            // Without sessions, too: what calls that ask send along is sealed with them.
            _ if std::env::var_os(KEYS_VARIABLE).is_some() => {
                SigningKeys::from_env(KEYS_VARIABLE).map_err(OpenError::Keys)?
            }
            _ => SigningKeys::random(),
        };
        if keys.is_random() && store.shared() {
            return Err(OpenError::KeysOfItsOwn);
        }
        let identity = answer(store.identity(), PATIENCE).await.map_err(OpenError::Store)?;
        let durable = store.durable();
        if keys.is_random() && sessions.sealed {
            tracing::warn!(
                "what cookies carry is sealed with a random key, so that no other process takes it, nor this one after a \
                 restart. Set {KEYS_VARIABLE}=\"k1:$(openssl rand -base64 32)\", the same for all instances"
            );
        }
        if keys.is_random() && stateful && durable {
            tracing::warn!(
                "the store survives this process, its sessions do not: they are signed with a random key. Set \
                 {KEYS_VARIABLE}=\"k1:$(openssl rand -base64 32)\" to keep them"
            );
        }
        // With state, a token is worth nothing without its store; without, any instance with the key takes it.
        let binding: &[u8] = if decides { &identity.0 } else { &[] };
        let of_store = RootKey::new("store", &identity.0);
        if store.shared() {
            let differing = ring::differing(&*store, &of_store.derive("ring", &[]), &keys).await;
            if let Some(kid) = differing.map_err(OpenError::Store)? {
                return Err(OpenError::AnotherKey(kid));
            }
        }
        let epochs = sessions.are_revocable().then(|| {
            let names = of_store.derive("epoch", &[]);
            Arc::new(Epochs::new(store.clone(), names, lifetimes.longest(), sessions.lag))
        });
        let ids = match sessions.source {
            Source::Jwt => Ids::Signed { tokens: Tokens::new(&keys, server, binding), verified: Cache::new() },
            Source::Opaque => {
                let names = of_store.derive("opaque", &[]);
                Ids::Opaque(Opaque::new(store.clone(), names, lifetimes.idle, lifetimes.absolute))
            }
            Source::Custom(manager) => Ids::Custom(manager),
        };
        Ok(Self {
            policy,
            fingerprint: keys.fingerprint().into(),
            ids,
            handles: Handles::new(&keys, binding),
            seals: Seals::new(&keys, server, binding),
            cookies: Cookies::new(
                sessions.cookies,
                store.clone(),
                lifetimes.idle,
                of_store.derive("owner", &[]),
                if sessions.sealed {
                    Keeping::Client(Seals::new(&keys, server, &[]))
                } else {
                    Keeping::Store(Witnesses(of_store.derive("witness", &[])))
                },
                epochs.clone(),
            ),
            stateful,
            reads_ahead: stateful && durable,
            by_identity,
            lifetimes,
            revocable: decides || durable || keys.is_random(),
            revoked: AtomicBool::new(durable || decides),
            epochs,
            owners: of_store.derive("owner", &[]),
            identities: of_store.derive("identity", &[]),
            store,
        })
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
        match &self.ids {
            Ids::Custom(manager) => manager.open(version, capabilities, client, principal).await,
            Ids::Opaque(opaque) => {
                let whose = self.whose_now(principal).await?;
                let whose = whose.as_deref().or(principal);
                let opened = opaque.open(version, capabilities, client, whose, self.owner(principal));
                Box::pin(opened).await.map_err(unavailable)
            }
            Ids::Signed { tokens, .. } => {
                let now = clock::now();
                let whose = self.whose_now(principal).await?;
                let times = (now, now.saturating_add(self.lifetimes.absolute.as_secs().max(1)));
                tokens
                    .mint(super::random(), version, capabilities, client, whose.as_deref().or(principal), times)
                    .ok_or_else(|| SessionError("the server's name does not fit into a session id".into()))
            }
        }
    }

    /// The live session of this id; `None` for every dead or foreign one.
    pub(crate) async fn resolve(
        &self,
        id: &(impl AsRef<[u8]> + ?Sized),
        principal: Option<&Principal>,
    ) -> Result<Option<Arc<ProtocolSession>>, SessionError> {
        let id = id.as_ref();
        match &self.ids {
            Ids::Signed { tokens, verified } => {
                let Some((session, life)) = self.known(tokens, verified, id, principal).await? else {
                    return Ok(None);
                };
                let lives = self.lives(session.key, life.issued, principal).await?;
                Ok(lives.then_some(session))
            }
            Ids::Opaque(_) | Ids::Custom(_) => match std::str::from_utf8(id) {
                Ok(id) => Box::pin(self.resolve_unsigned(id, principal)).await,
                Err(_) => Ok(None),
            },
        }
    }

    /// The same, and these parts of it, read with the question whether it lives.
    pub(crate) async fn resolve_reading(
        &self,
        id: &(impl AsRef<[u8]> + ?Sized),
        principal: Option<&Principal>,
        parts: &'static [PartCard],
    ) -> Result<Option<(Arc<ProtocolSession>, Option<Box<Ahead>>)>, SessionError> {
        let Ids::Signed { tokens, verified } = &self.ids else {
            return Ok(self.resolve(id, principal).await?.map(|session| (session, None)));
        };
        let Some((session, life)) = self.known(tokens, verified, id.as_ref(), principal).await? else {
            return Ok(None);
        };
        // Boxed, so that the future of a call without state stays small.
        let looked = Box::pin(self.look(session.key, life.issued, principal, parts)).await?;
        Ok(looked.map(|ahead| (session, ahead)))
    }

    /// Whether parts are worth being read when the session of a call is looked up.
    pub(crate) fn reads_ahead(&self) -> bool {
        self.reads_ahead
    }

    /// Resolves when no session of this id lives any more, to within a minute. Who waits for that is there: it counts as
    /// use of the session.
    pub(crate) async fn until_over(&self, id: &str, principal: Option<&Principal>) {
        loop {
            let known = match &self.ids {
                Ids::Signed { tokens, verified } => verified_session(tokens, verified, id.as_bytes(), principal),
                Ids::Opaque(_) | Ids::Custom(_) => None,
            };
            let end = known.map(|(_, life)| life.expires.saturating_add(SKEW_SECONDS).saturating_sub(clock::now()));
            let pause = LOOK.min(self.lifetimes.idle / 2).min(end.map_or(LOOK, Duration::from_secs));
            tokio::time::sleep(pause.max(Duration::from_secs(1))).await;
            // A store that is down says nothing of the session.
            if matches!(self.resolve(id, principal).await, Ok(None)) {
                return;
            }
        }
    }

    /// A new handle: 38 characters. No write.
    pub(crate) async fn mint_handle(&self, principal: Option<&Principal>) -> Result<String, SessionError> {
        let whose = self.whose_now(principal).await?;
        Ok(self.handles.mint(super::random(), whose.as_deref().or(principal), clock::now()))
    }

    /// The session behind a handle, and these parts of it where that is worth while; `None` for missing, forged, foreign
    /// and expired handles alike.
    pub(crate) async fn read_handle(
        &self,
        handle: &str,
        principal: Option<&Principal>,
        parts: &'static [PartCard],
    ) -> Result<Option<Behind>, SessionError> {
        // Nothing of it is kept while the store is asked, so that the future of a call stays small.
        let read = {
            let whose = self.whose(principal).await?;
            self.handles.read(handle, whose.as_deref().or(principal))
        };
        let Some(Named { sid, minted }) = read else { return Ok(None) };
        let key = session_key(kind::HANDLE, sid);
        if minted > clock::now().saturating_add(SKEW_SECONDS) {
            return Ok(None);
        }
        let looked = self.look(key, minted, principal, parts).await?;
        Ok(looked.map(|ahead| Behind { key, id: BASE64.encode(sid).into(), ahead }))
    }

    /// What seals what clients carry for the server.
    pub(crate) fn seals(&self) -> &Seals {
        &self.seals
    }

    /// The sessions that cookies carry.
    pub(crate) fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    /// How long a handle lives without being used.
    pub(crate) fn handle_idle(&self) -> Duration {
        self.lifetimes.handle
    }

    /// The one session of an identity: of this issuer's subject, through whatever client.
    pub(crate) fn identity(&self, principal: &Principal) -> SessionKey {
        session_key(kind::IDENTITY, principal::person(&self.identities, principal))
    }

    /// The one session of a stdio process: a new key for each connection.
    pub(crate) fn process(&self) -> SessionKey {
        session_key(kind::PROCESS, super::random())
    }

    /// How long a record under this key may be idle.
    pub(crate) fn idle(&self, key: SessionKey) -> Duration {
        match key.0[0] {
            kind::HANDLE => self.lifetimes.handle,
            kind::IDENTITY => self.lifetimes.identity,
            kind::PROCESS => self.lifetimes.process,
            _ => self.lifetimes.idle,
        }
    }

    /// How often what has expired is worth sweeping out of the store.
    pub(crate) fn sweep_every(&self) -> Duration {
        self.lifetimes.idle.clamp(Duration::from_secs(1), Duration::from_secs(60))
    }

    /// Whose sessions a principal's are; nobody's in particular without one.
    pub(crate) fn owner(&self, principal: Option<&Principal>) -> Owner {
        principal.map_or_else(Owner::default, |principal| Owner(principal::tag(&self.owners, principal)))
    }

    /// How many tokens are remembered.
    #[cfg(test)]
    fn remembered(&self) -> usize {
        match &self.ids {
            Ids::Signed { verified, .. } => verified.len(),
            Ids::Opaque(_) | Ids::Custom(_) => 0,
        }
    }

    /// Whether the state of requests with a principal hangs on the principal.
    pub(crate) fn by_identity(&self) -> bool {
        self.by_identity
    }

    /// Remembers for this long that something of this random name was used, on every instance that shares the store;
    /// `false` if it was used before.
    pub(crate) async fn use_once(&self, name: [u8; 16], remembered: Duration) -> Result<bool, StoreError> {
        let commit = Commit {
            operation: Operation(super::random()),
            owner: Owner::default(),
            idle: remembered,
            writes: vec![Write { key: "used", expected: 0, value: Blob::from_bytes(vec![1]) }],
        };
        let committed = answer(self.store.commit(session_key(kind::USED, name), commit), PATIENCE).await?;
        Ok(committed == Committed::Saved)
    }

    /// Removes the record under this key.
    pub(crate) async fn forget(&self, key: SessionKey) -> Result<(), StoreError> {
        if !self.stateful {
            return Ok(());
        }
        // Nothing can name the key any more, so there is nothing that a tombstone would have to keep away for long.
        answer(self.store.remove(key, Duration::from_secs(1)), PATIENCE).await
    }
}

/// The session of a token that we signed for this principal and that has not expired.
fn verified_session(
    tokens: &Tokens,
    verified: &Cache,
    token: &[u8],
    principal: Option<&Principal>,
) -> Option<(Arc<ProtocolSession>, Life)> {
    let now = clock::now();
    if let Some(known) = verified.get(token, principal, now) {
        return Some(known);
    }
    let token = std::str::from_utf8(token).ok()?;
    let facts = tokens.verify(token, principal, now)?;
    let session = Arc::new(ProtocolSession {
        key: session_key(kind::HEADER, facts.sid),
        id: BASE64.encode(facts.sid).into(),
        version: facts.version,
        capabilities: facts.capabilities,
        client: facts.client,
    });
    let life = Life { issued: facts.issued, expires: facts.expires };
    verified.insert(token, Known { session: Arc::clone(&session), principal: principal.cloned(), life });
    Some((session, life))
}

/// The key of a session whose id is in a header.
pub(super) fn header_key(bytes: [u8; 16]) -> SessionKey {
    session_key(kind::HEADER, bytes)
}

fn session_key(kind: u8, bytes: [u8; 16]) -> SessionKey {
    let mut key = [kind; 17];
    key[1..].copy_from_slice(&bytes);
    SessionKey(key)
}

fn unavailable(error: StoreError) -> SessionError {
    SessionError(Box::new(error))
}

#[cfg(test)]
mod tests;
