//! Typed parts of a session.
//!
//! Takes: a type. Gives: a table entry that makes, reads, drafts and encodes its values. Knows: how a value is stored.
//! Must not know: stores, sessions, tools.

use std::{any::Any, io, marker::PhantomData, sync::Arc};

use serde::{Serialize, de::DeserializeOwned, de::Error as _};
use serde_json::ser::{Formatter, Serializer};

use super::finite::Finite;
use crate::store::{Blob, Encode, Revision};

/// A type of which each session has one value: `#[derive(SessionState)]`.
///
/// A tool that takes `&S` reads the session's value, one that takes `&mut S` works on a draft that is committed when
/// the tool returns `Ok`. A session that has none yet begins with `S::default()`.
///
/// A value may have up to 1 MiB as JSON and nest up to 120 levels. Its floats must be finite, as JSON's are: a draft
/// with another one is discarded, and the call answered with an internal error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is borrowed, but it is not session state",
    label = "borrowed parameters are injected: session state, or `&Context`",
    note = "for an argument of the tool take it by value; for state of the session add \
            `#[derive(Default, Serialize, Deserialize, SessionState)]` to the type"
)]
pub trait SessionState: Default + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name under which the store keeps it; by default the type's name. 1 to 128 bytes without NUL.
    const KEY: &'static str;
    /// The version of its format; state of another version is not decoded and never overwritten.
    const VERSION: u32 = 0;

    /// A copy to work on.
    #[must_use]
    fn draft(&self) -> Self;
}

/// A session type without its type: what the tables hold.
#[derive(Clone, Copy)]
pub struct PartType {
    /// [`SessionState::KEY`].
    pub key: &'static str,
    /// [`SessionState::VERSION`].
    pub version: u32,
    /// `S::default()`, as a snapshot.
    pub(crate) fresh: fn() -> Arc<dyn Any + Send + Sync>,
    /// Decodes a blob to a snapshot; typed blobs of this very type are taken as they are.
    pub(crate) decode: fn(Blob) -> Result<Arc<dyn Any + Send + Sync>, serde_json::Error>,
    /// [`SessionState::draft`] of a snapshot.
    pub(crate) draft: fn(&(dyn Any + Send + Sync)) -> Box<dyn Any + Send + Sync>,
    /// A draft as a blob.
    pub(crate) blob: fn(Box<dyn Any + Send + Sync>, Form) -> Result<Blob, serde_json::Error>,
}

/// In which form a store gets a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is, for a store that may keep it so.
    Typed,
    /// As bytes, for a store that would ask for them anyway.
    Bytes,
}

/// One borrowed part of a session.
#[derive(Clone, Copy)]
pub struct PartCard {
    /// The session type.
    pub part: PartType,
    /// Whether the function borrows it mutably.
    pub writes: bool,
}

/// The value of one borrowed part during one run: a snapshot, or a draft.
pub struct PartSlot(pub(crate) Held);

/// What a slot holds.
pub(crate) enum Held {
    /// For `&S`: a [`Typed<S>`].
    Snapshot(Arc<dyn Any + Send + Sync>),
    /// For `&mut S`: an `S`, and what its commit needs to know.
    Draft {
        /// The `S`.
        value: Box<dyn Any + Send + Sync>,
        /// Its type.
        part: PartType,
        /// The revision that was read.
        revision: Revision,
    },
}

/// A session type with its type: the one place where generated code states that the type is [`SessionState`].
///
/// Deliberately without a bound, so that a type which is none gives one error, where [`part`] is called.
pub struct Part<S> {
    erased: PartType,
    read: fn(&PartSlot) -> &S,
    write: fn(&mut PartSlot) -> &mut S,
    fresh: fn() -> S,
    copy: fn(&S) -> S,
    marker: PhantomData<fn() -> S>,
}

/// The table entry of a session type.
///
/// A key of [`SessionState`] that no store takes is a compile error.
#[must_use]
pub const fn part<S: SessionState>() -> Part<S> {
    const { assert!(is_key(S::KEY), "the key of session state is 1 to 128 bytes without NUL") };
    Part {
        erased: PartType {
            key: S::KEY,
            version: S::VERSION,
            fresh: fresh::<S>,
            decode: decode::<S>,
            draft: draft::<S>,
            blob: blob::<S>,
        },
        read: read::<S>,
        write: write::<S>,
        fresh: S::default,
        copy: S::draft,
        marker: PhantomData,
    }
}

const fn is_key(key: &str) -> bool {
    let bytes = key.as_bytes();
    let mut position = 0;
    while position < bytes.len() {
        if bytes[position] == 0 {
            return false;
        }
        position += 1;
    }
    !bytes.is_empty() && bytes.len() <= 128
}

impl<S> Part<S> {
    /// What a new session begins with.
    #[must_use]
    pub fn fresh(&self) -> S {
        (self.fresh)()
    }

    /// A copy of the value in this slot.
    ///
    /// # Panics
    /// When the slot is of another type: a mistake in the generated table.
    #[must_use]
    pub fn copy(&self, slot: &PartSlot) -> S {
        (self.copy)((self.read)(slot))
    }

    /// The entry of a tool that takes `&S`.
    #[must_use]
    pub const fn reads(&self) -> PartCard {
        PartCard { part: self.erased, writes: false }
    }

    /// The entry of a tool that takes `&mut S`.
    #[must_use]
    pub const fn writes(&self) -> PartCard {
        PartCard { part: self.erased, writes: true }
    }

