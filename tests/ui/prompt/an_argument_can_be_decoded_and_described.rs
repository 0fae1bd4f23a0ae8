#![allow(unused)]

use mcp_runtime::prelude::*;

pub struct Book;

#[mcp_server]
mod library {
    use super::*;

    #[prompt]
    pub fn ask(book: Book) -> String {
        String::new()
    }
}

fn main() {}
