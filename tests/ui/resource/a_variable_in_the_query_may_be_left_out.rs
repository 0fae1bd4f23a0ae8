#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    #[resource("books://{title}{?page,size,sort}")]
    pub fn book(title: String, page: u32, #[arg(default = 10)] size: u32, sort: Option<String>) -> String {
        title
    }
}

fn main() {}
