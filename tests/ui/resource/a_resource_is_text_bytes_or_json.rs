#![allow(unused)]

use mcp_runtime::prelude::*;

pub struct Book;

#[mcp_server]
mod library {
    use super::*;

    #[resource("books://{title}")]
    pub fn book(title: String) -> Book {
        Book
    }

    #[resource("shelves://{number}")]
    pub fn shelf(number: u8) -> Result<Option<Vec<Book>>, ToolError> {
        Ok(None)
    }

    #[resource("closed://all")]
    pub fn closed() -> Result<String, std::io::Error> {
        Ok(String::new())
    }
}

fn main() {}
