#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(Deserialize, JsonSchema)]
enum Order {
    Oldest,
    Newest,
}

#[mcp_server]
mod server {
    use super::*;

    /// Lists.
    #[tool]
    pub fn list(#[arg(default = Order::Newest)] order: Order) {}
}

fn main() {}
