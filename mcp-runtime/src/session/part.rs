//! Typed parts of a session.

use std::{any::Any, marker::PhantomData, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use crate::store::Blob;

/// A type of which each session has one value: `#[derive(SessionState)]`.
///
/// A tool that takes `&S` reads the session's value, one that takes `&mut S` works on a draft that is committed when
/// the tool returns `Ok`. A session that has none yet begins with `S::default()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is borrowed, but it is not session state",
    label = "borrowed parameters are injected: session state, or `&Context`",
    note = "for an argument of the tool take it by value; for state of the session add \
            `#[derive(Default, Serialize, Deserialize, SessionState)]` to the type"
)]
pub trait SessionState: Default + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name under which the store keeps it; by default the type's name.
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
    /// `S::default()`.
    pub(crate) fresh: fn() -> Arc<dyn Any + Send + Sync>,
    /// Decodes a blob; typed blobs of this very type are taken as they are.
    pub(crate) decode: fn(Blob) -> Result<Arc<dyn Any + Send + Sync>, serde_json::Error>,
    /// [`SessionState::draft`] of a decoded value.
    pub(crate) draft: fn(&(dyn Any + Send + Sync)) -> Box<dyn Any + Send + Sync>,
    /// A draft as a blob.
    pub(crate) blob: fn(Box<dyn Any + Send + Sync>) -> Blob,
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
    /// For `&S`.
    Snapshot(Arc<dyn Any + Send + Sync>),
    /// For `&mut S`.
    Draft(Box<dyn Any + Send + Sync>),
}

/// A session type with its type: the one place where generated code states that the type is [`SessionState`].
///
/// Deliberately without a bound, so that a type which is none gives one error, where [`part`] is called.
pub struct Part<S> {
    erased: PartType,
    read: fn(&PartSlot) -> &S,
    write: fn(&mut PartSlot) -> &mut S,
    marker: PhantomData<fn() -> S>,
}

/// The table entry of a session type.
#[must_use]
pub const fn part<S: SessionState>() -> Part<S> {
    todo!()
}

impl<S> Part<S> {
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

    /// The snapshot in this slot.
    #[must_use]
    pub fn read<'a>(&self, slot: &'a PartSlot) -> &'a S {
        (self.read)(slot)
    }

    /// The draft in this slot.
    #[must_use]
    pub fn write<'a>(&self, slot: &'a mut PartSlot) -> &'a mut S {
        (self.write)(slot)
    }
}
