#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool]
    pub fn add_a_note_to_the_end_of_the_notebook_of_this_session() {}
}

fn main() {}
