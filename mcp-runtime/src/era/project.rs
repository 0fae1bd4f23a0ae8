//! Outcomes, in the shape of a revision.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Prepared, Return, blocks,
    listing::{Listed, strip_meta},
    prepared::write_cache,
    tasks,
};
use crate::{
    call::{Answered, Completion, Outcome, Page, PromptResult, Question, SessionOutcome, Shown, ToolResult},
    exchange::Outbound,
    protocol::{CacheHint, ResourceContents, Role, Version, meta::keep_own, version::Facts},
    wire::{write_result, write_string},
};

/// The answer that carries an outcome.
///
/// `also` belongs into the `_meta` of what functions and sessions answer.
pub(super) fn result(prepared: &Prepared, to: &Return, outcome: Outcome, also: Option<Value>) -> Outbound {
    let mut body = Vec::with_capacity(512);
    let facts = to.version.facts();
    write_result(&mut body, &to.id, |out| match outcome {
        Outcome::Tool { by, result } => tool_result(out, prepared, facts, &by, result, also),
        Outcome::Task(outcome) => tasks::write(out, prepared, facts, *outcome, also),
        Outcome::Tools(shown) => page(out, prepared, to.version, &shown),
        Outcome::Prompts(shown) => page(out, prepared, to.version, &shown),
        Outcome::Resources(shown) => page(out, prepared, to.version, &shown),
        Outcome::Templates(shown) => page(out, prepared, to.version, &shown),
        Outcome::Prompt(result) => prompt(out, prepared, facts, *result, also),
        Outcome::Resource { contents, cache } => resource(out, prepared, facts, contents, cache, also),
        Outcome::Completion(completion) => self::completion(out, prepared, facts, &completion),
        Outcome::Session(outcome) => session(out, prepared, facts, &outcome, also),
        // Questions are asked before anything is closed.
        Outcome::Ask(_) => out.extend_from_slice(b"{}"),
    });
    Outbound::json(StatusCode::OK, body)
}

/// Writes a page of a list: as it was encoded at the start, where it shows all of that and nothing else.
fn page<T: Listed>(out: &mut Vec<u8>, prepared: &Prepared, version: Version, page: &Page<T>) {
    let list = prepared.list(version, page.handles, T::LIST);
    if page.shown == Shown::All && page.found.is_empty() && page.next.is_none() {
        out.extend_from_slice(&list.whole);
        return;
    }
    let facts = version.facts();
    // Plain data: writing it into memory can't fail.
    let found: Vec<_> = page.found.iter().filter_map(|thing| thing.view(facts).ok()).collect();
    let declared: Vec<_> = match &page.shown {
        Shown::All => list.items.iter().collect(),
        Shown::These(indices) => indices.iter().filter_map(|index| list.items.get(*index)).collect(),
    };
    let items = declared.into_iter().chain(&found).map(|item| &**item);
    prepared.write_list(out, facts, T::LIST, items, page.next.as_deref());
}

/// Begins a result.
fn open(out: &mut Vec<u8>, facts: &Facts) {
    out.extend_from_slice(if facts.modern { b"{\"resultType\":\"complete\"," } else { b"{" });
}

fn prompt(out: &mut Vec<u8>, prepared: &Prepared, facts: &Facts, result: PromptResult, also: Option<Value>) {
    open(out, facts);
    if let Some(description) = &result.description {
        out.extend_from_slice(b"\"description\":");
        write_string(out, description);
        out.push(b',');
    }
    out.extend_from_slice(b"\"messages\":[");
    for (position, message) in result.messages.into_iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        out.extend_from_slice(match message.role {
            Role::User => b"{\"role\":\"user\",\"content\":",
            Role::Assistant => b"{\"role\":\"assistant\",\"content\":",
        });
        blocks::write(out, facts, message.content);
        out.push(b'}');
    }
    out.push(b']');
    meta(out, prepared, facts, result.meta, also);
    out.push(b'}');
}

