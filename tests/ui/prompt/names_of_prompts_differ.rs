#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    #[prompt]
    pub fn ask() -> String {
        String::new()
    }

    #[prompt(name = "ask")]
    pub fn ask_again() -> String {
        String::new()
    }

    #[prompt(name = "ask a person")]
    pub fn ask_a_person() -> String {
        String::new()
    }

    /// A tool may have the same name.
    #[tool(name = "ask")]
    pub fn tool() {}
}

fn main() {}
