#![allow(unused)]

use mcp_runtime::prelude::*;

/// Keeps notes.
struct Notes;

#[mcp_server]
impl Notes {
    fn add(&self) {}
}

fn main() {}
