use mcp_runtime::prelude::*;

#[derive(Default, Serialize, Deserialize, SessionState)]
pub struct Notebook {
    notes: Vec<String>,
}

pub type Pad = Notebook;
pub type Maybe<T> = Option<T>;
pub type Fallible<T> = Result<T, ToolError>;
pub type Text = String;

// A name that the macro must not trust.
#[derive(Serialize, JsonSchema)]
pub struct ToolResult {
    count: usize,
}

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool]
    pub fn add(pad: &mut Pad, text: Maybe<Text>) -> Fallible<Text> {
        pad.notes.extend(text);
        Ok(Text::new())
    }

    /// Counts.
    #[tool(read_only)]
    pub fn count(notebook: &Notebook) -> ToolResult {
        ToolResult { count: notebook.notes.len() }
    }
}

fn main() {
    let _ = server::server;
    let _ = server::ServerSession::default().notebook;
}
