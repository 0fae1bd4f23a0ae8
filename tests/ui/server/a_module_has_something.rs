#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    pub fn add() {}
}

fn start() -> mcp_runtime::Result {
    server::serve()
}

fn main() {}
