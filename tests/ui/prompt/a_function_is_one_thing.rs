#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    /// Both.
    #[tool]
    #[prompt]
    pub fn both() -> String {
        String::new()
    }

    #[prompt]
    #[prompt(title = "Twice")]
    pub fn twice() -> String {
        String::new()
    }
}

fn main() {}
