//! Who the client is and what it can do.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Name and version of a client or server (`clientInfo`, `serverInfo`).
///
/// Self-reported: never a basis for a security decision.
///
/// # Source
/// 2026-07-28 schema, `Implementation`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Implementation {
    /// Programmatic name.
    pub name: String,
    /// Version of the program; its format is the program's own.
    #[serde(default)]
    pub version: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// What the client declared that it can do.
///
/// # Shape
/// A JSON object such as `{"elicitation": {}, "sampling": {"tools": {}}}`; members that this crate does not know are kept.
///
/// # Source
/// 2026-07-28 schema, `ClientCapabilities`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientCapabilities(pub Map<String, Value>);

impl ClientCapabilities {
    /// The settings of the extension of this id, where it is declared: a member of `extensions` that is an object.
    #[must_use]
    pub fn extension(&self, id: &str) -> Option<&Map<String, Value>> {
        self.0.get("extensions")?.get(id)?.as_object()
    }

    /// Whether the capability is declared: a member of this name that is an object.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Value::is_object)
    }
}
