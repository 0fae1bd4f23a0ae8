//! Small state that travels with the client: a cookie holds it, sealed, and the server keeps nothing.
//!
//! ```sh
//! MCP_SESSION_KEYS=k1:$(openssl rand -base64 32) \
//!   cargo run --example preferences -- --transport streamable-http    # as often as you like: any instance takes the cookie
//! ```

use std::collections::BTreeMap;

use mcp_runtime::prelude::*;

/// What one session prefers, by topic.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Preferences(BTreeMap<String, String>);

/// Remembers how you like things.
#[mcp_server(name = "preferences")]
mod preferences {
    use super::*;

    /// Remember a preference.
    #[tool]
    pub fn prefer(
        preferences: &mut Preferences,
        /// What it is about, such as `units`.
        topic: String,
        /// How it is liked, such as `metric`.
        choice: String,
    ) -> String {
        let text = format!("{topic}: {choice}");
        preferences.0.insert(topic, choice);
        text
    }

    /// All preferences.
    #[tool(read_only)]
    pub fn preferred(preferences: &Preferences) -> BTreeMap<String, String> {
        preferences.0.clone()
    }

    /// Forget all preferences.
    #[tool]
    pub fn forget(cx: &Context) -> Result<String, ToolError> {
        cx.end_session()?;
        Ok("forgotten".into())
    }
}

// ANCHOR: sealed
fn main() -> mcp_runtime::Result {
    preferences::server().sessions(Sessions::default().sealed_cookies()).port(8765).serve()
}
// ANCHOR_END: sealed
