#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    #[prompt(description = "Asks.")]
    pub fn described() -> String {
        String::new()
    }

    #[prompt(read_only)]
    pub fn read_only() -> String {
        String::new()
    }

    #[prompt(title = "A", title = "B")]
    pub fn twice() -> String {
        String::new()
    }

    #[prompt = "ask"]
    pub fn named() -> String {
        String::new()
    }
}

fn main() {}
