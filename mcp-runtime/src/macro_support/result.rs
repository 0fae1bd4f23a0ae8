//! From what a function returns to the result of its call, chosen by the declared type and never by its name.
//!
//! Takes: the type that a function returns. Gives: an [`Output`] for it. Knows: which types become what. Must not know:
//! how results are sent.
//!
//! Two questions are asked of the type, each by a method of [`Probe`] that every type answers: whether it is a `Result`,
//! and how the value in it ends the call. What a type must be for its answer to hold is stated apart, by [`output`].

use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use super::Probe;
use crate::{
    call::{Reply, ToolError, ToolResult},
    protocol::Content,
    service::OutputCard,
};

/// What a typed result must be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the result of a tool",
    label = "a typed result needs `Serialize` and `JsonSchema`",
    note = "add `#[derive(Serialize, JsonSchema)]` to the type, or return `String`, `Content`, `Vec<Content>`, \
            `ToolResult`, `Reply<T>`, `()`, or a `Result` of one of these"
)]
pub trait TypedResult: Serialize + JsonSchema {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + JsonSchema> TypedResult for T {}

/// What the `E` of a `Result<T, E>` must be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the error of a call",
    label = "a call fails with `ToolError`, or with what becomes one by `Into<ToolError>`",
    note = "implement `From<{Self}> for ToolError`, or return `Result<_, ToolError>` and choose what the model reads: \
            `.map_err(|error| ToolError::new(…))`, or `.map_err(ToolError::internal)` to mask it"
)]
pub trait ToolFailure: Into<ToolError> {}

#[diagnostic::do_not_recommend]
impl<E: Into<ToolError>> ToolFailure for E {}

/// The first answer: a `Result<T, E>`.
pub struct Fallible<T, E>(PhantomData<fn(E) -> T>);

/// The first answer of every other type.
pub struct Whole<T>(PhantomData<fn() -> T>);

impl<T, E> Probe<Result<T, E>> {
    /// It is a `Result`.
    pub fn peel(&self) -> Fallible<T, E> {
        Fallible(PhantomData)
    }
}

/// The answer of every other type.
pub trait KeepWhole<T> {
    /// It is none.
    fn peel(&self) -> Whole<T> {
        Whole(PhantomData)
    }
}

impl<T> KeepWhole<T> for Probe<T> {}

impl<T, E> Fallible<T, E> {
    /// The second question.
    pub fn inner(&self) -> Probe<T> {
        Probe::NEW
    }

    /// The answer itself.
    pub fn opens(self) -> Self {
        self
    }
}

impl<T> Whole<T> {
    /// The second question.
    pub fn inner(&self) -> Probe<T> {
        Probe::NEW
    }

    /// The answer itself.
    pub fn opens(self) -> Self {
        self
    }
}

/// Takes the value, a `T`, out of what the function returned, an `R`.
pub trait Opens<R, T> {
    /// The value, or the error.
    fn open(returned: R) -> Result<T, ToolError>;
}

impl<T, E: ToolFailure> Opens<Result<T, E>, T> for Fallible<T, E> {
    fn open(returned: Result<T, E>) -> Result<T, ToolError> {
        returned.map_err(Into::into)
    }
}

impl<T> Opens<T, T> for Whole<T> {
    fn open(returned: T) -> Result<T, ToolError> {
        Ok(returned)
    }
}

/// Ends the call with a value of type `T`; `X` is the result of the call, by default that of a tool.
///
/// `X` is no associated type: where a type can't end a call, naming its `X` would be a second error.
pub trait Closes<T, X = ToolResult> {
    /// The schema of the structured result, if there is one.
    const SCHEMA: Option<fn(&mut SchemaGenerator) -> Schema> = None;

    /// The result.
    fn close(value: T) -> Result<X, ToolError>;
}

/// The second answer: without a structured result.
pub struct Plain<T>(PhantomData<fn(T)>);

/// A value that is a result by itself.
pub trait PlainResult {
    /// The result.
    fn into_result(self) -> ToolResult;
}

impl<T: PlainResult> Closes<T> for Plain<T> {
    fn close(value: T) -> Result<ToolResult, ToolError> {
        Ok(value.into_result())
    }
}

macro_rules! plain_results {
    ($($(#[$doc:meta])* $type:ty: $value:pat => $result:expr;)*) => { $(
        impl PlainResult for $type {
            fn into_result(self) -> ToolResult {
                let $value = self;
                $result
            }
        }

        impl Probe<$type> {
            $(#[$doc])*
            pub fn closes(&self) -> Plain<$type> {
                Plain(PhantomData)
            }
        }
    )* };
}

plain_results! {
    /// As text.
    String: text => ToolResult::text(text);
    /// With nothing to say.
    (): () => ToolResult::default();
    /// As this block.
    Content: block => ToolResult::new([block]);
    /// As these blocks.
    Vec<Content>: blocks => ToolResult::new(blocks);
    /// As it is.
    ToolResult: result => result;
}

impl PlainResult for &str {
    fn into_result(self) -> ToolResult {
        ToolResult::text(self)
    }
}

impl<'a> Probe<&'a str> {
    /// As text.
    pub fn closes(&self) -> Plain<&'a str> {
        Plain(PhantomData)
    }
}

/// The second answer: as a structured result, whose text the runtime adds.
pub struct Typed<T>(PhantomData<fn(T)>);

impl<T: TypedResult> Closes<T> for Typed<T> {
    const SCHEMA: Option<fn(&mut SchemaGenerator) -> Schema> = Some(|generator| generator.subschema_for::<T>());

    fn close(value: T) -> Result<ToolResult, ToolError> {
        ToolResult::default().with_structured(&value).map_err(ToolError::unencodable)
    }
}

/// The second answer: as a structured result with a text of its own.
pub struct Told<T>(PhantomData<fn(T)>);

impl<T: TypedResult> Closes<Reply<T>> for Told<T> {
    const SCHEMA: Option<fn(&mut SchemaGenerator) -> Schema> = Typed::<T>::SCHEMA;

    fn close(reply: Reply<T>) -> Result<ToolResult, ToolError> {
        ToolResult::text(reply.text).with_structured(&reply.value).map_err(ToolError::unencodable)
    }
}

impl<T> Probe<Reply<T>> {
    /// As a structured result with this text.
    pub fn closes(&self) -> Told<T> {
        Told(PhantomData)
    }
}

/// The answer of every other type.
pub trait ChooseTyped<T> {
    /// As a structured result.
    fn closes(&self) -> Typed<T> {
        Typed(PhantomData)
    }
}

impl<T> ChooseTyped<T> for Probe<T> {}

/// What a function returns, with its way to the result of a call, by default of a tool; without bounds, so that a wrong
/// type is one error.
pub struct Output<R, X = ToolResult> {
    schema: Option<fn(&mut SchemaGenerator) -> Schema>,
    finish: fn(R) -> Result<X, ToolError>,
}

/// Joins both answers, and states what they need.
pub fn output<R, T, X, O: Opens<R, T>, C: Closes<T, X>>(opens: O, closes: C) -> Output<R, X> {
    let _ = (opens, closes);
    Output { schema: C::SCHEMA, finish: |returned| O::open(returned).and_then(C::close) }
}

impl<R, X> Output<R, X> {
    /// The table entry.
    #[must_use]
    pub fn card(&self) -> OutputCard {
        OutputCard { schema: self.schema }
    }

    /// The result of a call.
    ///
    /// # Errors
    /// The function's own, and one that becomes a fault when its value can't be JSON.
    pub fn finish(&self, returned: R) -> Result<X, ToolError> {
        (self.finish)(returned)
    }
}
