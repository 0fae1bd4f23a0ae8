//! A server inside an axum application: its endpoint is one route among others.
//!
//! ```sh
//! cargo run --example embedded        # GET / and the MCP endpoint /mcp, at http://127.0.0.1:8000; PORT chooses another
//! ```

use axum::{Router, routing::get};
use mcp_runtime::prelude::*;

/// Rolls dice.
#[mcp_server]
mod dice {
    use std::time::{SystemTime, UNIX_EPOCH};

    use mcp_runtime::ToolError;

    /// Roll one die.
    #[tool]
    pub fn roll(
        /// How many sides it has.
        #[arg(default = 6)]
        sides: u32,
    ) -> Result<u32, ToolError> {
        if sides < 2 {
            return Err(ToolError::new("A die has at least 2 sides: pass `sides` of 2 or more"));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(ToolError::internal)?;
        Ok(now.subsec_nanos() % sides + 1)
    }
}

#[tokio::main]
async fn main() -> mcp_runtime::Result {
    // ANCHOR: merge
    let app = Router::new()
        .route("/", get(|| async { "The MCP endpoint is /mcp" }))
        .merge(dice::server().into_router().await?);
    // ANCHOR_END: merge
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(8000);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    eprintln!("listening on http://{}/mcp", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
