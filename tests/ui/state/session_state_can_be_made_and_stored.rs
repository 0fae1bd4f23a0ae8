use mcp_runtime::prelude::*;

#[derive(SessionState)]
struct Notebook {
    notes: Vec<String>,
}

fn main() {}
