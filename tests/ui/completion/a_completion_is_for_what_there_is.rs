#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    #[prompt]
    pub fn review(title: String, tone: String) -> String {
        title + &tone
    }

    #[prompt]
    pub fn summary(title: String) -> String {
        title
    }

    #[resource("books://{title}")]
    pub fn book(title: String) -> String {
        title
    }

    #[resource("books://all")]
    pub fn all() -> String {
        String::new()
    }

    #[complete(prompt = "revue", argument = "title")]
    pub fn prompt(value: String) -> Vec<String> {
        vec![value]
    }

    #[complete(resource = "books://{id}", argument = "id")]
    pub fn resource(value: String) -> Vec<String> {
        vec![value]
    }

    #[complete(prompt = "review", argument = "titel")]
    pub fn argument(value: String) -> Vec<String> {
        vec![value]
    }

    #[complete(resource = "books://all", argument = "page")]
    pub fn no_argument(value: String) -> Vec<String> {
        vec![value]
    }

    #[complete(prompt = "review", argument = "title")]
    pub fn other(value: String, language: Option<String>) -> Vec<String> {
        vec![value]
    }
}

fn main() {}
