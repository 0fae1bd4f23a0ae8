//! A session that a cookie carries, and a tool that looks at it, ends it, and begins another.
//!
//! ```sh
//! cargo run --example session_probe -- --transport streamable-http
//! ```

use mcp_runtime::prelude::*;
use serde_json::json;

/// What one session has seen.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Probed {
    calls: u64,
}

/// What to do with the session.
#[derive(Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Action {
    /// Look at it.
    #[default]
    Status,
    /// End it.
    Revoke,
    /// End it and begin another.
    New,
}

/// Shows what becomes of a session.
#[mcp_server(name = "experimental-mcp-sessions")]
mod sessions {
    use super::*;

    // ANCHOR: probe
    /// Look at this session, end it, or begin another.
    #[tool]
    pub fn session_probe(
        probed: &mut Probed,
        cx: &Context,
        /// What to do with the session.
        #[arg(default = Action::Status)]
        action: Action,
        /// A word about it.
        note: Option<String>,
    ) -> Result<ToolResult, ToolError> {
        let session = match action {
            Action::Status => cx.cookie(),
            Action::Revoke => {
                let facts = json!({ "action": action, "revoked": true, "session_id": cx.session_id() });
                cx.end_session()?;
                let why = note.as_deref().unwrap_or("revocation requested");
                let text = format!("session revoked by tool; returning _meta['mcp/session']=null ({why})");
                return result(text, &facts);
            }
            Action::New => {
                *probed = Probed::default();
                Some(cx.begin_session("rotated-session")?)
            }
        };
        // ANCHOR_END: probe
        let session = session.ok_or_else(|| ToolError::new("This call has no session"))?;
        probed.calls += 1;
        let (id, title, calls) = (session.id(), session.title().unwrap_or_default(), probed.calls);
        let facts = json!({ "action": action, "session": session, "calls": calls, "note": note });
        let note = note.as_deref().unwrap_or("none");
        result(format!("session active (id={id}, title={title}), calls={calls}, note={note}"), &facts)
    }

    fn result(text: String, facts: &serde_json::Value) -> Result<ToolResult, ToolError> {
        ToolResult::text(text).with_structured(facts).map_err(ToolError::internal)
    }
}

fn main() -> mcp_runtime::Result {
    // ANCHOR: demand
    sessions::server().sessions(Sessions::default().cookies_on_demand()).port(8765).serve()
    // ANCHOR_END: demand
}
