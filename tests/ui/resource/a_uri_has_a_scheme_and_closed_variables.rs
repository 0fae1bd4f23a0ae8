#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    #[resource("books")]
    pub fn scheme() -> String {
        String::new()
    }

    #[resource("books://{title")]
    pub fn open(title: String) -> String {
        title
    }

    #[resource("books://title}")]
    pub fn close(title: String) -> String {
        title
    }

    #[resource("books://{the-title}")]
    pub fn dash(title: String) -> String {
        title
    }

    #[resource("books://all of them")]
    pub fn spaces() -> String {
        String::new()
    }

    #[resource("books://{title}/{title}")]
    pub fn twice(title: String) -> String {
        title
    }
}

fn main() {}
