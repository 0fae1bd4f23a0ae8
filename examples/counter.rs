//! A first server with two tools and session state: everything that a session needs fits on one screen.
//!
//! ```sh
//! cargo run --example counter -- --transport streamable-http
//! ```

// ANCHOR: all
use mcp_runtime::prelude::*;

/// What one session has counted.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Count(u64);

#[mcp_server]
mod counter {
    use super::*;

    /// Count up and return the new count.
    #[tool]
    pub fn count_up(count: &mut Count, by: u64) -> u64 {
        count.0 += by;
        count.0
    }

    /// Return the count so far.
    #[tool(read_only)]
    pub fn count_so_far(count: &Count) -> u64 {
        count.0
    }
}

fn main() -> mcp_runtime::Result {
    counter::serve()
}
// ANCHOR_END: all
