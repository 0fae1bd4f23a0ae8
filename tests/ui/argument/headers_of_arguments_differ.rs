#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Routes.
    #[tool]
    pub fn route(#[arg(header = "Region")] from: String, #[arg(header = "region")] to: String) {}
}

fn main() {}
