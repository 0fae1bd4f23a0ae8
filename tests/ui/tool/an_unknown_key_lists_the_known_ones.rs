#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool(readonly, description = "Adds.", destructive_hint = false, speed = 5)]
    pub fn add() {}
}

fn main() {}
