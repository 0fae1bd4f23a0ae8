#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Measures.
    #[tool]
    pub fn measure(größe: u32, #[arg(name = "sub-total")] total: u32) {}
}

fn main() {}
