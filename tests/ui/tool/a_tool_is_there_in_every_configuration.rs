#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[cfg(unix)]
    #[tool]
    pub fn add() {}
}

fn main() {}
