#![allow(unused)]

use mcp_runtime::prelude::*;

struct Note {
    text: String,
}

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool]
    pub fn add(note: Note) {}
}

fn main() {}
