#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(Default, Serialize, Deserialize, SessionState)]
#[state(key = "my notebook")]
struct Notebook {
    notes: Vec<String>,
}

#[derive(Default, Serialize, Deserialize, SessionState)]
struct Größe(u32);

#[derive(Default, Serialize, Deserialize, SessionState)]
#[state(key = "")]
struct Nothing;

fn main() {}
