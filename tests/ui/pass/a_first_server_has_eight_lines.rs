use mcp_runtime::prelude::*;

#[mcp_server]
mod calculator {
    /// Add two numbers.
    #[tool]
    pub fn add(a: i64, b: i64) -> i64 { a + b }
}

fn main() { let _ = calculator::serve as fn() -> mcp_runtime::Result; }
