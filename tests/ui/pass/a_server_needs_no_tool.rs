#![allow(unused)]

use mcp_runtime::prelude::*;

type Text = String;
type Maybe<T> = Option<T>;
type Fallible<T> = Result<T, ToolError>;

#[mcp_server]
mod library {
    use super::*;

    /// Asks for a review.
    #[prompt]
    pub fn review(title: String, #[arg(default = "plain")] tone: String) -> Text {
        format!("Review {title}, {tone}")
    }

    /// A book.
    #[resource("books://{title}{?page}")]
    pub async fn book(title: String, page: Maybe<u32>) -> Fallible<Maybe<Vec<u8>>> {
        Ok(None)
    }

    #[complete(prompt = "review", argument = "tone")]
    pub fn tone(value: Text, title: Maybe<String>) -> Fallible<[&'static str; 2]> {
        Ok(["plain", "formal"])
    }
}

fn main() {}
