#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    #[resource("books://{title}")]
    pub fn book(title: String) -> String {
        title
    }

    #[resource("books://{title}")]
    pub fn same(title: String) -> String {
        title
    }

    #[resource("books://all", name = "book")]
    pub fn all() -> String {
        String::new()
    }
}

fn main() {}
