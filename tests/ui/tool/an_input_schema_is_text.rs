#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Removes.
    #[tool(input_schema = true)]
    pub fn remove() {}
}

fn main() {}
