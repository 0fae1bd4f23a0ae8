//! Sessions that a cookie in `_meta` carries: made, found, listed and ended.
//!
//! Takes: ids and principals. Gives: cookies. Knows: one record in the store for each, beside the parts of its state; or that
//! all of it is with the client. Must not know: where in a message a cookie stands.

use std::{
    collections::BTreeMap,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};

use super::{
    PATIENCE, answer,
    epochs::Epochs,
    principal::{self, Tag, principal_tag},
    seal::Seals,
    sealed::{self, Carried},
    witness::{Seen, Witness, Witnesses},
};
use crate::{
    auth::Principal,
    store::{Blob, Commit, Committed, Operation, Owner, Presence, SessionKey, StateStore, StoreError, Write},
};

/// The first byte of the key of a session that a cookie carries.
pub(super) const KIND: u8 = 6;
/// What every id begins with.
const PREFIX: &str = "sess-";
/// The part that says what the cookie says; the parts of state have names of Rust types.
const PART: &str = "mcp/session";
/// At most so many cookies are listed.
const LISTED: usize = 1_000;

/// Whether and how a server takes cookies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CookiePolicy {
    /// It does not.
    #[default]
    Off,
    /// Where one comes it carries the state, else something else does.
    Accepted,
    /// A call of a tool without one begins a session.
    OnDemand,
    /// Tools refuse without one.
    Required,
}

/// A session that a cookie carries (`_meta["mcp/session"]`), as the client is shown it.
///
/// # Shape
/// `{"id", "expiry", "data"}`: 128 random bits after `sess-`, a time in ISO 8601, a map of strings with `title`, `reason`
/// and `createdAt` and what the client gave. In `_meta` it also has `seen`, which says what the client saw of the session, or
/// `state`, which is the session's state, sealed.
///
/// # Source
/// The experimental data-layer sessions, version 2; the length of the id is our choice, because it is a bearer secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionCookie {
    key: SessionKey,
    id: Box<str>,
    data: BTreeMap<String, String>,
    expires: SystemTime,
    /// Whose it is, of one that was found.
    by: Option<Tag>,
}

impl SessionCookie {
    /// A new one, in no store yet, with this title and reason and what else it says.
    pub(crate) fn fresh(title: &str, reason: &str, mut data: BTreeMap<String, String>, idle: Duration) -> Self {
        let mut key = [KIND; 17];
        key[1..].copy_from_slice(&super::random::<16>());
        data.insert("title".to_owned(), title.to_owned());
        data.insert("reason".to_owned(), reason.to_owned());
        data.insert("createdAt".to_owned(), iso(SystemTime::now()));
        let id = key[1..].iter().fold(PREFIX.to_owned(), |id, byte| id + &format!("{byte:02x}")).into();
        Self { key: SessionKey(key), id, data, expires: SystemTime::now() + idle, by: None }
    }

    /// Its id: a secret of the client, so that it belongs neither into a log nor into what a model reads.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its title, for people.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.data.get("title").map(String::as_str)
    }

    /// What it says besides: `title`, `reason`, `createdAt`, and what the client gave when it made the session.
    #[must_use]
    pub const fn data(&self) -> &BTreeMap<String, String> {
        &self.data
    }

    /// When it expires, unless it is used before.
    #[must_use]
    pub const fn expires(&self) -> SystemTime {
        self.expires
    }

    /// Where its state hangs.
    pub(crate) const fn key(&self) -> SessionKey {
        self.key
    }
}

impl fmt::Debug for SessionCookie {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SessionCookie").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Serialize for SessionCookie {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut cookie = serializer.serialize_struct("SessionCookie", 3)?;
        cookie.serialize_field("id", &self.id)?;
        cookie.serialize_field("expiry", &iso(self.expires))?;
        cookie.serialize_field("data", &self.data)?;
        cookie.end()
    }
}

/// A time as cookies show it: with microseconds and a numeric offset.
fn iso(time: SystemTime) -> String {
    humantime::format_rfc3339_micros(time).to_string().replace('Z', "+00:00")
}

/// The key that an id names, if it is one of ours.
pub(super) fn key_of(id: &str) -> Option<SessionKey> {
    let digits = id.strip_prefix(PREFIX)?.as_bytes();
    let mut key = [KIND; 17];
    // One id for one session: no capital letters, nothing missing, nothing more.
    if digits.len() != 32 || !digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (byte, pair) in key[1..].iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(SessionKey(key))
}

/// What the store keeps of a cookie.
#[derive(Serialize, Deserialize)]
struct Record {
    data: BTreeMap<String, String>,
    /// The tag of the principal to whom it belongs.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Tag>,
}

/// What the cookie of a client brings besides the name of a session.
#[derive(Clone, Debug)]
pub(crate) enum Brought {
    /// What the client saw of it, where a store keeps it.
    Seen(Seen),
    /// All of it, where the client does.
    State(Carried),
}

