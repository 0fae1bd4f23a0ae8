#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool]
    #[tool(read_only)]
    pub fn add() {}
}

fn main() {}
