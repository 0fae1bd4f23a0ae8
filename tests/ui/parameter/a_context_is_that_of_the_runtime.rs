#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(Default, Serialize, Deserialize)]
pub struct Context {
    notes: Vec<String>,
}

#[mcp_server]
mod server {
    use super::Context;
    use mcp_runtime::tool;

    /// Lists.
    #[tool]
    pub fn list(cx: &Context) {}
}

fn main() {}
