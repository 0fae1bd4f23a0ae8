#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    #[prompt]
    pub fn review(title: String, tone: String) -> String {
        title + &tone
    }

    #[complete(prompt = "review", argument = "title")]
    pub fn title(tone: Option<String>) -> Vec<String> {
        Vec::new()
    }
}

fn main() {}
