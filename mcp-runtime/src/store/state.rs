//! The trait of a store for session state.

use std::{
    any::Any,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// What a carrier names: the place in the store where a session's parts hang.
///
/// # Shape
/// One byte for the kind of carrier and 16 more: random ones, or the digest of an identity. Two carriers never share a
/// key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionKey(pub [u8; 17]);

impl SessionKey {
    /// What `cx.session_id()` shows: the 16 bytes as base64url.
    pub(crate) fn public_id(&self) -> Box<str> {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&self.0[1..]).into()
    }
}

impl fmt::Debug for SessionKey {
    /// The first four bytes: enough to tell sessions apart in a log, too little to guess one.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [kind, a, b, c, ..] = self.0;
        write!(formatter, "SessionKey({kind:02x}{a:02x}{b:02x}{c:02x}…)")
    }
}

/// Whose session it is: a digest of the principal, for listing; all zeros for nobody in particular.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner(pub [u8; 16]);

/// How often a part was written; 0 for a part that does not exist.
pub type Revision = u64;

/// The random name of one commit, so that a repeated one is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operation(pub [u8; 16]);

/// How many commits of one session are recognised when they come again: enough for a writer that repeats its own
/// unanswered commit while others write.
pub(crate) const OPERATIONS_KEPT: usize = 16;

/// What tells two stores apart: random, made when the store is, kept in it. Keys that sign for sessions with state are
/// derived from it, so that a token which outlived its state is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StoreIdentity(pub [u8; 16]);

/// One value: bytes, or a typed value that becomes bytes when a store asks for them.
///
/// A store that leaves the process calls [`Blob::bytes`]; one inside it keeps the blob as it is, so that nothing is
/// encoded or decoded between two calls.
#[derive(Clone)]
pub struct Blob(Arc<dyn Encode>);

/// A typed value that knows its bytes.
pub(crate) trait Encode: Any + Send + Sync {
    /// The bytes.
    fn encode(&self) -> Vec<u8>;
    /// How many bytes that would be.
    fn encoded_len(&self) -> usize;
    /// For looking at the typed value.
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl Encode for Vec<u8> {
    fn encode(&self) -> Vec<u8> {
        self.clone()
    }
    fn encoded_len(&self) -> usize {
        self.len()
    }
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl Blob {
    /// A blob of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Arc::new(bytes))
    }

    /// A blob of a typed value.
    pub(crate) fn from_typed(value: Arc<dyn Encode>) -> Self {
        Self(value)
    }

    /// The value as bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.0.encode()
    }

    /// How many bytes that is, without making them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.encoded_len()
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value behind it: a `Vec<u8>` or whatever [`Blob::from_typed`] was given.
    pub(crate) fn into_any(self) -> Arc<dyn Any + Send + Sync> {
        self.0.as_any()
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Blob({} bytes)", self.len())
    }
}

/// Whether a session has a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// No record: never written, or idle for longer than its lifetime.
    Absent,
    /// A live record.
    Live,
    /// A tombstone: the session was removed.
    Gone,
}

/// What [`StateStore::load`] found.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Whether the session has a record.
    pub presence: Presence,
    /// One entry per key asked for, in that order; `None` where the part does not exist.
    pub parts: Vec<Option<(Blob, Revision)>>,
}

/// One part to write.
#[derive(Clone, Debug)]
pub struct Write {
    /// The part's key: at most 128 bytes, no NUL.
    pub key: &'static str,
    /// The revision that the writer read; 0 for "does not exist".
    pub expected: Revision,
    /// The new value.
    pub value: Blob,
}

/// Several writes that happen together or not at all.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Names this commit: a second one of the same name changes nothing.
    pub operation: Operation,
    /// Whose session it is, kept when the record is made.
    pub owner: Owner,
    /// How long the record lives without being read, written or touched again.
    pub idle: Duration,
    /// The writes, each key once.
    pub writes: Vec<Write>,
}

/// How a commit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// All writes are in the store: each part's revision is one more than was expected.
    Saved,
    /// They already were: one of the session's last 16 commits had the same operation id. Looked at before revisions.
    Duplicate,
    /// A part has another revision than was expected; nothing was written. So it is when the record expired meanwhile:
    /// its parts have revision 0 then.
    Conflict,
    /// The session was removed; nothing was written.
    Gone,
}

/// Why a store can't answer. The source is for the operator's log; the peer sees a fixed text.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The engine failed or did not answer in time; what became of a write is unknown.
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
    /// The store holds as much as it may: nothing was written, nothing was evicted.
    Full,
    /// A key or value is larger than the store takes.
    TooLarge {
        /// How large it is, in bytes.
        bytes: usize,
        /// How large it may be.
        limit: usize,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(_) => formatter.write_str("the store is unavailable"),
            Self::Full => formatter.write_str("the store is full"),
            Self::TooLarge { bytes, limit } => {
                write!(formatter, "{bytes} bytes are more than the {limit} allowed")
            }
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable(source) => Some(&**source),
            _ => None,
        }
    }
}

