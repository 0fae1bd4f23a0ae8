#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool(name = "notes.add")]
    pub fn add() {}

    /// Measures.
    #[tool]
    pub fn größe() {}

    /// Nothing.
    #[tool(name = "")]
    pub fn nothing() {}
}

fn main() {}
