#![allow(unused)]

use mcp_runtime::prelude::*;

trait Keep {
    fn add(&self);
}

struct Notes;

#[mcp_server]
impl Keep for Notes {
    /// Adds.
    #[tool]
    fn add(&self) {}
}

fn main() {}