fn resource(
    out: &mut Vec<u8>,
    prepared: &Prepared,
    facts: &Facts,
    mut contents: Vec<ResourceContents>,
    cache: CacheHint,
    also: Option<Value>,
) {
    open(out, facts);
    contents.iter_mut().for_each(|contents| strip_meta(&mut contents.meta, facts));
    out.extend_from_slice(b"\"contents\":");
    // Plain data: writing it into memory can't fail.
    out.extend_from_slice(&serde_json::to_vec(&contents).unwrap_or_default());
    if facts.modern {
        write_cache(out, cache);
    }
    meta(out, prepared, facts, None, also);
    out.push(b'}');
}

/// Writes what became of a session that a cookie carries.
fn session(out: &mut Vec<u8>, prepared: &Prepared, facts: &Facts, outcome: &SessionOutcome, also: Option<Value>) {
    open(out, facts);
    let members = match outcome {
        SessionOutcome::Created(cookie) => json!(cookie),
        SessionOutcome::Listed(cookies) => json!({ "sessions": cookies }),
        SessionOutcome::Deleted(deleted) => json!({ "deleted": deleted }),
    };
    let members = members.to_string();
    let members = members.strip_prefix('{').and_then(|members| members.strip_suffix('}'));
    out.extend_from_slice(members.unwrap_or_default().as_bytes());
    meta(out, prepared, facts, None, also);
    out.push(b'}');
}

fn completion(out: &mut Vec<u8>, prepared: &Prepared, facts: &Facts, completion: &Completion) {
    open(out, facts);
    let Completion { values, total, has_more, .. } = completion;
    let mut inner = json!({ "values": values, "hasMore": has_more });
    if let Some(total) = total {
        inner["total"] = (*total).into();
    }
    out.extend_from_slice(b"\"completion\":");
    out.extend_from_slice(inner.to_string().as_bytes());
    meta(out, prepared, facts, None, None);
    out.push(b'}');
}

/// Writes a tool's result member by member: the shapes of two revisions differ in members, not in how these look.
pub(super) fn tool_result(
    out: &mut Vec<u8>,
    prepared: &Prepared,
    facts: &Facts,
    by: &Answered,
    result: ToolResult,
    also: Option<Value>,
) {
    out.extend_from_slice(if facts.modern { b"{\"resultType\":\"complete\",\"content\":[" } else { b"{\"content\":[" });
    match result.structured.as_deref() {
        // Clients that know nothing of structured results read the same as text.
        Some(structured) if result.content.is_empty() => blocks::write_text(out, structured.get()),
        _ => {
            for (position, block) in result.content.into_iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                blocks::write(out, facts, block);
            }
        }
    }
    out.push(b']');
    if let Some(structured) = result.structured.as_deref().filter(|_| facts.structured) {
        out.extend_from_slice(b",\"structuredContent\":");
        let wrap = !facts.any_output && (prepared.wraps(by) || !structured.get().starts_with('{'));
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
    meta(out, prepared, facts, result.meta, also);
    out.push(b'}');
}

/// Writes `_meta`: the result's own, what `also` belongs there, and from 2026-07-28 the server's name.
pub(super) fn meta(
    out: &mut Vec<u8>,
    prepared: &Prepared,
    facts: &Facts,
    own: Option<Map<String, Value>>,
    also: Option<Value>,
) {
    let own = own.or_else(|| also.is_some().then(Map::new));
    match (own, facts.modern) {
        (None, false) => {}
        (None, true) => {
            out.extend_from_slice(b",\"_meta\":");
            out.extend_from_slice(prepared.meta());
        }
        (Some(mut own), modern) => {
            // What the specification reserves is the framework's to set.
            keep_own(&mut own);
            if let Some(Value::Object(also)) = also {
                own.extend(also);
            }
            if let (true, Value::Object(server)) = (modern, prepared.server_info()) {
                own.extend(server.clone());
            }
            out.extend_from_slice(b",\"_meta\":");
            out.extend_from_slice(Value::Object(own).to_string().as_bytes());
        }
    }
}

/// Writes questions by their keys, as methods with parameters.
pub(super) fn questions(out: &mut Vec<u8>, questions: &[Question]) {
    out.push(b'{');
    for (position, question) in questions.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write_string(out, &question.key);
        out.extend_from_slice(b":{\"method\":");
        write_string(out, question.asks.method());
        out.extend_from_slice(b",\"params\":");
        out.extend_from_slice(question.asks.params().as_bytes());
        out.push(b'}');
    }
    out.push(b'}');
}
