#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Routes.
    #[tool]
    pub fn route(#[arg(header = "Regions")] regions: Vec<String>, #[arg(header = "Weight")] weight: f64) {}
}

fn main() {}
