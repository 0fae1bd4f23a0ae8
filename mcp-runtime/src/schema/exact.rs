//! Integers in results that some clients round.
//!
//! Takes: finished tools. Gives: where such integers stand. Knows: how large an integer every language keeps exact. Must
//! not know: Rust types, calls.

use serde_json::{Map, Value};

use super::check::member_path;
use crate::protocol::Tool;

/// The largest integer that every language keeps exact: 2^53 − 1.
pub(super) const EXACT: i64 = 9_007_199_254_740_991;

/// Where the results of a tool have integers that may lie beyond ±(2^53 − 1), which clients in JavaScript round: paths such
/// as `accounts[].id`, and `(the result)` for the result itself.
///
/// Integers of 32 bits and bounded ones (`#[schemars(range(…))]`) never do. [`as_string`](mod@super::as_string) is the way
/// to keep the others exact.
///
/// # Source
/// ECMA-262, `Number.MAX_SAFE_INTEGER`; RFC 8259 §6 on what to expect of readers.
#[must_use]
pub fn inexact_integers(tool: &Tool) -> Vec<String> {
    let schema = tool.output_schema.as_ref().and_then(|schema| serde_json::from_str::<Value>(schema.get()).ok());
    let mut found = Vec::new();
    if let Some(Value::Object(root)) = schema {
        collect(&root, "", &mut found);
        for (name, schema) in root.get("$defs").and_then(Value::as_object).into_iter().flatten() {
            below(schema, name, &mut found);
        }
    }
    found
}

fn collect(schema: &Map<String, Value>, path: &str, found: &mut Vec<String>) {
    if schema.get("type").and_then(Value::as_str) == Some("integer")
        && !schema.contains_key("enum")
        && !is_exact(schema)
    {
        let path = if path.is_empty() { "(the result)" } else { path };
        if !found.iter().any(|known| known == path) {
            found.push(path.to_owned());
        }
    }
    for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        below(schema, &member_path(path, name), found);
    }
    for (key, step) in [("items", "[]"), ("additionalProperties", ".*")] {
        if let Some(schema) = schema.get(key) {
            below(schema, &format!("{path}{step}"), found);
        }
    }
    for arm in ["anyOf", "allOf"].into_iter().filter_map(|key| schema.get(key)).filter_map(Value::as_array).flatten() {
        below(arm, path, found);
    }
}

fn below(schema: &Value, path: &str, found: &mut Vec<String>) {
    if let Value::Object(schema) = schema {
        collect(schema, path, found);
    }
}

fn is_exact(schema: &Map<String, Value>) -> bool {
    let bound = |keys: [&str; 2]| keys.iter().find_map(|key| schema.get(*key)).and_then(Value::as_f64);
    let within = |bound: Option<f64>| bound.is_some_and(|bound| bound.abs() <= EXACT as f64);
    within(bound(["minimum", "exclusiveMinimum"])) && within(bound(["maximum", "exclusiveMaximum"]))
}
