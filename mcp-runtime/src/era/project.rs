//! Outcomes and tools, in the shape of a revision.

use http::StatusCode;
use serde::Serialize;
use serde_json::{
    Map, Value, json,
    value::{RawValue, to_raw_value},
};

use super::{
    Prepared, Return,
    prepared::{TOOLS, TOOLS_WITH_HANDLES},
};
use crate::{
    call::{Outcome, ToolResult},
    exchange::Outbound,
    protocol::{Content, Icon, Tool, ToolAnnotations, Version, version::Facts},
    wire::{write_result, write_string},
};

/// The answer that carries an outcome.
pub(super) fn result(prepared: &Prepared, to: &Return, outcome: Outcome) -> Outbound {
    let mut body = Vec::with_capacity(512);
    write_result(&mut body, &to.id, |out| match outcome {
        Outcome::Tools { handles } => {
            out.extend_from_slice(prepared.answer(to.version, if handles { TOOLS_WITH_HANDLES } else { TOOLS }));
        }
        Outcome::Tool { index, result } => tool_result(out, prepared, to.version.facts(), index, result),
    });
    Outbound::json(StatusCode::OK, body)
}

/// Writes a tool's result member by member: the shapes of two revisions differ in members, not in how these look.
fn tool_result(out: &mut Vec<u8>, prepared: &Prepared, facts: &Facts, tool: Option<usize>, result: ToolResult) {
    out.extend_from_slice(if facts.modern { b"{\"resultType\":\"complete\",\"content\":[" } else { b"{\"content\":[" });
    match result.structured.as_deref() {
        // Clients that know nothing of structured results read the same as text.
        Some(structured) if result.content.is_empty() => text_block(out, structured.get()),
        _ => {
            for (position, block) in result.content.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                content(out, facts, block);
            }
        }
    }
    out.push(b']');
    if let Some(structured) = result.structured.as_deref().filter(|_| facts.structured) {
        out.extend_from_slice(b",\"structuredContent\":");
        let wrap = !facts.any_output && (prepared.wraps(tool) || !structured.get().starts_with('{'));
        if wrap {
            out.extend_from_slice(b"{\"result\":");
        }
        out.extend_from_slice(structured.get().as_bytes());
        if wrap {
            out.push(b'}');
        }
    }
    if result.is_error {
        out.extend_from_slice(b",\"isError\":true");
    }
    meta(out, prepared, facts, result.meta);
    out.push(b'}');
}

/// Writes `_meta`: the result's own, and from 2026-07-28 the server's name.
fn meta(out: &mut Vec<u8>, prepared: &Prepared, facts: &Facts, own: Option<Map<String, Value>>) {
    match (own, facts.modern) {
        (None, false) => {}
        (None, true) => {
            out.extend_from_slice(b",\"_meta\":");
            out.extend_from_slice(prepared.meta());
        }
        (Some(mut own), modern) => {
            // What the specification reserves is the framework's to set.
            own.retain(|key, _| !reserved(key));
            if let (true, Value::Object(server)) = (modern, prepared.server_info()) {
                own.extend(server.clone());
            }
            out.extend_from_slice(b",\"_meta\":");
            out.extend_from_slice(Value::Object(own).to_string().as_bytes());
        }
    }
}

/// Whether a `_meta` key is reserved: the second label of its prefix is `modelcontextprotocol` or `mcp`.
fn reserved(key: &str) -> bool {
    key.split_once('/')
        .and_then(|(prefix, _)| prefix.split('.').nth(1))
        .is_some_and(|label| label == "modelcontextprotocol" || label == "mcp")
}

fn text_block(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(b"{\"type\":\"text\",\"text\":");
    write_string(out, text);
    out.push(b'}');
}

/// Writes a block, or text in its place where the revision lacks its kind.
fn content(out: &mut Vec<u8>, facts: &Facts, block: &Content) {
    match block {
        Content::Text { text, annotations: None } => text_block(out, text),
        Content::Audio { mime_type, .. } if !facts.audio => text_block(out, &format!("[audio, {mime_type}]")),
        Content::ResourceLink { uri, name, .. } if !facts.resource_links => text_block(out, &format!("{name}: {uri}")),
        // Plain data: writing it into memory can't fail.
        block => out.extend_from_slice(&serde_json::to_vec(block).unwrap_or_default()),
    }
}

/// Tools as the revision shows them.
pub(super) fn tools(tools: &[Tool], version: Version) -> Result<Vec<Box<RawValue>>, serde_json::Error> {
    tools.iter().map(|tool| to_raw_value(&View::of(tool, version.facts())?)).collect()
}

/// Whether revisions whose structured results are objects get this output as `{"result": …}`.
pub(super) fn must_wrap(schema: &RawValue) -> bool {
    let schema: Value = serde_json::from_str(schema.get()).unwrap_or_default();
    schema.get("type").and_then(Value::as_str) != Some("object")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    input_schema: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_schema: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<ToolAnnotations>,
    #[serde(skip_serializing_if = "<[Icon]>::is_empty")]
    icons: &'a [Icon],
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<&'a Map<String, Value>>,
}

impl<'a> View<'a> {
    fn of(tool: &'a Tool, facts: &Facts) -> Result<Self, serde_json::Error> {
        let output_schema = match tool.output_schema.as_deref().filter(|_| facts.structured) {
            Some(schema) if !facts.any_output && must_wrap(schema) => Some(wrapped(schema)?),
            schema => schema.map(ToOwned::to_owned),
        };
        Ok(Self {
            name: &tool.name,
            title: tool.title.as_deref().filter(|_| facts.titles),
            description: tool.description.as_deref(),
            input_schema: &tool.input_schema,
            output_schema,
            annotations: Some(tool.annotations).filter(|annotations| facts.annotations && !annotations.is_empty()),
            icons: if facts.icons { &tool.icons } else { &[] },
            meta: tool.meta.as_ref().filter(|_| facts.object_meta),
        })
    }
}

/// The schema of `{"result": …}`; definitions stay at the root, where references look for them.
fn wrapped(schema: &RawValue) -> Result<Box<RawValue>, serde_json::Error> {
    let mut inner: Value = serde_json::from_str(schema.get())?;
    let definitions = inner.as_object_mut().and_then(|inner| inner.remove("$defs"));
    let mut outer = json!({ "type": "object", "properties": { "result": inner }, "required": ["result"] });
    if let Some(definitions) = definitions {
        outer["$defs"] = definitions;
    }
    to_raw_value(&outer)
}
