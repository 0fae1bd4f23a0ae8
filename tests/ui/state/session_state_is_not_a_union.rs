#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(SessionState)]
union Notebook {
    number: u32,
    float: f32,
}

fn main() {}
