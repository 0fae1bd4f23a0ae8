#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    #[resource(
        "books://{title}",
        size = 5,
        audience = "everyone",
        priority = 1.5,
        ttl = 60,
        deadline = "5 s",
        meta = "[]",
        public = 1,
        mime_type = 5
    )]
    pub fn book(title: String) -> String {
        title
    }

    #[resource("books://all", audience = ["user", 5], priority = "high", description = "All", speed = 5)]
    pub fn all() -> String {
        String::new()
    }
}

fn main() {}