/// Who keeps what sessions are.
#[expect(clippy::large_enum_variant, reason = "a server has one")]
pub(super) enum Keeping {
    /// The store does; clients bring witnesses.
    Store(Witnesses),
    /// Clients do, sealed.
    Client(Seals),
}

/// What a cookie names.
pub(crate) enum FoundCookie {
    /// A live session, and what came with it.
    Live(SessionCookie, Brought),
    /// An unknown, expired, ended or foreign one.
    Unknown,
    /// One that the store lost: its client was told that it lives.
    RolledBack,
}

/// The cookies of a running server.
pub(crate) struct Cookies {
    policy: CookiePolicy,
    store: Arc<dyn StateStore>,
    idle: Duration,
    owners: hmac::Key,
    keeping: Keeping,
    epochs: Option<Arc<Epochs>>,
}

impl Cookies {
    pub(super) fn new(
        policy: CookiePolicy,
        store: Arc<dyn StateStore>,
        idle: Duration,
        owners: hmac::Key,
        keeping: Keeping,
        epochs: Option<Arc<Epochs>>,
    ) -> Self {
        Self { policy, store, idle, owners, keeping, epochs }
    }

    /// As whom a principal makes and lists sessions from now on; `None` where it is the principal.
    pub(crate) async fn whose(&self, principal: Option<&Principal>) -> Result<Option<Arc<Principal>>, StoreError> {
        match (&self.epochs, principal) {
            (Some(epochs), Some(principal)) => Box::pin(epochs.whose_now(principal)).await,
            _ => Ok(None),
        }
    }

    /// Whether and how the server takes cookies.
    pub(crate) const fn policy(&self) -> CookiePolicy {
        self.policy
    }

    /// Whether clients keep the state of their sessions, sealed, and no store does.
    pub(crate) const fn are_sealed(&self) -> bool {
        matches!(self.keeping, Keeping::Client(_))
    }

    /// What the cookie of a session brings that has nothing yet.
    pub(crate) fn nothing(&self) -> Brought {
        match self.keeping {
            Keeping::Store(_) => Brought::Seen(Seen::default()),
            Keeping::Client(_) => Brought::State(Carried::default()),
        }
    }

    /// How long a cookie lives without being used.
    pub(crate) const fn idle(&self) -> Duration {
        self.idle
    }

    /// The live session of this id, if it is this principal's. `token` is what stands beside the id: it holds the session, or
    /// tells one that the store lost from one that is unknown. Being looked for is no use: nobody keeps the session of another alive.
    /// [`renew`](Self::renew) comes after it.
    pub(crate) async fn find(
        &self,
        id: &str,
        token: Option<&str>,
        principal: Option<&Principal>,
    ) -> Result<FoundCookie, StoreError> {
        let Some(key) = key_of(id) else { return Ok(FoundCookie::Unknown) };
        let (presence, record) = match self.keeping {
            Keeping::Store(_) => self.record(key, Duration::ZERO).await?,
            Keeping::Client(_) => (Presence::Absent, None),
        };
        if record.is_none() && token.is_none() {
            return Ok(FoundCookie::Unknown);
        }
        let whose = match (&self.epochs, principal) {
            (Some(epochs), Some(principal)) => Box::pin(epochs.whose(principal)).await?,
            _ => None,
        };
        let by = self.tag(whose.as_deref().or(principal));
        let witness = match &self.keeping {
            Keeping::Store(witnesses) => token.and_then(|token| witnesses.read(key, by, token)),
            Keeping::Client(seals) => {
                let opened = token.and_then(|token| sealed::open(seals, (key, by), token));
                return Ok(opened.map_or(FoundCookie::Unknown, |(data, carried)| {
                    FoundCookie::Live(self.cookie(key, Record { data, by }), Brought::State(carried))
                }));
            }
        };
        Ok(match record {
            Some(record) if record.by == by => {
                FoundCookie::Live(self.cookie(key, record), Brought::Seen(witness.unwrap_or_default().seen))
            }
            None if presence != Presence::Gone && witness.is_some_and(|witness| !witness.may_be_over()) => {
                FoundCookie::RolledBack
            }
            _ => FoundCookie::Unknown,
        })
    }

    /// The session of this key is used by the one whose it is.
    pub(crate) async fn renew(&self, key: SessionKey) -> Result<(), StoreError> {
        if self.are_sealed() {
            return Ok(());
        }
        answer(self.store.touch(key, self.idle), PATIENCE).await.map(drop)
    }

    /// What stands for a principal in what is kept.
    fn tag(&self, principal: Option<&Principal>) -> Option<Tag> {
        principal.map(|principal| match self.keeping {
            Keeping::Store(_) => principal::tag(&self.owners, principal),
            // The same on all instances, whatever their stores.
            Keeping::Client(_) => principal_tag(Some(principal)),
        })
    }

