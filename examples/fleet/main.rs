//! The same server several times over one store: any instance serves any request, and none is missed.
//!
//! ```sh
//! export MCP_SESSION_KEYS="k1:$(openssl rand -base64 32)"
//! for port in 8001 8002 8003; do
//!   cargo run --features mcp-runtime/redis --example fleet -- \
//!     --transport streamable-http --port $port --store redis://localhost &
//! done
//! ```
//!
//! `nginx.conf` beside this file stands in front of them, `compose.yaml` starts it all.

use mcp_runtime::prelude::*;

// ANCHOR: all
/// How often one session came by.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Visits(u64);

/// Counts visits, and says which instance counted.
#[mcp_server(name = "fleet")]
mod fleet {
    use super::*;

    /// Come by.
    #[tool]
    pub fn visit(visits: &mut Visits) -> String {
        visits.0 += 1;
        format!("visit {} at instance {}", visits.0, std::process::id())
    }
}

fn main() -> mcp_runtime::Result {
    fleet::serve()
}
// ANCHOR_END: all
