#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    #[resource("books://{titel}{?page}")]
    pub fn misspelt(title: String) -> String {
        title
    }

    #[resource("books://all")]
    pub fn none(page: u32) -> String {
        page.to_string()
    }
}

fn main() {}
