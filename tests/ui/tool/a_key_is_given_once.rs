#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool(title = "Add", read_only, title = "Add it")]
    pub fn add() {}
}

fn main() {}
