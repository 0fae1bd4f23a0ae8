#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server(list_ttl = 60, list_public = "yes")]
mod library {
    use super::*;

    /// A.
    #[tool(task = "sometimes", single_use = "yes", deadline = 5, meta = "text")]
    pub fn a() {}

    /// B.
    #[tool(task = true, deadline)]
    pub fn b() {}
}

fn main() {}
