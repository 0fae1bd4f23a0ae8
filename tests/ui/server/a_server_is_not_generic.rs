#![allow(unused)]

use mcp_runtime::prelude::*;

struct Notes<T>(T);

#[mcp_server]
impl<T: Send + Sync + 'static> Notes<T> {
    /// Adds.
    #[tool]
    fn add(&self) {}
}

fn main() {}
