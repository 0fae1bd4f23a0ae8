#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    const SCHEMA: u32 = 5;

    /// Adds.
    #[tool(input_schema = SCHEMA)]
    pub fn add() {}
}

fn main() {}
