#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool = "add"]
    pub fn add() {}
}

fn main() {}
