#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    #[resource]
    pub fn none() -> String {
        String::new()
    }

    #[resource(name = "book")]
    pub fn key() -> String {
        String::new()
    }

    #[resource(uri = "books://all")]
    pub fn named() -> String {
        String::new()
    }

    #[resource(5)]
    pub fn number() -> String {
        String::new()
    }

    #[resource("books://all" title = "All")]
    pub fn comma() -> String {
        String::new()
    }
}

fn main() {}
