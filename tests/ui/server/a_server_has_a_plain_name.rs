#![allow(unused)]

use mcp_runtime::prelude::*;

struct Notes<T>(T);

#[mcp_server]
impl Notes<String> {
    /// Adds.
    #[tool]
    fn add(&self) {}
}

fn main() {}
