//! From what a function returns to the result of its tool, chosen by the declared type and never by its name.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use super::{Probe, schema_of};
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
    message = "`{Self}` can't be the error of a tool",
    label = "a tool fails with `ToolError`, or with what becomes one by `Into<ToolError>`",
    note = "implement `From<{Self}> for ToolError`, or return `Result<_, ToolError>` and choose what the model reads: \
            `.map_err(|error| ToolError::new(…))`, or `.map_err(ToolError::internal)` to mask it"
)]
pub trait ToolFailure: Into<ToolError> {}

#[diagnostic::do_not_recommend]
impl<E: Into<ToolError>> ToolFailure for E {}

/// First question: is it a `Result`? `R` is what the function returns, `T` what is in it.
pub struct Peeled<R, T>(fn(R) -> Result<T, ToolError>);

impl<T, E> Probe<Result<T, E>> {
    /// It is one.
    pub fn peel(&self) -> Peeled<Result<T, E>, T>
    where
        E: ToolFailure,
    {
        Peeled(|result| result.map_err(Into::into))
    }
}

/// The answer for every other type.
pub trait KeepWhole<T> {
    /// It is none.
    fn peel(&self) -> Peeled<T, T> {
        Peeled(Ok)
    }
}

impl<T> KeepWhole<T> for Probe<T> {}

impl<R, T> Peeled<R, T> {
    /// The second question.
    pub fn inner(&self) -> Probe<T> {
        Probe::NEW
    }

    /// Both answers in one.
    pub fn with(self, ending: Ending<T>) -> impl Output<R> {
        Joined { open: self.0, ending }
    }
}

/// Second question: how does a value of this type end the call?
pub struct Ending<T> {
    schema: Option<fn(&mut SchemaGenerator) -> Schema>,
    close: fn(T) -> Result<ToolResult, ToolError>,
}

impl<T> Ending<T> {
    /// Without a structured result.
    fn plain(close: fn(T) -> Result<ToolResult, ToolError>) -> Self {
        Self { schema: None, close }
    }
}

impl Probe<String> {
    /// As text.
    pub fn ending(&self) -> Ending<String> {
        Ending::plain(|text| Ok(ToolResult::text(text)))
    }
}

impl<'a> Probe<&'a str> {
    /// As text.
    pub fn ending(&self) -> Ending<&'a str> {
        Ending::plain(|text| Ok(ToolResult::text(text)))
    }
}

impl Probe<()> {
    /// With nothing to say.
    pub fn ending(&self) -> Ending<()> {
        Ending::plain(|()| Ok(ToolResult::default()))
    }
}

impl Probe<Content> {
    /// As this block.
    pub fn ending(&self) -> Ending<Content> {
        Ending::plain(|block| Ok(ToolResult::new([block])))
    }
}

impl Probe<Vec<Content>> {
    /// As these blocks.
    pub fn ending(&self) -> Ending<Vec<Content>> {
        Ending::plain(|blocks| Ok(ToolResult::new(blocks)))
    }
}

impl Probe<ToolResult> {
    /// As it is.
    pub fn ending(&self) -> Ending<ToolResult> {
        Ending::plain(Ok)
    }
}

impl<T> Probe<Reply<T>> {
    /// As a structured result with this text.
    pub fn ending(&self) -> Ending<Reply<T>>
    where
        T: TypedResult,
    {
        Ending {
            schema: Some(schema_of::<T>),
            close: |reply| ToolResult::text(reply.text).with_structured(&reply.value).map_err(ToolError::internal),
        }
    }
}

/// The answer for every other type.
pub trait ChooseTyped<T> {
    /// As a structured result; the runtime adds its text.
    fn ending(&self) -> Ending<T>
    where
        T: TypedResult,
    {
        Ending {
            schema: Some(schema_of::<T>),
            close: |value| ToolResult::default().with_structured(&value).map_err(ToolError::internal),
        }
    }
}

impl<T> ChooseTyped<T> for Probe<T> {}

/// What a function returns, with its way to a result.
pub trait Output<R> {
    /// The table entry.
    fn card(&self) -> OutputCard;

    /// The result of a call.
    ///
    /// # Errors
    /// The function's own, and a masked one when its value can't be JSON.
    fn finish(&self, returned: R) -> Result<ToolResult, ToolError>;
}

/// Both answers in one.
struct Joined<R, T> {
    open: fn(R) -> Result<T, ToolError>,
    ending: Ending<T>,
}

impl<R, T> Output<R> for Joined<R, T> {
    fn card(&self) -> OutputCard {
        OutputCard { schema: self.ending.schema }
    }

    fn finish(&self, returned: R) -> Result<ToolResult, ToolError> {
        (self.open)(returned).and_then(self.ending.close)
    }
}
