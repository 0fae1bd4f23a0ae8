#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(Default, Serialize, Deserialize, SessionState)]
struct Notebook {
    notes: Vec<String>,
}

type Pad = Notebook;

#[mcp_server]
mod server {
    use super::*;

    /// Moves.
    #[tool]
    pub fn shift(from: &mut Notebook, to: &mut Pad) {}
}

fn main() {}