/// A future that a store returns: a value that is there at once, or work that has to be waited for.
pub struct StoreFuture<'a, T>(Answer<'a, T>);

enum Answer<'a, T> {
    Ready(Option<Result<T, StoreError>>),
    Later(Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>),
}

impl<'a, T> StoreFuture<'a, T> {
    /// Work that has to be waited for.
    pub fn new(work: impl Future<Output = Result<T, StoreError>> + Send + 'a) -> Self {
        Self(Answer::Later(Box::pin(work)))
    }

    /// A value that is there at once: a store inside the process allocates nothing for its answers.
    #[must_use]
    pub const fn ready(value: Result<T, StoreError>) -> Self {
        Self(Answer::Ready(Some(value)))
    }

    /// The value if it is there at once, so that nothing need be kept for a wait; else the same future.
    pub(crate) fn at_once(self) -> Result<Result<T, StoreError>, Self> {
        match self.0 {
            Answer::Ready(Some(value)) => Ok(value),
            answer => Err(Self(answer)),
        }
    }
}

// The value is moved out, never pinned.
impl<T> Unpin for StoreFuture<'_, T> {}

impl<T> Future for StoreFuture<'_, T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Answer::Later(work) => work.as_mut().poll(cx),
            // A future that gave its value is not polled again; if it is, it stays pending.
            Answer::Ready(value) => value.take().map_or(Poll::Pending, Poll::Ready),
        }
    }
}

impl<T> fmt::Debug for StoreFuture<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StoreFuture")
    }
}

/// Keeps the parts of sessions: bytes by session and key, each part with its own revision.
///
/// [`conformance`](super::conformance) is the suite that every implementation must pass.
pub trait StateStore: Send + Sync + 'static {
    /// What tells this store apart from any other; the same at each start for a store that survives one.
    ///
    /// # Errors
    /// [`StoreError`], to the operator.
    fn identity(&self) -> StoreFuture<'_, StoreIdentity>;

    /// Whether what is committed survives the end of the process.
    fn durable(&self) -> bool;

    /// Whether several processes use it at once. Their ids must then be signed by keys that all of them have: a random one
    /// is refused.
    fn shared(&self) -> bool {
        false
    }

    /// Reads parts of a session and, when the record lives, renews its idle lifetime; a lifetime of zero is none to be
    /// renewed, and leaves it as it is.
    ///
    /// # Errors
    /// [`StoreError`]: the peer sees 503 and -32603.
    fn load<'a>(&'a self, session: SessionKey, keys: &'a [&'static str], idle: Duration) -> StoreFuture<'a, Loaded>;

    /// Writes parts of a session, all or none, if each has the revision expected; makes the record if there is none and
    /// every expected revision is 0.
    ///
    /// # Errors
    /// [`StoreError`]: the peer sees 503 and -32603.
    ///
    /// # Cancellation
    /// Dropping the future leaves open whether the writes happen, never half of them. A commit to a store that is
    /// [`durable`](Self::durable) or [`shared`](Self::shared) comes once more, under the same name, when it got no answer.
    fn commit(&self, session: SessionKey, commit: Commit) -> StoreFuture<'_, Committed>;

    /// Whether the session has a record, renewing its idle lifetime if it lives.
    ///
    /// # Errors
    /// [`StoreError`]: the peer sees 503 and -32603.
    fn touch(&self, session: SessionKey, idle: Duration) -> StoreFuture<'_, Presence>;

    /// Removes the record, if any, and leaves a tombstone for this long, so that no commit brings it back; none for zero.
    /// A tombstone that already stands for longer stays.
    ///
    /// # Errors
    /// [`StoreError`]: the peer sees 503 and -32603.
    fn remove(&self, session: SessionKey, tombstone: Duration) -> StoreFuture<'_, ()>;

    /// The live sessions of an owner, in the order of their keys, after `after`, at most `limit`. Those of nobody in
    /// particular need not be listed.
    ///
    /// # Errors
    /// [`StoreError`], to the caller.
    fn list(&self, owner: Owner, after: Option<SessionKey>, limit: usize) -> StoreFuture<'_, Vec<SessionKey>>;

    /// Drops records and tombstones whose time has passed; gives the number dropped. Called now and then by the server;
    /// a store whose engine expires by itself has nothing to do.
    ///
    /// # Errors
    /// [`StoreError`], to the log.
    fn sweep(&self) -> StoreFuture<'_, usize> {
        StoreFuture::ready(Ok(0))
    }
}
