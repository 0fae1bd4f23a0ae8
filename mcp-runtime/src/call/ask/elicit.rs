//! A question to the person, and how its answer is read.

use std::fmt;

use serde_json::{Map, Value, value::RawValue};

use super::Kinds;

/// A question to the person whose answer is a `T`.
///
/// | made by | is | its answer |
/// |---|---|---|
/// | `Elicit::form::<T>(message)` | a form with a field for each field of `T` | the `T` that was filled in |
/// | `Elicit::raw(message, schema)` | a form of this JSON Schema | the fields by name |
/// | `Elicit::url(message, url)` | a page that the client opens | `()`: the person agreed to open it |
///
/// Never ask for secrets with a form: client and model see what is typed. A page is for that.
pub struct Elicit<T = ()> {
    pub(super) message: String,
    pub(super) shown: Shown<T>,
}

/// What the person is shown.
pub(super) enum Shown<T> {
    /// A form.
    Form(Box<dyn FormOf<T>>),
    /// A page, and what the answer to it is.
    Page(String, fn() -> T),
}

/// A form whose answer is a `T`.
pub(crate) trait FormOf<T>: Send + Sync {
    /// Its schema, for a client with these kinds of questions.
    fn schema(&self, kinds: Kinds) -> Result<Box<RawValue>, NoForm>;

    /// What was filled in, as a `T`.
    ///
    /// # Errors
    /// What does not fit the form, in one sentence.
    fn read(&self, content: Map<String, Value>) -> Result<T, String>;
}

/// Why a form can't be shown.
#[derive(Clone, Debug)]
pub(crate) enum NoForm {
    /// It is none: a mistake of the function, told to its developer.
    Mistake(String),
    /// The client's revision lacks what it needs.
    Unsupported(String),
}

impl<T> Elicit<T> {
    /// A form.
    pub(crate) fn of_form(message: impl Into<String>, form: impl FormOf<T> + 'static) -> Self {
        Self { message: message.into(), shown: Shown::Form(Box::new(form)) }
    }
}

impl Elicit {
    /// A page that the client opens after it asked the person; what happens there passes neither client nor model.
    ///
    /// The answer says that the person agreed to open it, not that the page did its work: look that up yourself, under
    /// something unguessable in the URL, and make sure that who is on the page is who made this call. `https:` outside of
    /// development, without secrets and without a login in it.
    ///
    /// # Errors
    /// Awaited, [`AskError::Unsupported`](super::AskError::Unsupported) before 2025-11-25 and for clients that did not
    /// declare `elicitation.url`.
    ///
    /// # Source
    /// 2026-07-28 client/elicitation §URL Mode.
    pub fn url(message: impl Into<String>, url: impl Into<String>) -> Self {
        Self { message: message.into(), shown: Shown::Page(url.into(), || ()) }
    }
}

impl<T> fmt::Debug for Elicit<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Elicit").field("message", &self.message).finish_non_exhaustive()
    }
}
