//! Prompts, resources and completion: declared as tools are, with the same rule for parameters.
//!
//! ```sh
//! cargo run --example library -- --transport streamable-http
//! ```

use std::time::Duration;

use mcp_runtime::prelude::*;

#[derive(Serialize)]
struct Book {
    id: &'static str,
    title: &'static str,
    pages: &'static [&'static str],
}

const BOOKS: &[Book] = &[
    Book { id: "emma", title: "Emma", pages: &["Emma Woodhouse, handsome, clever, and rich", "Sixteen years had"] },
    Book { id: "ulysses", title: "Ulysses", pages: &["Stately, plump Buck Mulligan"] },
];

fn book(id: &str) -> Option<&'static Book> {
    BOOKS.iter().find(|book| book.id == id)
}

/// What one session has borrowed.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Shelf {
    titles: Vec<String>,
}

/// How a review sounds.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Tone {
    Formal,
    Friendly,
    Fierce,
}

/// A small library: read books, borrow them, ask for reviews.
#[mcp_server(name = "library", list_ttl = Duration::from_secs(60), list_public)]
mod library {
    use super::*;

    /// Borrow a book.
    #[tool]
    pub fn borrow_book(
        shelf: &mut Shelf,
        /// The id, as in books://all.
        id: String,
    ) -> Result<String, ToolError> {
        let book = book(&id).ok_or_else(|| ToolError::new("No such book: read books://all"))?;
        shelf.titles.push(book.title.to_owned());
        Ok(format!("{} is on your shelf", book.title))
    }

    // ANCHOR: prompt
    /// Ask for a review of a book.
    #[prompt(title = "Review a book")]
    pub fn review(
        /// The id of the book.
        id: String,
        /// How it should sound.
        tone: Option<Tone>,
        /// At most so many words.
        #[arg(default = 200)]
        words: u32,
    ) -> Result<Vec<PromptMessage>, ToolError> {
        let title = book(&id).ok_or("There is no such book")?.title;
        let tone = tone.map(|tone| format!(", in a {tone:?} tone").to_lowercase()).unwrap_or_default();
        Ok(vec![
            PromptMessage::user(format!("Review {title}{tone}, in at most {words} words.")),
            PromptMessage::assistant(format!("I will read books://{id} first.")),
        ])
    }
    // ANCHOR_END: prompt

    // ANCHOR: resources
    /// Every book, with its id.
    #[resource("books://all", audience = "assistant", ttl = Duration::from_secs(3600), public)]
    pub fn catalogue() -> &'static [Book] {
        BOOKS
    }

    /// The text of a book, or one page of it.
    #[resource("books://{id}{?page}", title = "A book", mime_type = "text/plain")]
    pub async fn text(id: String, page: Option<usize>) -> Option<String> {
        let pages = book(&id)?.pages;
        match page {
            Some(page) => pages.get(page.checked_sub(1)?).map(|page| (*page).to_owned()),
            None => Some(pages.join("\n")),
        }
    }

    /// What you have borrowed.
    #[resource("shelf://mine")]
    pub fn shelf(shelf: &Shelf) -> Vec<String> {
        shelf.titles.clone()
    }
    // ANCHOR_END: resources

    // ANCHOR: completion
    #[complete(prompt = "review", argument = "id")]
    pub fn ids_to_review(value: String) -> Vec<&'static str> {
        BOOKS.iter().map(|book| book.id).filter(|id| id.starts_with(&value)).collect()
    }

    #[complete(resource = "books://{id}{?page}", argument = "page")]
    pub fn pages(value: String, id: Option<String>) -> Vec<String> {
        let pages = id.and_then(|id| book(&id)).map_or(0, |book| book.pages.len());
        (1..=pages).map(|page| page.to_string()).filter(|page| page.starts_with(&value)).collect()
    }
    // ANCHOR_END: completion
}

fn main() -> mcp_runtime::Result {
    library::serve()
}
