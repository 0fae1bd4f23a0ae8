#![allow(unused)]

use mcp_runtime::prelude::*;

struct Notes;

#[mcp_server]
impl Notes {
    /// Adds.
    #[tool]
    fn add(&self) {}

    /// Adds more.
    #[tool(name = "add")]
    fn add_more(&self) {}
}

fn main() {}
