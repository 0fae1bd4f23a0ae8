//! Work for the client's model: `sampling/createMessage`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    SamplingContent, SamplingMessage,
    sampling_content::{read_blocks, write_blocks},
};
use crate::protocol::{Role, Tool};

/// The longest answer that is asked for where a request does not say it, in tokens.
///
/// Source: our choice, because the member is required, and most questions to a model want a short answer.
const MAX_TOKENS: u32 = 1_000;

/// What the client's model shall do: the params of `sampling/createMessage`.
///
/// ```
/// use mcp_runtime::protocol::ask::{ModelPreferences, SamplingRequest};
///
/// let request = SamplingRequest::text("Which city is meant by \"the big apple\"?")
///     .system_prompt("Answer with the name alone.")
///     .max_tokens(20)
///     .prefer(ModelPreferences::default().speed(0.9));
/// # assert_eq!(serde_json::to_value(request).unwrap()["maxTokens"], 20);
/// ```
///
/// # Source
/// 2026-07-28 schema, `CreateMessageRequestParams`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SamplingRequest {
    /// The conversation so far, oldest first.
    pub messages: Vec<SamplingMessage>,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
    /// What the model is told beforehand; the client may change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_prompt: Option<String>,
    /// Which model would be best; the client may ignore it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_preferences: Option<ModelPreferences>,
    /// What the client shall add from its servers; left out, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_context: Option<IncludeContext>,
    /// How freely the model speaks; its range is the model's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Texts at which the model stops.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop_sequences: Vec<String>,
    /// For the model's provider, in its own terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// What the model may call, for this request alone; from 2025-11-25.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// Whether it must; from 2025-11-25.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
}

impl SamplingRequest {
    /// A question in one text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new([SamplingMessage::user(text.into())])
    }

    /// A conversation that the model shall go on with, oldest message first.
    pub fn new(messages: impl IntoIterator<Item = SamplingMessage>) -> Self {
        Self {
            messages: messages.into_iter().collect(),
            max_tokens: MAX_TOKENS,
            system_prompt: None,
            model_preferences: None,
            include_context: None,
            temperature: None,
            stop_sequences: Vec::new(),
            metadata: None,
            tools: Vec::new(),
            tool_choice: None,
        }
    }

    /// Adds a message; a [`SamplingResult`] is one.
    #[must_use]
    pub fn message(mut self, message: impl Into<SamplingMessage>) -> Self {
        self.messages.push(message.into());
        self
    }

    /// Sets the longest answer, in tokens; 1000 where it is not said.
    #[must_use]
    pub fn max_tokens(mut self, max_tokens: u32) -> Self {
        self.max_tokens = max_tokens;
        self
    }

    /// Sets the system prompt, which the client may change.
    #[must_use]
    pub fn system_prompt(mut self, text: impl Into<String>) -> Self {
        self.system_prompt = Some(text.into());
        self
    }

    /// Says which model would be best, which the client may ignore.
    #[must_use]
    pub fn prefer(mut self, preferences: ModelPreferences) -> Self {
        self.model_preferences = Some(preferences);
        self
    }

    /// Sets how freely the model speaks.
    #[must_use]
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Adds a text at which the model stops.
    #[must_use]
    pub fn stop_at(mut self, text: impl Into<String>) -> Self {
        self.stop_sequences.push(text.into());
        self
    }

    /// Asks the client to add what its servers know; all but [`IncludeContext::None`] needs its `sampling.context`.
    #[must_use]
    pub fn include_context(mut self, context: IncludeContext) -> Self {
        self.include_context = Some(context);
        self
    }

    /// Adds a member for the model's provider.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: Value) -> Self {
        self.metadata.get_or_insert_default().insert(key.into(), value);
        self
    }

    /// Lets the model ask for calls of this tool; needs the client's `sampling.tools`.
    #[must_use]
    pub fn tool(mut self, tool: Tool) -> Self {
        self.tools.push(tool);
        self
    }

    /// Says whether the model must call a tool; needs the client's `sampling.tools`.
    #[must_use]
    pub fn tool_choice(mut self, choice: ToolChoice) -> Self {
        self.tool_choice = Some(choice);
        self
    }

    /// Whether the client must have declared `sampling.tools`.
    #[must_use]
    pub fn needs_tools(&self) -> bool {
        !self.tools.is_empty()
            || self.tool_choice.is_some()
            || self.messages.iter().flat_map(|message| &message.content).any(SamplingContent::is_of_tools)
    }

    /// Whether the client should have declared `sampling.context`.
    #[must_use]
    pub fn needs_context(&self) -> bool {
        self.include_context.is_some_and(|context| context != IncludeContext::None)
    }
}

