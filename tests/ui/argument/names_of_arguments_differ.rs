#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool]
    pub fn add(a: i64, #[arg(name = "a")] b: i64) {}
}

fn main() {}
