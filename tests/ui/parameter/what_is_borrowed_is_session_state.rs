#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(Serialize, Deserialize, JsonSchema)]
struct Note {
    text: String,
}

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool]
    pub fn add(note: &Note) {}

    /// Greets.
    #[tool]
    pub fn greet(name: &String) {}
}

fn main() {}
