#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(Serialize, Deserialize, JsonSchema)]
enum Order {
    Oldest,
    Newest,
}

#[mcp_server]
mod server {
    use super::*;

    /// Lists.
    #[tool]
    pub fn list(#[arg(default)] order: Order) {}
}

fn main() {}
