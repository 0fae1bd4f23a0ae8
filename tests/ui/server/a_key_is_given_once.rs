#![allow(unused)]

use mcp_runtime::prelude::*;

struct Notes;

#[mcp_server(name = "notes", name = "more_notes")]
impl Notes {
    /// Adds.
    #[tool]
    fn add(&self) {}
}

fn main() {}
