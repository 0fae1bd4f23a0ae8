#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    #[resource("nothing://all")]
    pub fn nothing() {}
}

fn main() {}
