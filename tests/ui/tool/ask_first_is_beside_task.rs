#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Greets.
    #[tool(ask_first)]
    pub async fn greet() {}
}

fn main() {}
