//! What is said to a model and by it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::protocol::{Annotations, Content, Role, content::base64};

/// One block of a message to or from a model.
///
/// Binary data is base64, standard alphabet with padding. The kinds may gain members: build them with the constructors,
/// match them with `..`.
///
/// # Source
/// 2026-07-28 schema, `SamplingMessageContentBlock`; uses of tools and their results from 2025-11-25, audio from
/// 2025-03-26.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum SamplingContent {
    /// Plain text.
    #[non_exhaustive]
    Text {
        /// The text.
        text: String,
        /// For whom, how important.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        annotations: Option<Box<Annotations>>,
        /// Additional facts by namespaced key.
        #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
        meta: Option<Box<Map<String, Value>>>,
    },
    /// An image.
    #[non_exhaustive]
    Image {
        /// Base64 of the image.
        data: String,
        /// For example `image/png`.
        mime_type: String,
        /// For whom, how important.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        annotations: Option<Box<Annotations>>,
        /// Additional facts by namespaced key.
        #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
        meta: Option<Box<Map<String, Value>>>,
    },
    /// A sound.
    #[non_exhaustive]
    Audio {
        /// Base64 of the sound.
        data: String,
        /// For example `audio/wav`.
        mime_type: String,
        /// For whom, how important.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        annotations: Option<Box<Annotations>>,
        /// Additional facts by namespaced key.
        #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
        meta: Option<Box<Map<String, Value>>>,
    },
    /// The model wants a tool to be called.
    #[non_exhaustive]
    ToolUse {
        /// What [`SamplingContent::ToolResult`] refers to.
        id: String,
        /// The tool's name.
        name: String,
        /// The arguments; untrusted.
        input: Map<String, Value>,
        /// Additional facts by namespaced key; send them back as they came.
        #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
        meta: Option<Box<Map<String, Value>>>,
    },
    /// What a tool gave; only in a message that holds nothing else.
    #[non_exhaustive]
    ToolResult {
        /// The id of the use that this answers.
        tool_use_id: String,
        /// The blocks, in order.
        content: Vec<Content>,
        /// The structured result.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        structured_content: Option<Box<Value>>,
        /// The tool failed and the blocks say why.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
        /// Additional facts by namespaced key.
        #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
        meta: Option<Box<Map<String, Value>>>,
    },
}

impl SamplingContent {
    /// A block of plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), annotations: None, meta: None }
    }

    /// An image, of bytes that this encodes as base64.
    pub fn image(bytes: impl AsRef<[u8]>, mime_type: impl Into<String>) -> Self {
        Self::Image { data: base64(bytes.as_ref()), mime_type: mime_type.into(), annotations: None, meta: None }
    }

    /// A sound, of bytes that this encodes as base64.
    pub fn audio(bytes: impl AsRef<[u8]>, mime_type: impl Into<String>) -> Self {
        Self::Audio { data: base64(bytes.as_ref()), mime_type: mime_type.into(), annotations: None, meta: None }
    }

    /// A use of a tool, with arguments.
    pub fn tool_use(id: impl Into<String>, name: impl Into<String>, input: Map<String, Value>) -> Self {
        Self::ToolUse { id: id.into(), name: name.into(), input, meta: None }
    }

    /// What a tool gave for the use of this id.
    pub fn tool_result(tool_use_id: impl Into<String>, content: impl IntoIterator<Item = Content>) -> Self {
        let content = content.into_iter().collect();
        let tool_use_id = tool_use_id.into();
        Self::ToolResult { tool_use_id, content, structured_content: None, is_error: false, meta: None }
    }

    /// What a tool said when it failed, for the use of this id.
    pub fn tool_error(tool_use_id: impl Into<String>, text: impl Into<String>) -> Self {
        let (tool_use_id, content) = (tool_use_id.into(), vec![Content::text(text)]);
        Self::ToolResult { tool_use_id, content, structured_content: None, is_error: true, meta: None }
    }

    /// Whether it is a use of a tool or the result of one.
    pub(super) const fn is_of_tools(&self) -> bool {
        matches!(self, Self::ToolUse { .. } | Self::ToolResult { .. })
    }
}

impl From<&str> for SamplingContent {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for SamplingContent {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

/// One message of a conversation with a model.
///
/// # Shape
/// A message of one block has it as `content`, which every revision knows; one of several has a list, from 2025-11-25.
///
/// # Source
/// 2026-07-28 schema, `SamplingMessage`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SamplingMessage {
    /// Who says it.
    pub role: Role,
    /// What is said, block by block.
    #[serde(serialize_with = "write_blocks", deserialize_with = "read_blocks")]
    pub content: Vec<SamplingContent>,
    /// Additional facts by namespaced key.
    #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Map<String, Value>>,
}

impl SamplingMessage {
    /// A message of these blocks.
    pub fn new(role: Role, content: impl IntoIterator<Item = SamplingContent>) -> Self {
        Self { role, content: content.into_iter().collect(), meta: None }
    }

    /// What the person says: a text, or any other block.
    pub fn user(content: impl Into<SamplingContent>) -> Self {
        Self::new(Role::User, [content.into()])
    }

    /// What the model says: a text, or any other block.
    pub fn assistant(content: impl Into<SamplingContent>) -> Self {
        Self::new(Role::Assistant, [content.into()])
    }
}

/// One block as itself, several as a list.
pub(super) fn write_blocks<S: Serializer>(blocks: &[SamplingContent], serializer: S) -> Result<S::Ok, S::Error> {
    match blocks {
        [block] => block.serialize(serializer),
        blocks => blocks.serialize(serializer),
    }
}

pub(super) fn read_blocks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SamplingContent>, D::Error> {
    use serde::de::Error;

    // Through a value: an untagged enum would say no more than "did not match any variant".
    match Value::deserialize(deserializer)? {
        blocks @ Value::Array(_) => Vec::deserialize(blocks),
        block => SamplingContent::deserialize(block).map(|block| vec![block]),
    }
    .map_err(Error::custom)
}
