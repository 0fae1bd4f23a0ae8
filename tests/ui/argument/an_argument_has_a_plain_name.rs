#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool]
    pub fn add((a, b): (i64, i64), _: String) -> i64 {
        a + b
    }
}

fn main() {}
