//! Session state: each session has its own notebook, and the functions never learn what carries the session.
//!
//! ```sh
//! cargo run --example notebook -- --transport streamable-http
//! MCP_SESSION_KEYS=k1:$(openssl rand -base64 32) \
//!   cargo run --example notebook -- --transport streamable-http --store file:notes.redb    # survives a restart
//! ```

use mcp_runtime::prelude::*;
use serde_json::json;

// ANCHOR: state
/// What one session has written down.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Notebook {
    notes: Vec<Note>,
    calls: u64,
}
// ANCHOR_END: state

/// A note, and when it was written.
#[derive(Serialize, Deserialize)]
struct Note {
    text: String,
    timestamp: String,
}

/// Keeps notes, one notebook per session.
#[mcp_server(name = "notebook")]
mod notebook {
    use super::*;

    // ANCHOR: append
    /// Add a note to the end of the notebook.
    #[tool]
    pub fn notebook_append(
        notebook: &mut Notebook,
        cx: &Context,
        /// The note, as plain text.
        text: String,
    ) -> Result<ToolResult, ToolError> {
        let timestamp = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
        notebook.notes.push(Note { text: text.clone(), timestamp });
        notebook.calls += 1;
        let n = notebook.notes.len();
        let facts = json!({ "action": "append", "note_number": n, "text": text, "session_id": cx.session_id() });
        result(format!("Note added (#{n}): {text}"), &facts)
    }
    // ANCHOR_END: append

    /// Every note so far, oldest first.
    #[tool]
    pub fn notebook_read(notebook: &mut Notebook, cx: &Context) -> Result<ToolResult, ToolError> {
        notebook.calls += 1;
        let n = notebook.notes.len();
        let mut text = if n == 0 { "(notebook is empty)".to_owned() } else { format!("Notebook ({n} notes):") };
        for (i, note) in notebook.notes.iter().enumerate() {
            text += &format!("\n  {}. [{}] {}", i + 1, note.timestamp, note.text);
        }
        let facts = json!({ "action": "read", "session_id": cx.session_id(), "notes": notebook.notes, "count": n });
        result(text, &facts)
    }

    /// Throw all notes away.
    #[tool(destructive)]
    pub fn notebook_clear(notebook: &mut Notebook, cx: &Context) -> Result<ToolResult, ToolError> {
        notebook.calls += 1;
        let removed = std::mem::take(&mut notebook.notes).len();
        let facts = json!({ "action": "clear", "session_id": cx.session_id(), "removed": removed });
        result(format!("Notebook cleared ({removed} notes removed)."), &facts)
    }

    /// How many notes there are, and how many calls there were.
    #[tool]
    pub fn notebook_status(notebook: &mut Notebook, cx: &Context) -> Result<ToolResult, ToolError> {
        notebook.calls += 1;
        let (id, notes, calls) = (cx.session_id().unwrap_or_default(), notebook.notes.len(), notebook.calls);
        let facts = json!({ "session_id": id, "note_count": notes, "tool_calls": calls });
        result(format!("Session {id}: {notes} notes, {calls} calls"), &facts)
    }

    fn result(text: String, facts: &serde_json::Value) -> Result<ToolResult, ToolError> {
        ToolResult::text(text).with_structured(facts).map_err(ToolError::internal)
    }
}

fn main() -> mcp_runtime::Result {
    // Carried by a cookie, too, for clients that know `session/create`.
    notebook::server().sessions(Sessions::default().cookies()).port(8765).serve()
}
