#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    #[prompt]
    pub fn review(title: String) -> String {
        title
    }

    #[complete]
    pub fn nothing(value: String) -> Vec<String> {
        vec![value]
    }

    #[complete(prompt = "review")]
    pub fn no_argument(value: String) -> Vec<String> {
        vec![value]
    }

    #[complete(prompt = "review", resource = "books://{title}", argument = "title")]
    pub fn both(value: String) -> Vec<String> {
        vec![value]
    }

    #[complete(prompt = "review", variable = "title", title = "Titles")]
    pub fn unknown(value: String) -> Vec<String> {
        vec![value]
    }
}

fn main() {}
