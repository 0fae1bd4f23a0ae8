#![allow(unused)]

use mcp_runtime::prelude::*;

struct Notes;

#[mcp_server(name, title = 5, lenient = "no", crate = "not a path", icon = "http://example.com/icon.png")]
impl Notes {
    /// Adds.
    #[tool]
    fn add(&self) {}
}

fn main() {}
