//! What a client learns of a tool.

use serde::{Deserialize, Serialize};
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};

use super::Icon;

/// A tool as `tools/list` shows it, in its newest shape; `era` projects it down to older revisions.
///
/// # Source
/// 2026-07-28 schema, `Tool`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Tool {
    /// Programmatic name, unique in the server: `^[A-Za-z_][A-Za-z0-9_-]*$`, at most 48 characters.
    pub name: String,
    /// Name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it does and when to use it: what the model reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema of the arguments, an object schema, already in the order of the parameters.
    pub input_schema: Box<RawValue>,
    /// JSON Schema of the structured result; any schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Box<RawValue>>,
    /// Hints on its behaviour.
    #[serde(default, skip_serializing_if = "ToolAnnotations::is_empty")]
    pub annotations: ToolAnnotations,
    /// How its calls run; only 2025-11-25 shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<ToolExecution>,
    /// Pictures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub icons: Vec<Icon>,
    /// Additional facts by namespaced key.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Map<String, Value>>,
}

impl Tool {
    /// A tool whose arguments have this JSON Schema, which must be of an object; for the tools of a
    /// [`SamplingRequest`](super::ask::SamplingRequest): those of a server are declared.
    pub fn new(name: impl Into<String>, description: impl Into<String>, input_schema: &Value) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: Some(description.into()),
            // A value is always text.
            input_schema: to_raw_value(input_schema).unwrap_or_else(|_| RawValue::NULL.to_owned()),
            output_schema: None,
            annotations: ToolAnnotations::default(),
            execution: None,
            icons: Vec::new(),
            meta: None,
        }
    }
}

/// How calls of a tool run.
///
/// # Source
/// 2025-11-25 schema, `ToolExecution`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ToolExecution {
    /// Whether a call can become a task, where the client asks for it.
    pub task_support: TaskRule,
}

impl ToolExecution {
    /// This rule.
    #[must_use]
    pub const fn tasks(task_support: TaskRule) -> Self {
        Self { task_support }
    }
}

/// Whether a call can become a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskRule {
    /// Never.
    Forbidden,
    /// Where the client asks for it.
    Optional,
    /// Every call must.
    Required,
}

/// Hints on what a tool does; absent means "not said".
///
/// # Source
/// 2025-03-26 schema, `ToolAnnotations`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolAnnotations {
    /// It changes nothing.
    #[serde(rename = "readOnlyHint", default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// It may destroy something.
    #[serde(rename = "destructiveHint", default, skip_serializing_if = "Option::is_none")]
    pub destructive: Option<bool>,
    /// Calling it twice with the same arguments is the same as once.
    #[serde(rename = "idempotentHint", default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    /// It talks to the outside world.
    #[serde(rename = "openWorldHint", default, skip_serializing_if = "Option::is_none")]
    pub open_world: Option<bool>,
}

impl ToolAnnotations {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
