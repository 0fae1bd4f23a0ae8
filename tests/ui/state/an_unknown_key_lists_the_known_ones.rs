#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(Default, Serialize, Deserialize, SessionState)]
#[state(name = "notebook", key = "a", key = "b")]
struct Notebook(u32);

#[derive(Default, Serialize, Deserialize, SessionState)]
#[state]
struct Pad(u32);

fn main() {}