    /// What is kept of a session, which from now on may be idle for so long.
    async fn record(&self, key: SessionKey, idle: Duration) -> Result<(Presence, Option<Record>), StoreError> {
        let loaded = answer(self.store.load(key, &[PART], idle), PATIENCE).await?;
        let found = loaded.parts.into_iter().next().flatten().filter(|_| loaded.presence == Presence::Live);
        let record = found.map(|(blob, _)| serde_json::from_slice(&blob.bytes())).transpose();
        Ok((loaded.presence, record.map_err(|error| StoreError::Unavailable(error.into()))?))
    }

    fn cookie(&self, key: SessionKey, Record { data, by }: Record) -> SessionCookie {
        let id = key.0[1..].iter().fold(PREFIX.to_owned(), |id, byte| id + &format!("{byte:02x}"));
        SessionCookie { key, id: id.into(), data, expires: SystemTime::now() + self.idle, by }
    }

    /// What goes beside the id of a session that was found, with this of it.
    pub(crate) fn token(&self, session: &SessionCookie, brought: &Brought) -> Option<Box<str>> {
        self.token_for(session, session.by, brought)
    }

    /// The same for one that this principal made now.
    pub(crate) fn first_token(
        &self,
        session: &SessionCookie,
        principal: Option<&Principal>,
        brought: &Brought,
    ) -> Option<Box<str>> {
        self.token_for(session, self.tag(principal), brought)
    }

    fn token_for(&self, session: &SessionCookie, by: Option<Tag>, brought: &Brought) -> Option<Box<str>> {
        let token = match (&self.keeping, brought) {
            (Keeping::Store(witnesses), Brought::Seen(seen)) => {
                let until = session.expires.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
                witnesses.write(session.key, by, &Witness { seen: seen.clone(), until })
            }
            (Keeping::Client(seals), Brought::State(carried)) => {
                sealed::seal(seals, (session.key, by), &session.data, carried, self.idle)?
            }
            _ => return None,
        };
        Some(token.into())
    }

    /// What is written to keep a new session: together with its first state, or alone.
    pub(crate) fn write(&self, cookie: &SessionCookie, principal: Option<&Principal>) -> Write {
        let record = Record { data: cookie.data.clone(), by: self.tag(principal) };
        // Strings and bytes: writing them into memory can't fail.
        let value = Blob::from_bytes(serde_json::to_vec(&record).unwrap_or_default());
        Write { key: PART, expected: 0, value }
    }

    /// Keeps a new session that has no state yet.
    pub(crate) async fn keep(
        &self,
        cookie: &SessionCookie,
        principal: Option<&Principal>,
        owner: Owner,
    ) -> Result<(), StoreError> {
        if self.are_sealed() {
            return Ok(());
        }
        let operation = Operation(super::random());
        let commit = Commit { operation, owner, idle: self.idle, writes: vec![self.write(cookie, principal)] };
        match answer(self.store.commit(cookie.key, commit), PATIENCE).await? {
            Committed::Saved | Committed::Duplicate => Ok(()),
            Committed::Conflict | Committed::Gone => {
                Err(StoreError::Unavailable("a new session was there already".into()))
            }
        }
    }

    /// Whose a session is: the principal's; without one, of the session of the protocol in which it was made; else
    /// nobody's in particular, who has no list.
    pub(crate) fn owner(&self, principal: Option<&Principal>, beside: Option<SessionKey>) -> Option<Owner> {
        match (principal, beside) {
            (Some(principal), _) => Some(Owner(principal::tag(&self.owners, principal))),
            (None, Some(key)) => {
                let tag = hmac::sign(&self.owners, &key.0);
                let mut owner = Owner::default();
                owner.0.copy_from_slice(&tag.as_ref()[..16]);
                Some(owner)
            }
            (None, None) => None,
        }
    }

    /// The live sessions of an owner, at most a thousand. Being listed counts as use.
    pub(crate) async fn list(&self, owner: Owner) -> Result<Vec<SessionCookie>, StoreError> {
        let mut cookies = Vec::new();
        // In the order of keys, which begin with the kind: others of the same owner are passed over at once.
        let mut first = [0xff; 17];
        first[0] = KIND - 1;
        let mut after = Some(SessionKey(first));
        while cookies.len() < LISTED {
            let keys = answer(self.store.list(owner, after, 100), PATIENCE).await?;
            let Some(last) = keys.last() else { break };
            after = Some(*last);
            for key in keys.into_iter().take(LISTED - cookies.len()) {
                if key.0[0] != KIND {
                    return Ok(cookies);
                }
                if let (_, Some(record)) = self.record(key, self.idle).await? {
                    cookies.push(self.cookie(key, record));
                }
            }
        }
        Ok(cookies)
    }

    /// Ends a session and removes its state. One that its client keeps ends when the client forgets it.
    pub(crate) async fn end(&self, key: SessionKey) -> Result<(), StoreError> {
        if self.are_sealed() {
            return Ok(());
        }
        // Long enough for every call that began before.
        answer(self.store.remove(key, self.idle), PATIENCE).await
    }
}

#[cfg(test)]
mod tests;
