//! What functions give back.

use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};

use crate::{
    protocol::{CacheHint, Content, PromptMessage, ResourceContents},
    session::Finite,
};

/// The whole result of a tool, for functions that want full control.
///
/// # Source
/// 2026-07-28 schema, `CallToolResult`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ToolResult {
    /// The blocks, in order.
    pub content: Vec<Content>,
    /// The structured result as JSON text; where [`ToolResult::content`] is empty, its text is sent as a block as well.
    pub structured: Option<Box<RawValue>>,
    /// The tool failed and the blocks say why: the drafts of the session state are discarded.
    pub is_error: bool,
    /// Additional facts by namespaced key.
    pub meta: Option<Map<String, Value>>,
}

impl ToolResult {
    /// A result of these blocks.
    pub fn new(content: impl IntoIterator<Item = Content>) -> Self {
        Self { content: content.into_iter().collect(), ..Self::default() }
    }

    /// A result of one text block.
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: vec![Content::text(text)], ..Self::default() }
    }

    /// A failed result of one text block: what [`ToolError`](crate::ToolError) becomes.
    pub fn error(text: impl Into<String>) -> Self {
        Self { is_error: true, ..Self::text(text) }
    }

    /// The same with a structured result.
    ///
    /// # Errors
    /// When the value can't be JSON (a float that is NaN or infinite, a map with keys that are no strings, a failing
    /// `Serialize`).
    pub fn with_structured<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Self, serde_json::Error> {
        self.structured = Some(serde_json::value::to_raw_value(&Finite(value))?);
        Ok(self)
    }

    /// The same with a `_meta` member.
    #[must_use]
    pub fn with_meta(mut self, key: impl Into<String>, value: Value) -> Self {
        self.meta.get_or_insert_default().insert(key.into(), value);
        self
    }
}

/// A typed value with a text of one's own: the value becomes the structured result, the text what a person or a model
/// without structured results reads.
#[derive(Clone, Debug)]
pub struct Reply<T> {
    /// The structured result.
    pub value: T,
    /// The text block.
    pub text: String,
}

impl<T> Reply<T> {
    /// This value, told in these words.
    pub fn new(value: T, text: impl Into<String>) -> Self {
        Self { value, text: text.into() }
    }
}

/// The whole result of a prompt, for functions that want full control.
///
/// # Source
/// 2026-07-28 schema, `GetPromptResult`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PromptResult {
    /// What the prompt is for, where it differs from its description in the list.
    pub description: Option<String>,
    /// The messages, in order.
    pub messages: Vec<PromptMessage>,
    /// Additional facts by namespaced key.
    pub meta: Option<Map<String, Value>>,
}

impl PromptResult {
    /// A result of these messages.
    pub fn new(messages: impl IntoIterator<Item = PromptMessage>) -> Self {
        Self { messages: messages.into_iter().collect(), ..Self::default() }
    }

    /// The same with a description.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }
}

/// What a resource's function gives back, for functions that want full control.
///
/// # Source
/// 2026-07-28 schema, `ReadResourceResult`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ResourceResult {
    /// Text, under the URI that was asked for and with the declared MIME type.
    Text(String),
    /// Bytes, under the URI that was asked for and with the declared MIME type.
    Blob(Vec<u8>),
    /// JSON text, under the URI that was asked for and with the declared MIME type, by default `application/json`.
    Json(String),
    /// Contents that say themselves what they are: of a resource that consists of several, for example.
    Contents(Vec<ResourceContents>),
    /// There is no such resource: -32602 on 2026-07-28, -32002 before that, with the URI in `data`.
    NotFound,
    /// One of these, and how long and by whom it may be kept, whatever was declared: see
    /// [`cached`](ResourceResult::cached).
    Cached {
        /// What was read.
        result: Box<ResourceResult>,
        /// How long and by whom it may be kept.
        cache: CacheHint,
    },
}

impl ResourceResult {
    /// The same, which may be kept as this hint says. Where the server hides things from some
    /// ([`Server::visible`](crate::Server::visible)), nothing is shared; nor is anything kept for which the client was asked.
    #[must_use]
    pub fn cached(self, cache: CacheHint) -> Self {
        let (result, _) = self.split();
        Self::Cached { result: Box::new(result), cache }
    }

    /// What was read, and what it says of being kept.
    pub(crate) fn split(self) -> (Self, Option<CacheHint>) {
        let (mut result, mut said) = (self, None);
        while let Self::Cached { result: inner, cache } = result {
            said = said.or(Some(cache));
            result = *inner;
        }
        (result, said)
    }
}

/// What a completion's function gives back, for functions that know more than the values.
///
/// # Shape
/// At most 100 values are sent, whatever is here; `has_more` is set when some are left out.
///
/// # Source
/// 2026-07-28 schema, `CompleteResult`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Completion {
    /// The values, the most fitting first.
    pub values: Vec<String>,
    /// How many there are in all, where that is known.
    pub total: Option<u64>,
    /// There are more than these.
    pub has_more: bool,
}

impl Completion {
    /// These values.
    pub fn new(values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { values: values.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_structured_result_has_finite_numbers() {
        let structured = |value: f64| ToolResult::default().with_structured(&[value]);
        assert_eq!(structured(1e308).expect("finite").structured.expect("structured").get(), "[1e+308]");
        for value in [f64::NAN, 1e308 + 1e308, f64::NEG_INFINITY] {
            assert!(structured(value).is_err(), "{value}");
        }
    }
}
