//! The smallest server: free functions in a module, arguments by value.
//!
//! ```sh
//! cargo run --example calculator                                      # over stdio
//! cargo run --example calculator -- --transport streamable-http       # at http://127.0.0.1:8000/mcp
//! ```

// ANCHOR: all
use mcp_runtime::prelude::*;

#[mcp_server]
mod calculator {
    /// Add two numbers.
    #[tool]
    pub fn add(a: i64, b: i64) -> i64 {
        a + b
    }
}

fn main() -> mcp_runtime::Result {
    calculator::serve()
}
// ANCHOR_END: all
