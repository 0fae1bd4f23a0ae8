#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool]
    pub fn add(#[arg(default = 1, default = 2)] a: i64, #[arg(default)] #[arg(header = "B")] b: i64) {}
}

fn main() {}
