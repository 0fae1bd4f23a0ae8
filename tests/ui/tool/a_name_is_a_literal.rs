#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    const NAME: &str = "add";

    /// Adds.
    #[tool(name = NAME)]
    pub fn add() {}

    /// Removes.
    #[tool(name = 5)]
    pub fn remove() {}
}

fn main() {}
