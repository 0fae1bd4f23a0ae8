//! Answers in words that no revision owns.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{error::RequestError, known::KnownTool};
use crate::protocol::{Content, LogMessage, Progress, PromptMessage, ResourceContents};

/// What a tool answered.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolAnswer {
    raw: Value,
    content: Vec<Content>,
    structured: Option<Value>,
}

impl ToolAnswer {
    pub(super) fn new(raw: Value, tool: &KnownTool, wraps: bool) -> Result<Self, RequestError> {
        let content = read(&raw, "content", "the content of the result")?;
        let structured = raw.get("structuredContent").map(|structured| {
            // What is described nowhere is wrapped where it is no object; such a wrapper has nothing else in it.
            let alone = structured.as_object().filter(|members| members.len() == 1);
            let inner = alone.and_then(|members| members.get("result"));
            let wrapped = tool.wrapped || wraps && !tool.described && inner.is_some_and(|inner| !inner.is_object());
            inner.filter(|_| wrapped).unwrap_or(structured).clone()
        });
        Ok(Self { raw, content, structured })
    }

    /// Its text blocks, one per line.
    #[must_use]
    pub fn text(&self) -> String {
        lines(self.content.iter())
    }

    /// Its blocks.
    #[must_use]
    pub fn content(&self) -> &[Content] {
        &self.content
    }

    /// The structured result, taken out of the wrapper that some revisions put around what is no object; `None` where
    /// there is none, and in the revisions that have none.
    #[must_use]
    pub fn structured(&self) -> Option<&Value> {
        self.structured.as_ref()
    }

    /// The result as a value, in every revision: the structured one, or else the text read as JSON, or else the text.
    #[must_use]
    pub fn value(&self) -> Value {
        self.structured.clone().unwrap_or_else(|| {
            let text = self.text();
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        })
    }

    /// The result as a type, in every revision.
    ///
    /// # Errors
    /// When [`value`](Self::value) is no such thing.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(self.value())
    }

    /// Whether the tool said no: the text says why.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.raw["isError"] == true
    }

    /// The result as it came.
    #[must_use]
    pub fn raw(&self) -> &Value {
        &self.raw
    }
}

/// What a prompt gave.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptAnswer {
    raw: Value,
    messages: Vec<PromptMessage>,
}

impl PromptAnswer {
    pub(super) fn new(raw: Value) -> Result<Self, RequestError> {
        Ok(Self { messages: read(&raw, "messages", "the messages of the prompt")?, raw })
    }

    /// Its messages, in order.
    #[must_use]
    pub fn messages(&self) -> &[PromptMessage] {
        &self.messages
    }

    /// The text of its messages, one per line.
    #[must_use]
    pub fn text(&self) -> String {
        lines(self.messages.iter().map(|message| &message.content))
    }

    /// The result as it came.
    #[must_use]
    pub fn raw(&self) -> &Value {
        &self.raw
    }
}

/// What was read of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceAnswer {
    raw: Value,
    contents: Vec<ResourceContents>,
}

impl ResourceAnswer {
    pub(super) fn new(raw: Value) -> Result<Self, RequestError> {
        Ok(Self { contents: read(&raw, "contents", "the contents of the resource")?, raw })
    }

    /// Its contents.
    #[must_use]
    pub fn contents(&self) -> &[ResourceContents] {
        &self.contents
    }

    /// The texts among its contents, one per line.
    #[must_use]
    pub fn text(&self) -> String {
        let texts: Vec<&str> = self.contents.iter().filter_map(|contents| contents.text.as_deref()).collect();
        texts.join("\n")
    }

    /// The result as it came.
    #[must_use]
    pub fn raw(&self) -> &Value {
        &self.raw
    }
}

/// Something that the server said beside its answers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Notification {
    /// For example `notifications/progress`.
    pub method: String,
    /// What it says.
    #[serde(default)]
    pub params: Value,
}

impl Notification {
    /// How far a call is, if it says that.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        self.of("notifications/progress")
    }

    /// A message for the client's log, if it is one.
    #[must_use]
    pub fn log(&self) -> Option<LogMessage> {
        self.of("notifications/message")
    }

    fn of<T: DeserializeOwned>(&self, method: &str) -> Option<T> {
        (self.method == method).then(|| T::deserialize(&self.params).ok()).flatten()
    }
}

fn read<T: DeserializeOwned>(raw: &Value, member: &str, what: &str) -> Result<T, RequestError> {
    T::deserialize(&raw[member]).map_err(|error| RequestError::unreadable(what, &error))
}

fn lines<'a>(blocks: impl Iterator<Item = &'a Content>) -> String {
    let text = |block: &'a Content| match block {
        Content::Text { text, .. } => Some(text.as_str()),
        _ => None,
    };
    blocks.filter_map(text).collect::<Vec<_>>().join("\n")
}
