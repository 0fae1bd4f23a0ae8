#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(Default, Serialize, Deserialize, SessionState)]
struct Notebook {
    notes: Vec<String>,
}

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool]
    pub fn add(notebook: &mut Notebook, session: String) {}

    /// Opens.
    #[tool]
    pub fn open_session() {}
}

fn main() {}
