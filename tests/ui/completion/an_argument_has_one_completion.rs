#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    #[prompt]
    pub fn review(title: String) -> String {
        title
    }

    #[complete(prompt = "review", argument = "title")]
    pub fn one(value: String) -> Vec<String> {
        vec![value]
    }

    #[complete(prompt = "review", argument = "title")]
    pub fn two(value: String) -> Vec<String> {
        vec![value]
    }
}

fn main() {}
