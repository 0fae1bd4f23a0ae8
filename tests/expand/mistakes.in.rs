#[mcp_server(nam = "notes")]
impl Notes {
    #[tool(readonly)]
    fn add(&mut self, notebook: &mut Notebook, text: &str) {
        notebook.notes.push(text.to_owned());
    }

    fn helper(&self) {}
}
