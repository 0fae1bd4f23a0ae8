#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(Default, Serialize, Deserialize, SessionState)]
struct Shelf;

struct Library;

#[mcp_server]
impl Library {
    #[prompt]
    fn ask(&self, shelf: &Shelf, session: String) -> String {
        session
    }

    #[resource("books://{session}")]
    fn book(&self, shelf: &Shelf, session: String) -> String {
        session
    }

    #[prompt]
    fn free(session: String) -> String {
        session
    }
}

fn main() {}
