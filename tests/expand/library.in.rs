/// Lends books.
#[mcp_server(name = "library", list_ttl = Duration::from_secs(60), list_public)]
impl Library {
    /// Lends a book.
    #[tool(task = "required", single_use, deadline = Self::PATIENCE, meta = r#"{"example.com/desk":1}"#)]
    async fn lend(&self, loans: &mut Loans, title: String) -> Result<String, ToolError> {}

    /// Asks for a review of a book.
    #[prompt(title = "Review", deadline = Duration::from_secs(5))]
    fn review(&self, title: String, tone: Option<Tone>) -> Vec<PromptMessage> {}

    /// A book.
    #[resource("books://{title}{?page}", mime_type = "text/plain", audience = "user", priority = 1, ttl = WEEK, public)]
    async fn book(&self, loans: &Loans, title: String, #[arg(default = 1)] page: u32) -> Option<String> {}

    #[resource("books://all", size = 12)]
    fn all() -> Vec<Title> {}

    #[complete(prompt = "review", argument = "title")]
    fn titles(&self, value: String, tone: Option<Tone>) -> Vec<String> {}
}
