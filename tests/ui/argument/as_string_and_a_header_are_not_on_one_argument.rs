#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Books.
    #[tool]
    pub fn book(#[arg(as_string, header = "Account")] account: u64) {}
}

fn main() {}
