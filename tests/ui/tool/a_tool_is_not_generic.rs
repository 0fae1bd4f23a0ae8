#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool]
    pub fn add<T: Into<i64>>(a: i64, b: i64) -> i64 {
        a + b
    }

    /// Cuts.
    #[tool]
    pub fn cut<'a>(text: String) -> String
    where
        String: 'a,
    {
        text
    }
}

fn main() {}
