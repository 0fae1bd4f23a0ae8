#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(Default, Serialize, Deserialize, SessionState)]
struct Notebook<T> {
    notes: Vec<T>,
}

fn main() {}
