//! The client's folders: `roots/list`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A folder or file that the client works in: a hint, not a permission; check paths yourself.
///
/// # Source
/// 2026-07-28 schema, `Root`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Root {
    /// A `file:` URI.
    pub uri: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Additional facts by namespaced key.
    #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Map<String, Value>>,
}

impl Root {
    /// A root at this `file:` URI.
    pub fn new(uri: impl Into<String>) -> Self {
        Self { uri: uri.into(), name: None, meta: None }
    }
}

/// The client's roots: the result of `roots/list`.
///
/// # Source
/// 2026-07-28 schema, `ListRootsResult`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListRootsResult {
    /// The roots, in the client's order.
    pub roots: Vec<Root>,
    /// Additional facts by namespaced key.
    #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Map<String, Value>>,
}
