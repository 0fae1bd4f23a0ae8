#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    #[tool]
    pub fn add() {}

    ///
    #[tool]
    pub fn remove() {}
}

fn main() {}
