//! The only surface that generated code uses; nothing here is for people.
//!
//! Takes: the types that the user's signatures name. Gives: table entries, and the code that generated calls share.
//! Knows: services, results, session parts. Must not know: revisions, transports, JSON-RPC.
//!
//! Generated code refers to this module alone, so what it may name is exactly what is public here. Each duty of a
//! user's type is stated once, by a function that returns a value without bounds: a wrong type is one error.

pub use core::{
    option::Option::{self, None, Some},
    result::Result::{Err, Ok},
};
use std::future::Future;
use std::marker::PhantomData;

pub use schemars;
use serde::Serialize;
pub use serde_json;

use crate::schema::as_string::AsString;
pub use crate::schema::as_string::argument_as_string;
pub use crate::schema::{Argument, ArgumentType, Arguments, Fill, Slot, argument, decode};
use crate::session::Finite;
pub use crate::{
    call::{Completion, Context, PromptResult, Reply, ResourceResult, ToolError, ToolResult},
    protocol::{CacheHint, Role, ToolAnnotations},
    server::{Result, Server},
    service::{
        AnnotationsCard, ArgumentCard, BoxFuture, CompletionCard, CompletionReference, FunctionCard, IconCard,
        OutputCard, PromptCard, ResourceCard, Run, ServerCard, Service, TaskSupport, ToolCard,
    },
    session::{Part, PartCard, PartSlot, PartType, SessionState, part},
};
pub use other_results::{ChooseJson, CompletionOutput, IsThere, JsonResource, PromptOutput};
pub use result::{ChooseTyped, KeepWhole, Output, ToolFailure, TypedResult, output};

#[path = "macro_support/other_results.rs"]
mod other_results;
#[cfg(test)]
#[path = "macro_support/tests/others.rs"]
mod other_tests;
#[path = "macro_support/result.rs"]
mod result;
#[cfg(test)]
#[path = "macro_support/tests.rs"]
mod tests;

/// What a call gives, boxed; by default that of a tool.
pub type Called<'a, X = ToolResult> = BoxFuture<'a, core::result::Result<X, ToolError>>;

/// A question about a type, answered by the most special implementation: methods and constants of the probe itself come
/// before those of the traits, which hold for every type. Works on types, so an alias of a type is that type.
pub struct Probe<T>(PhantomData<fn() -> T>);

impl<T> Probe<T> {
    /// The question.
    pub const NEW: Self = Self(PhantomData);
}

/// An argument of any type must be given …
pub trait MustBeGiven {
    /// Whether absence is an error.
    const REQUIRED: bool = true;
}

impl<T> MustBeGiven for Probe<T> {}

impl<T> Probe<Option<T>> {
    /// … except an option.
    pub const REQUIRED: bool = false;
}

/// What `&Context` must be: the macro knows it by its name, and a name may be wrong.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the `Context` of mcp_runtime",
    label = "a borrowed `Context` is taken for the request",
    note = "import `mcp_runtime::Context`; state of the session with this name needs another one: \
            `use … as …`, or rename the type"
)]
pub trait RequestContext: Sized {
    /// The request as this type.
    fn of(cx: &Context) -> &Self;
}

impl RequestContext for Context {
    fn of(cx: &Context) -> &Self {
        cx
    }
}

/// The request with the type that the parameter says.
pub struct ContextOf<T>(fn(&Context) -> &T);

/// The table entry of a `&Context` parameter.
#[must_use]
pub const fn context<T: RequestContext>() -> ContextOf<T> {
    ContextOf(T::of)
}

impl<T> ContextOf<T> {
    /// The request.
    #[must_use]
    pub fn of<'a>(&self, cx: &'a Context) -> &'a T {
        (self.0)(cx)
    }
}

/// What an argument mirrored by a header must be.
#[diagnostic::on_unimplemented(
    message = "an argument of type `{Self}` can't be mirrored by a header",
    label = "`header` is for text, integers and booleans, and options of these",
    note = "take a `String`, an integer or a `bool`, or leave `header` out"
)]
pub trait HeaderArgument {}

macro_rules! header_arguments {
    ($($type:ty)*) => { $(impl HeaderArgument for $type {})* };
}

header_arguments!(String Box<str> bool u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

impl<T: HeaderArgument> HeaderArgument for Option<T> {}

/// The table entry of `#[arg(header = "…")]`.
#[must_use]
pub const fn header<T: HeaderArgument>(name: &'static str) -> Option<&'static str> {
    Some(name)
}

/// What a type with a default must be, for its default is part of the schema.
#[diagnostic::on_unimplemented(
    message = "the default of an argument of type `{Self}` can't be shown in its schema",
    label = "an argument with a default needs `Serialize`",
    note = "add `#[derive(Serialize)]` to the type, or take an `Option` and choose the default in the function"
)]
pub trait DefaultArgument: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize> DefaultArgument for T {}

/// Defaults with their type: made and shown.
pub struct DefaultOf<T> {
    make: fn() -> T,
    show: fn(T) -> serde_json::Value,
}

