#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Greets.
    #[tool]
    pub fn greet(name: &str) -> String {
        name.to_owned()
    }
}

fn main() {}
