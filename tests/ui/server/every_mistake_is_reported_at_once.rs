#![allow(unused)]

use mcp_runtime::prelude::*;

#[derive(Default, Serialize, Deserialize, SessionState)]
struct Notebook {
    notes: Vec<String>,
}

struct Notes;

#[mcp_server(nam = "notes")]
impl Notes {
    #[tool(readonly)]
    fn add(&mut self, notebook: &mut Notebook, text: &str) {
        notebook.notes.push(text.to_owned());
    }

    /// Lists.
    #[tool]
    unsafe fn list(self, cx: &mut Context) -> impl Iterator<Item = String> {
        std::iter::empty()
    }
}

// The server is still one, so that no other error is reported here.
fn start() -> Server {
    Server::new(Notes)
}

fn main() {}
