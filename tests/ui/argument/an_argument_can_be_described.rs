#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(Deserialize)]
struct Note {
    text: String,
}

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool]
    pub async fn add(notes: Vec<Note>) {}
}

fn main() {}
