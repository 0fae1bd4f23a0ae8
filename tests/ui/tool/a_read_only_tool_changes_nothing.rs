#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(Default, Serialize, Deserialize, SessionState)]
struct Notebook {
    notes: Vec<String>,
}

#[mcp_server]
mod server {
    use super::*;

    /// Lists.
    #[tool(read_only)]
    pub fn list(notebook: &mut Notebook) -> Vec<String> {
        notebook.notes.clone()
    }
}

fn main() {}
