#![allow(unused)]

use mcp_runtime::prelude::*;

struct Notes;

#[mcp_server(nam = "notes", Website_URL = "https://example.com", instructions = "Add notes.")]
impl Notes {
    /// Adds.
    #[tool]
    fn add(&self) {}
}

fn main() {}
