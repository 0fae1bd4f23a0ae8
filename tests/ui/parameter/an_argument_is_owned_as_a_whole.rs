#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Greets.
    #[tool]
    pub fn greet(name: Option<&str>, pair: (&str, i64), all: Vec<&[u8]>) {}
}

fn main() {}
