#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(Serialize, Deserialize, SessionState)]
struct Notebook {
    notes: Vec<String>,
}

fn main() {}
