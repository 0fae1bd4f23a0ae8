#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Routes.
    #[tool]
    pub fn route(#[arg(header = "My Region:")] region: String, #[arg(header = "")] zone: String) {}
}

fn main() {}
