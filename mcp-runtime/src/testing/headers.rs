//! The headers that a client writes beside a message.

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use http::HeaderValue;
use serde_json::Value;

use crate::exchange::{Field, Headers, Text};

/// The header of this text: as it is where a header can say it, in base64 otherwise.
///
/// # Source
/// 2026-07-28 basic/transports §Value Encoding.
pub(super) fn field(text: &str) -> Field {
    let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && text.trim_matches(' ') == text
        && !text.starts_with("=?base64?");
    let encoded = if plain { text.to_owned() } else { format!("=?base64?{}?=", BASE64.encode(text)) };
    let value = HeaderValue::try_from(encoded).ok();
    value.and_then(|value| Text::of(&value)).map_or(Field::Repeated, Field::Value)
}

/// The headers of a message of the revision whose headers mirror the body.
pub(super) fn mirror(headers: &mut Headers, message: &Value) {
    if let Some(method) = message["method"].as_str() {
        headers.method = field(method);
        let parameter = match method {
            "tools/call" | "prompts/get" => "name",
            "resources/read" => "uri",
            "tasks/get" | "tasks/update" | "tasks/cancel" => "taskId",
            _ => return,
        };
        if let Some(name) = message["params"][parameter].as_str() {
            headers.name = field(name);
        }
    }
}

/// The `Mcp-Param-…` headers for arguments; `mirrored` has the name of each argument with the rest of its header's.
pub(super) fn parameters(mirrored: &[(String, String)], arguments: &Value) -> Vec<(Box<str>, Field)> {
    let header = |(argument, name): &(String, String)| {
        let said = match arguments.get(argument)? {
            Value::Null => return None,
            Value::String(text) => field(text),
            other => field(&other.to_string()),
        };
        Some((name.to_ascii_lowercase().into(), said))
    };
    mirrored.iter().filter_map(header).collect()
}
