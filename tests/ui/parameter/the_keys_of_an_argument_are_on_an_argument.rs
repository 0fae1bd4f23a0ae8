#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(Default, Serialize, Deserialize, SessionState)]
struct Notebook {
    notes: Vec<String>,
}

#[mcp_server]
mod server {
    use super::*;

    /// Lists.
    #[tool]
    pub fn list(#[arg(default)] notebook: &Notebook, #[arg(name = "request")] cx: &Context) {}
}

fn main() {}
