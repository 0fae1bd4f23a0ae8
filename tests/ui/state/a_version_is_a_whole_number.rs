#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(Default, Serialize, Deserialize, SessionState)]
#[state(version = "2")]
struct Notebook(u32);

#[derive(Default, Serialize, Deserialize, SessionState)]
#[state(version = 5_000_000_000)]
struct Pad(u32);

fn main() {}
