#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool]
    pub fn add(#[arg(default = 2.5)] a: i64, #[arg(default = "two")] b: i64, #[arg(default = 5)] c: String) {}
}

fn main() {}
