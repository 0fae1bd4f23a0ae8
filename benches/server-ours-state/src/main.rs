//! A tool that reads and writes its session, on mcp-runtime, as its documentation shows.
//!
//! Usage: `server-ours-state --transport streamable-http --port PORT --store URL`

use mcp_runtime::prelude::*;

/// How often one session was served.
#[derive(Clone, Default, Serialize, Deserialize, SessionState)]
struct Served {
    calls: u64,
}

/// Counts what it says back, for each session.
#[mcp_server(changes)]
mod counter {
    use mcp_runtime::Context;

    use super::Served;

    /// Say it back.
    #[tool]
    pub async fn echo(
        served: &mut Served,
        /// What to say back.
        message: String,
    ) -> String {
        served.calls += 1;
        message
    }

    /// How often this session was served.
    #[tool(read_only)]
    pub fn calls(served: &Served) -> String {
        served.calls.to_string()
    }

    /// Tell everyone that the tools changed.
    #[tool]
    pub fn announce(cx: &Context) -> &'static str {
        cx.changes().tools_changed();
        "told"
    }
}

fn main() -> mcp_runtime::Result {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(counter::server().run())
}
