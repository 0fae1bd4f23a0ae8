#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(Default, Serialize, Deserialize, SessionState)]
struct Notebook {
    notes: Vec<String>,
}

#[mcp_server]
mod server {
    use super::*;

    /// Moves.
    #[tool]
    pub fn shift(from: &mut Notebook, to: &mut Notebook) {}

    /// Compares.
    #[tool]
    pub fn compare(one: &Notebook, other: &mut Notebook) {}
}

fn main() {}
