#![allow(unused)]

use mcp_runtime::prelude::*;

struct Notes {
    count: std::cell::Cell<u32>,
}

#[mcp_server]
impl Notes {
    /// Counts.
    #[tool]
    fn count(&self) -> u32 {
        self.count.get()
    }
}

fn main() {}
