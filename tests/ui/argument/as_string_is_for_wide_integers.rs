#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Books.
    #[tool]
    pub fn book(#[arg(as_string)] account: Option<i128>, #[arg(as_string)] amount: f64, #[arg(as_string)] count: u32) {}
}

fn main() {}