/// The table entry of `#[arg(default = …)]`.
#[must_use]
pub const fn default<T: DefaultArgument>(make: fn() -> T) -> DefaultOf<T> {
    // A value that is no JSON is shown as none; a call without the argument gets it all the same.
    DefaultOf { make, show: |value| serde_json::to_value(value).unwrap_or_default() }
}

impl<T> DefaultOf<T> {
    /// Makes the default.
    #[must_use]
    pub const fn make(&self) -> Option<fn() -> T> {
        Some(self.make)
    }

    /// The default as JSON.
    #[must_use]
    pub fn show(&self) -> serde_json::Value {
        (self.show)((self.make)())
    }
}

/// The table entry of `#[arg(as_string, default = …)]`.
#[must_use]
pub const fn default_as_string<T: AsString>(make: fn() -> T) -> DefaultOf<T> {
    DefaultOf { make, show: |value| value.to_digits().into() }
}

/// What a type whose default is written as a text literal must be.
#[diagnostic::on_unimplemented(
    message = "the default of an argument of type `{Self}` can't be text",
    label = "expected a value of type `{Self}`, found text",
    note = "write a value of the parameter's type: `#[arg(default = …)]`"
)]
pub trait TextDefault {
    /// The value of this text.
    fn of(text: &'static str) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: From<&'static str>> TextDefault for T {
    fn of(text: &'static str) -> Self {
        text.into()
    }
}

/// What a type with a bare `#[arg(default)]` must be.
#[diagnostic::on_unimplemented(
    message = "an argument of type `{Self}` has no default of its own",
    label = "`#[arg(default)]` needs `Default`",
    note = "say which value: `#[arg(default = …)]`, or add `#[derive(Default)]` to the type"
)]
pub trait OwnDefault {
    /// The default.
    fn of() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> OwnDefault for T {
    fn of() -> Self {
        T::default()
    }
}

/// The value of a default that is written as a text literal.
#[must_use]
pub fn default_text<T: TextDefault>(text: &'static str) -> T {
    T::of(text)
}

/// The value of a default that is not written.
#[must_use]
pub fn default_own<T: OwnDefault>() -> T {
    T::of()
}

/// Boxes the future of a call.
pub fn future_must_be_send<'a, T>(future: impl Future<Output = T> + Send + 'a) -> BoxFuture<'a, T> {
    Box::pin(future)
}

/// Runs a function that blocks its thread where it may borrow and where it stops no other task: the runtime's other
/// tasks leave this thread first. On a runtime of one thread there is nowhere to go, so there it is just run.
pub fn blocking<T>(run: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        std::result::Result::Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(run),
        _ => run(),
    }
}

/// The slots of a function's parts, which are as many as its card says.
///
/// # Errors
/// When they are not: a defect of the caller, masked for the model.
#[inline]
pub fn parts<const N: usize>(slots: &mut [PartSlot]) -> core::result::Result<&mut [PartSlot; N], ToolError> {
    let found = slots.len();
    slots.try_into().map_err(|_| wrong_parts(N, found))
}

#[cold]
fn wrong_parts(expected: usize, found: usize) -> ToolError {
    ToolError::internal(format!("a function that borrows {expected} parts of the session was given {found}"))
}

/// The answer to a call of a function that is not in the table: a defect of the caller, masked for the model.
#[cold]
#[must_use]
pub fn no_such<'a, X: Send + 'a>(kind: &'static str, index: usize) -> Called<'a, X> {
    Box::pin(async move { Err(crate::service::no_such(kind, index)) })
}

/// Whether these keys differ: one function can't have two drafts of one part.
#[must_use]
pub const fn distinct(one: &PartCard, other: &PartCard) -> bool {
    let (one, other) = (one.part.key.as_bytes(), other.part.key.as_bytes());
    if one.len() != other.len() {
        return true;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return true;
        }
        index += 1;
    }
    false
}

/// All the state of one session, typed: what the macro writes as `…Session`.
pub trait SessionView: Sized {
    /// The parts, in the order of the fields.
    const PARTS: &'static [PartCard];

    /// The values, of one snapshot per entry of [`SessionView::PARTS`]; `None` of another number.
    fn from_slots(slots: &[PartSlot]) -> Option<Self>;
}

/// A copy of a field of a session's state …
pub struct Copy<'a, T>(pub &'a T);

impl<T: Clone> Copy<'_, T> {
    /// … by cloning it …
    pub fn copy(&self) -> Option<T> {
        Some(self.0.clone())
    }
}

/// … or none, where the type can't be cloned.
pub trait NoCopy<T> {
    /// None.
    fn copy(&self) -> Option<T> {
        None
    }
}

impl<T> NoCopy<T> for Copy<'_, T> {}

/// A copy of a session's state by way of the format in which stores keep it, for state with fields that can't be cloned.
///
/// # Panics
/// When the state can't be written as JSON or read again, so that no store could keep it either: the call is answered
/// with an internal error instead of going on with something else than what was stored.
#[must_use]
pub fn copy_through_json<S: SessionState>(state: &S) -> S {
    let copy = serde_json::to_string(&Finite(state)).and_then(|text| serde_json::from_str(&text));
    copy.unwrap_or_else(|error| panic!("session state `{}` can't be copied through JSON: {error}", S::KEY))
}
