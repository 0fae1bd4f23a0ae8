#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool(blocking)]
    pub async fn add() {}
}

fn main() {}
