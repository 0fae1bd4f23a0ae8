#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    /// Nothing.
    #[prompt]
    pub fn nothing() {}

    /// Never.
    #[prompt]
    pub fn never() -> ! {
        panic!()
    }

    /// A type without a name.
    #[prompt]
    pub fn nameless() -> impl Into<String> {
        ""
    }
}

fn main() {}
