#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool]
    pub fn add(note: &dyn std::fmt::Debug, pair: &(u8, u8), twice: &&Context) {}
}

fn main() {}
