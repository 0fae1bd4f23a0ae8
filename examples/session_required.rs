//! Tools that refuse without a session: the client sends `session/create` first.
//!
//! ```sh
//! cargo run --example session_required -- --transport streamable-http
//! ```

use mcp_runtime::prelude::*;
use serde_json::json;

/// What one session has called.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Calls {
    count: u64,
}

// ANCHOR: required
/// Speaks to those who have a session.
#[mcp_server(name = "session-required", require_session)]
mod gatekeeper {
    use super::*;

    /// Say it back.
    #[tool]
    pub fn echo(
        calls: &mut Calls,
        /// What to say back.
        text: String,
    ) -> String {
        calls.count += 1;
        text
    }
    // ANCHOR_END: required

    /// Which session this is, and how many calls it made before.
    #[tool]
    pub fn whoami(calls: &mut Calls, cx: &Context) -> Result<ToolResult, ToolError> {
        let (id, before) = (cx.session_id().unwrap_or_default(), calls.count);
        calls.count += 1;
        let data = cx.cookie().map(|cookie| cookie.data());
        let facts = json!({ "session_id": id, "tool_calls": before, "data": data });
        let text = format!("Session: {id}, calls: {before}");
        ToolResult::text(text).with_structured(&facts).map_err(ToolError::internal)
    }
}

fn main() -> mcp_runtime::Result {
    gatekeeper::server().port(8765).serve()
}