    /// The snapshot in this slot; of a draft, its present value.
    ///
    /// # Panics
    /// When the slot is of another type: a mistake in the generated table.
    #[must_use]
    pub fn read<'a>(&self, slot: &'a PartSlot) -> &'a S {
        (self.read)(slot)
    }

    /// The draft in this slot.
    ///
    /// # Panics
    /// When the slot is a snapshot, or of another type: a mistake in the generated table.
    #[must_use]
    pub fn write<'a>(&self, slot: &'a mut PartSlot) -> &'a mut S {
        (self.write)(slot)
    }
}

/// A value as snapshots and in-process stores hold it.
struct Typed<S> {
    value: S,
    // Of its bytes; measured once, when it was made.
    len: usize,
}

impl<S: SessionState> Encode for Typed<S> {
    /// The bytes. Empty, and so never decoded, should the type refuse now what it encoded when it was measured.
    fn encode(&self) -> Vec<u8> {
        to_bytes(&self.value).unwrap_or_default()
    }
    fn encoded_len(&self) -> usize {
        self.len
    }
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

fn fresh<S: SessionState>() -> Arc<dyn Any + Send + Sync> {
    // Its length is never asked for: what nobody wrote does not go to a store.
    Arc::new(Typed { value: S::default(), len: 0 })
}

fn decode<S: SessionState>(blob: Blob) -> Result<Arc<dyn Any + Send + Sync>, serde_json::Error> {
    match blob.into_any().downcast::<Typed<S>>() {
        Ok(typed) => Ok(typed),
        Err(other) => match other.downcast::<Vec<u8>>() {
            Ok(bytes) => Ok(Arc::new(Typed { value: from_bytes::<S>(&bytes)?, len: bytes.len() })),
            Err(_) => Err(serde_json::Error::custom("it is of another type with the same key")),
        },
    }
}

fn draft<S: SessionState>(snapshot: &(dyn Any + Send + Sync)) -> Box<dyn Any + Send + Sync> {
    Box::new(typed::<S>(snapshot).draft())
}

fn blob<S: SessionState>(draft: Box<dyn Any + Send + Sync>, form: Form) -> Result<Blob, serde_json::Error> {
    let Ok(value) = draft.downcast::<S>() else { wrong_slot::<S>() };
    match form {
        Form::Bytes => Ok(Blob::from_bytes(to_bytes(&*value)?)),
        Form::Typed => {
            let mut count = Count(0);
            write_to::<S>(&value, &mut count)?;
            Ok(Blob::from_typed(Arc::new(Typed { value: *value, len: count.0 })))
        }
    }
}

fn read<S: SessionState>(slot: &PartSlot) -> &S {
    match &slot.0 {
        Held::Snapshot(snapshot) => typed::<S>(&**snapshot),
        Held::Draft { value, .. } => match value.downcast_ref() {
            Some(value) => value,
            None => wrong_slot::<S>(),
        },
    }
}

fn write<S: SessionState>(slot: &mut PartSlot) -> &mut S {
    match &mut slot.0 {
        Held::Draft { value, .. } => match value.downcast_mut() {
            Some(value) => value,
            None => wrong_slot::<S>(),
        },
        Held::Snapshot(_) => wrong_slot::<S>(),
    }
}

fn typed<S: SessionState>(snapshot: &(dyn Any + Send + Sync)) -> &S {
    match snapshot.downcast_ref::<Typed<S>>() {
        Some(typed) => &typed.value,
        None => wrong_slot::<S>(),
    }
}

/// Only a table whose entries are not those of its functions comes here, whatever a peer sends.
#[cold]
fn wrong_slot<S: SessionState>() -> ! {
    panic!("the slot given for session state `{}` is not its own", S::KEY)
}

/// How deep a stored value may nest: decoders of JSON stop at 128 levels, and what can't be read back is not written.
const DEEPEST: u32 = 120;

/// The stored form: the version in decimal digits, a blank, the value as JSON.
fn write_to<S: SessionState>(value: &S, mut sink: impl io::Write) -> Result<(), serde_json::Error> {
    write!(sink, "{} ", S::VERSION).map_err(serde_json::Error::io)?;
    // JSON's writer makes `null` of a float that is not finite, which can't be read back.
    Finite(value).serialize(&mut Serializer::with_formatter(sink, Shallow { level: 0 }))
}

fn to_bytes<S: SessionState>(value: &S) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = Vec::with_capacity(128);
    write_to(value, &mut bytes)?;
    Ok(bytes)
}

fn from_bytes<S: SessionState>(bytes: &[u8]) -> Result<S, serde_json::Error> {
    let blank = bytes.iter().position(|&byte| byte == b' ').unwrap_or(bytes.len());
    let version: Option<u32> = std::str::from_utf8(&bytes[..blank]).ok().and_then(|digits| digits.parse().ok());
    match version {
        Some(version) if version == S::VERSION => serde_json::from_slice(&bytes[blank..]),
        Some(version) => Err(serde_json::Error::custom(format_args!(
            "it has format version {version}, and this program reads version {}",
            S::VERSION
        ))),
        None => Err(serde_json::Error::custom("it does not begin with a format version")),
    }
}

/// Counts bytes instead of keeping them.
struct Count(usize);

impl io::Write for &mut Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Compact JSON that stops at [`DEEPEST`] levels.
struct Shallow {
    level: u32,
}

impl Shallow {
    fn enter(&mut self) -> io::Result<()> {
        self.level += 1;
        if self.level > DEEPEST {
            return Err(io::Error::other("it nests more than 120 levels"));
        }
        Ok(())
    }
}

impl Formatter for Shallow {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.enter()?;
        writer.write_all(b"[")
    }
    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.level -= 1;
        writer.write_all(b"]")
    }
    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.enter()?;
        writer.write_all(b"{")
    }
    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.level -= 1;
        writer.write_all(b"}")
    }
}

#[cfg(test)]
mod tests;
