#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool]
    pub fn add(a: impl Into<i64>, b: _) -> i64 {
        5
    }
}

fn main() {}
