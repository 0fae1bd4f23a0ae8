//! From what a function returns to the result of its prompt, resource or completion, as `result.rs` does it for tools.
//!
//! Takes: the type that a function returns. Gives: an answer for `output`. Knows: which types become what. Must not know:
//! how results are sent.

use std::marker::PhantomData;

use serde::Serialize;

use super::{Probe, result::Closes};
use crate::{
    call::{Completion, PromptResult, ResourceResult, ToolError},
    protocol::{Content, PromptMessage, ResourceContents},
    session::Finite,
};

/// What the result of a prompt must be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the result of a prompt",
    label = "a prompt is messages",
    note = "return `String` or `Content` for what the person says, `PromptMessage`, a `Vec` of contents or messages, \
            `PromptResult`, or a `Result` of one of these"
)]
pub trait PromptOutput {
    /// The result.
    fn into_result(self) -> PromptResult;
}

/// The answer for prompts.
pub struct Messages<T>(PhantomData<fn(T)>);

impl<T> Probe<T> {
    /// As the messages of a prompt.
    pub fn closes_prompt(&self) -> Messages<T> {
        Messages(PhantomData)
    }
}

impl<T: PromptOutput> Closes<T, PromptResult> for Messages<T> {
    fn close(value: T) -> Result<PromptResult, ToolError> {
        Ok(value.into_result())
    }
}

macro_rules! prompt_outputs {
    ($($type:ty: $value:pat => $messages:expr;)*) => { $(
        impl PromptOutput for $type {
            fn into_result(self) -> PromptResult {
                let $value = self;
                PromptResult::new($messages)
            }
        }
    )* };
}

prompt_outputs! {
    String: text => [PromptMessage::user(text)];
    &str: text => [PromptMessage::user(text)];
    Content: block => [PromptMessage::user(block)];
    Vec<Content>: blocks => blocks.into_iter().map(PromptMessage::user);
    PromptMessage: message => [message];
    Vec<PromptMessage>: messages => messages;
}

impl PromptOutput for PromptResult {
    fn into_result(self) -> PromptResult {
        self
    }
}

/// What the result of a completion must be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the result of a completion",
    label = "a completion is a list of text",
    note = "return `Vec<String>`, `Vec<&'static str>`, an array of text, `Completion`, or a `Result` of one of these"
)]
pub trait CompletionOutput {
    /// The result.
    fn into_result(self) -> Completion;
}

#[diagnostic::do_not_recommend]
impl<S: Into<String>> CompletionOutput for Vec<S> {
    fn into_result(self) -> Completion {
        Completion::new(self)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Into<String>, const N: usize> CompletionOutput for [S; N] {
    fn into_result(self) -> Completion {
        Completion::new(self)
    }
}

impl CompletionOutput for Completion {
    fn into_result(self) -> Completion {
        self
    }
}

/// The answer for completions.
pub struct Values<T>(PhantomData<fn(T)>);

impl<T> Probe<T> {
    /// As the values of a completion.
    pub fn closes_completion(&self) -> Values<T> {
        Values(PhantomData)
    }
}

impl<T: CompletionOutput> Closes<T, Completion> for Values<T> {
    fn close(value: T) -> Result<Completion, ToolError> {
        Ok(value.into_result())
    }
}

/// Whether a resource may be not there: it is an `Option<T>`.
pub struct Maybe<T>(PhantomData<fn() -> T>);

/// The answer of every other type.
pub struct Always<T>(PhantomData<fn() -> T>);

impl<T> Probe<Option<T>> {
    /// It may.
    pub fn perhaps(&self) -> Maybe<T> {
        Maybe(PhantomData)
    }
}

/// The answer of every other type.
pub trait IsThere<T> {
    /// It is there.
    fn perhaps(&self) -> Always<T> {
        Always(PhantomData)
    }
}

impl<T> IsThere<T> for Probe<T> {}

impl<T> Maybe<T> {
    /// The next question.
    pub fn inner(&self) -> Probe<T> {
        Probe::NEW
    }

    /// The answer, with that of what is in the `Option`.
    pub fn closes<C>(self, _: C) -> Found<C> {
        Found(PhantomData)
    }
}

impl<T> Always<T> {
    /// The next question.
    pub fn inner(&self) -> Probe<T> {
        Probe::NEW
    }

    /// The answer to that.
    pub fn closes<C>(self, closes: C) -> C {
        closes
    }
}

/// The answer for an `Option`: `None` is no resource.
pub struct Found<C>(PhantomData<fn() -> C>);

impl<T, C: Closes<T, ResourceResult>> Closes<Option<T>, ResourceResult> for Found<C> {
    fn close(value: Option<T>) -> Result<ResourceResult, ToolError> {
        value.map_or(Ok(ResourceResult::NotFound), C::close)
    }
}

/// What is read as it is.
pub struct Read<T>(PhantomData<fn(T)>);

/// A value that is a resource's result by itself.
pub trait ReadResult {
    /// The result.
    fn into_result(self) -> ResourceResult;
}

impl<T: ReadResult> Closes<T, ResourceResult> for Read<T> {
    fn close(value: T) -> Result<ResourceResult, ToolError> {
        Ok(value.into_result())
    }
}

macro_rules! read_results {
    ($($(#[$doc:meta])* $type:ty: $value:pat => $result:expr;)*) => { $(
        impl ReadResult for $type {
            fn into_result(self) -> ResourceResult {
                let $value = self;
                $result
            }
        }

        impl Probe<$type> {
            $(#[$doc])*
            pub fn closes_resource(&self) -> Read<$type> {
                Read(PhantomData)
            }
        }
    )* };
}

read_results! {
    /// As text.
    String: text => ResourceResult::Text(text);
    /// As bytes.
    Vec<u8>: bytes => ResourceResult::Blob(bytes);
    /// As these contents.
    ResourceContents: contents => ResourceResult::Contents(vec![contents]);
    /// As these contents.
    Vec<ResourceContents>: contents => ResourceResult::Contents(contents);
    /// As it is.
    ResourceResult: result => result;
}

impl ReadResult for &str {
    fn into_result(self) -> ResourceResult {
        ResourceResult::Text(self.to_owned())
    }
}

impl<'a> Probe<&'a str> {
    /// As text.
    pub fn closes_resource(&self) -> Read<&'a str> {
        Read(PhantomData)
    }
}

/// What a resource that is JSON must be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the contents of a resource",
    label = "what is no text and no bytes becomes JSON, which needs `Serialize`",
    note = "add `#[derive(Serialize)]` to the type, or return `String`, `Vec<u8>`, `ResourceContents`, \
            `Vec<ResourceContents>`, `ResourceResult`, or an `Option` or `Result` of one of these"
)]
pub trait JsonResource: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize> JsonResource for T {}

/// The answer of every other type: as JSON.
pub struct Json<T>(PhantomData<fn(T)>);

impl<T: JsonResource> Closes<T, ResourceResult> for Json<T> {
    fn close(value: T) -> Result<ResourceResult, ToolError> {
        serde_json::to_string(&Finite(&value)).map(ResourceResult::Json).map_err(ToolError::unencodable)
    }
}

/// The answer of every other type.
pub trait ChooseJson<T> {
    /// As JSON.
    fn closes_resource(&self) -> Json<T> {
        Json(PhantomData)
    }
}

impl<T> ChooseJson<T> for Probe<T> {}
