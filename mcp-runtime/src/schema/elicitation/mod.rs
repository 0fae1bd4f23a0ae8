//! Forms that a person fills in: flat objects of texts, numbers, switches and choices.
//!
//! Takes: a Rust type or a schema that the developer wrote. Gives: the schema that `elicitation/create` takes, answers
//! checked and decoded. Knows: the shapes that a form may have. Must not know: revisions (it is told what a client can
//! read), how a question travels.

mod answer;
mod ask;
mod read;
mod write;

use std::fmt;

use super::form::Form;

/// A form that a person fills in.
///
/// | Rust | what the person sees |
/// |---|---|
/// | `String`, `char`, types with a format | a text; `email`, `uri`, `date` and `date-time` are told, other formats are not |
/// | integers, floats | a number, with the bounds of its type and of `#[schemars(range(…))]` |
/// | `bool` | a switch |
/// | an enum of names alone | one choice |
/// | `Vec` or `HashSet` of such an enum | several choices |
///
/// A choice is shown by `#[schemars(title = "…")]` on its variant, or else by the first paragraph of its doc comment, or
/// else by its name. Fields that are `Option` or have `#[serde(default)]` may be left out; a default, if its type is
/// `Serialize`, is what the form begins with. What a form can't say (`pattern`, exclusive bounds) is not sent: bounds are checked in the answer,
/// `pattern` is the type's.
///
/// # Source
/// 2026-07-28 client/elicitation §Requested Schema; schema, `PrimitiveSchemaDefinition`.
#[derive(Clone, Debug)]
pub struct ElicitationForm {
    fields: Vec<Field>,
}

/// One field of a form.
#[derive(Clone, Debug)]
struct Field {
    name: String,
    title: Option<String>,
    required: bool,
    /// What the answer must be. Choices are its `allowed`, or those of its `items`.
    form: Form,
    titles: Titles,
}

/// How choices are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Titles {
    /// By their values.
    None,
    /// By these, one per choice.
    Each(Vec<String>),
    /// By these, always as `enumNames`: the developer wrote it so.
    Legacy(Vec<String>),
}

/// What the reader of a form knows, as plain facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormFeatures {
    /// `array` of choices.
    pub multi_select: bool,
    /// Titles of choices as `oneOf` and `anyOf`; where false, they are `enumNames`.
    pub titled_enums: bool,
    /// `default` on every kind of field; where false, on switches alone.
    pub defaults: bool,
}

/// Why something is no form, or none that the client can read; its text says what can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormError {
    field: Option<String>,
    text: String,
}

impl FormError {
    fn whole(text: impl Into<String>) -> Self {
        Self { field: None, text: text.into() }
    }

    fn of(field: &str, text: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), text: text.into() }
    }

    /// The field that it is about; `None` where it is about the form as a whole.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }
}

impl fmt::Display for FormError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(formatter, "`{field}` {}", self.text),
            None => formatter.write_str(&self.text),
        }
    }
}

impl std::error::Error for FormError {}

/// One thing that is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FormProblem {
    /// Where: `age`, `toppings[1]`; empty for the answer as a whole.
    pub path: String,
    /// What is wrong: `expected integer at least 18, got 17`.
    pub text: String,
}

impl fmt::Display for FormProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => formatter.write_str(&self.text),
            path => write!(formatter, "`{path}`: {}", self.text),
        }
    }
}
