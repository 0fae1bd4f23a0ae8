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
    pub fn title(value: String) -> Vec<u32> {
        Vec::new()
    }

    #[complete(prompt = "review", argument = "tone")]
    pub fn tone(value: String) -> String {
        value
    }
}

fn main() {}
