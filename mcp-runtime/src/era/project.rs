//! Outcomes, in the shape of a revision.

use http::StatusCode;
use serde_json::{Map, Value};

use super::{
    Prepared, Return,
    prepared::{TOOLS, TOOLS_WITH_HANDLES},
};
use crate::{
    call::{Outcome, ToolResult},
    exchange::Outbound,
    protocol::{Content, version::Facts},
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
        Content::Text { text, annotations: None, meta: None } => text_block(out, text),
        Content::Audio { mime_type, .. } if !facts.audio => text_block(out, &format!("[audio, {mime_type}]")),
        Content::ResourceLink(resource) if !facts.resource_links => {
            text_block(out, &format!("{}: {}", resource.name, resource.uri));
        }
        // Plain data: writing it into memory can't fail.
        block => out.extend_from_slice(&serde_json::to_vec(block).unwrap_or_default()),
    }
}
