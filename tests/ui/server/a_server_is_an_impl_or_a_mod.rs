#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
struct Notes;

fn main() {}
