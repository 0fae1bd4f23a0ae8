/// What one session has written down.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Notebook {
    notes: Vec<String>,
}

/// Keeps notes, one notebook per session.
#[mcp_server(name = "notes", version = VERSION, title = "Notes", website_url = "https://example.com")]
impl Notes {
    /// Add a note to the end of the notebook.
    #[tool(title = "Add a note", idempotent = false)]
    async fn add_note(
        &self,
        notebook: &mut Notebook,
        cx: &Context,
        /// The note, as plain text.
        text: String,
        /// How often.
        #[arg(default = Self::ONCE, name = "times", header = "Times")]
        count: u32,
    ) -> Result<Appended, ToolError> {
        self.append(notebook, text, count)
    }

    /// Every note so far, oldest first.
    ///
    /// Answers at once.
    #[tool(read_only, icon = "https://example.com/list.png")]
    fn list_notes(notebook: &Notebook) -> Vec<String> {
        notebook.notes.clone()
    }

    /// The name of the server, after a while.
    #[tool(blocking, input_schema = include_str!("motto.json"))]
    fn motto(&self, #[arg(default = "en")] language: String, #[arg(default)] loud: bool) -> &str {
        self.motto(&language)
    }

    const ONCE: u32 = 1;

    fn append(&self, notebook: &mut Notebook, text: String, count: u32) -> Result<Appended, ToolError> {
        todo!()
    }
}