/// What the client's model said.
///
/// Why it stopped is one of `endTurn`, `stopSequence`, `maxTokens` and `toolUse`, or a word of the model's provider.
///
/// # Source
/// 2026-07-28 schema, `CreateMessageResult`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SamplingResult {
    /// Who says it: the model.
    pub role: Role,
    /// What it says, block by block; one block or a list of them on the wire.
    #[serde(serialize_with = "write_blocks", deserialize_with = "read_blocks")]
    pub content: Vec<SamplingContent>,
    /// The model's name.
    pub model: String,
    /// Why it stopped, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    /// Additional facts by namespaced key.
    #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Map<String, Value>>,
}

impl SamplingResult {
    /// What the model of this name says.
    pub fn new(model: impl Into<String>, content: impl IntoIterator<Item = SamplingContent>) -> Self {
        let content = content.into_iter().collect();
        Self { role: Role::Assistant, content, model: model.into(), stop_reason: None, meta: None }
    }

    /// All of its text, in order; empty where it has none.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|block| match block {
            SamplingContent::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// The calls that the model asks for: id, name of the tool, arguments.
    pub fn tool_uses(&self) -> impl Iterator<Item = (&str, &str, &Map<String, Value>)> {
        self.content.iter().filter_map(|block| match block {
            SamplingContent::ToolUse { id, name, input, .. } => Some((id.as_str(), name.as_str(), input)),
            _ => None,
        })
    }
}

impl From<SamplingResult> for SamplingMessage {
    fn from(result: SamplingResult) -> Self {
        Self { meta: result.meta, ..Self::new(result.role, result.content) }
    }
}

/// Which model would be best; the client may ignore it.
///
/// # Source
/// 2026-07-28 schema, `ModelPreferences`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ModelPreferences {
    /// Models by name, the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<ModelHint>,
    /// From 0 (the price is all the same) to 1 (as cheap as can be).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_priority: Option<f64>,
    /// From 0 (the time is all the same) to 1 (as fast as can be).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_priority: Option<f64>,
    /// From 0 (any model will do) to 1 (as able as can be).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intelligence_priority: Option<f64>,
}

impl ModelPreferences {
    /// Adds a model by a part of its name, after those that are better.
    #[must_use]
    pub fn hint(mut self, name: impl Into<String>) -> Self {
        self.hints.push(ModelHint { name: Some(name.into()) });
        self
    }

    /// Sets how much the price matters, from 0 to 1.
    #[must_use]
    pub fn cost(mut self, priority: f64) -> Self {
        self.cost_priority = Some(priority);
        self
    }

    /// Sets how much the time matters, from 0 to 1.
    #[must_use]
    pub fn speed(mut self, priority: f64) -> Self {
        self.speed_priority = Some(priority);
        self
    }

    /// Sets how much the ability matters, from 0 to 1.
    #[must_use]
    pub fn intelligence(mut self, priority: f64) -> Self {
        self.intelligence_priority = Some(priority);
        self
    }
}

/// A model that would be good.
///
/// # Source
/// 2026-07-28 schema, `ModelHint`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelHint {
    /// A part of its name, or a name that the client finds something alike for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What a client shall add to a request from its servers; all but [`IncludeContext::None`] is deprecated in 2026-07-28.
///
/// # Source
/// 2026-07-28 schema, `CreateMessageRequestParams.includeContext`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum IncludeContext {
    /// Nothing.
    None,
    /// What this server knows.
    ThisServer,
    /// What all of its servers know.
    AllServers,
}

/// Whether a model must call a tool.
///
/// # Source
/// 2026-07-28 schema, `ToolChoice`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum ToolChoice {
    /// As it likes.
    Auto,
    /// At least one, before it ends.
    Required,
    /// None.
    None,
}
