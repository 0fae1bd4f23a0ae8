#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server(name = "notebooks-of-the-whole-company")]
mod server {
    /// Adds.
    #[tool]
    pub fn add_a_note_to_the_very_end_of_it() {}
}

fn main() {}
