#![allow(unused)]

use mcp_runtime::prelude::*;

use std::sync::Arc;

struct Notes;

#[mcp_server]
impl Notes {
    /// Adds.
    #[tool]
    fn add(self) {}

    /// Removes.
    #[tool]
    fn remove(&mut self) {}

    /// Lists.
    #[tool]
    fn list(self: Arc<Self>) {}
}

fn main() {}
