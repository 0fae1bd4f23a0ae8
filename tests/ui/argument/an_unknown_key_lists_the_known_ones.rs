#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool]
    pub fn add(#[arg(rename = "first", Header = "A")] a: i64, #[arg(minimum = 5)] b: i64) {}
}

fn main() {}
