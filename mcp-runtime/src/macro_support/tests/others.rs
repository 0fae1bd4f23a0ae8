//! What the macros write of prompts, resources and completions, run as `dispatch` calls it.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{CompletionReference, PartSlot, Run, Service, SessionView, TaskSupport};
use crate::{
    call::{Facts, Outbox},
    prelude::*,
    protocol::{CacheHint, Role},
    schema::Arguments,
    session::Held,
};

#[derive(Default, Serialize, Deserialize, SessionState)]
#[state(crate = "crate")]
struct Shelf {
    books: Vec<String>,
}

#[derive(Default, Serialize, Deserialize, SessionState)]
#[state(crate = "crate")]
struct Loans {
    count: u32,
}

#[derive(Serialize)]
struct Catalogue {
    books: Vec<&'static str>,
    rating: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Tone {
    Formal,
    Plain,
}

type Perhaps<T> = Option<T>;
type Fallible<T> = Result<T, ToolError>;

const MINUTE: Duration = Duration::from_secs(60);

struct Library {
    motto: String,
}

/// A library.
#[mcp_server(crate = "crate", list_ttl = MINUTE, list_public)]
impl Library {
    /// Lends a book.
    #[tool(task = "required", single_use, deadline = Self::PATIENCE, meta = r#"{"example.com/a":1}"#)]
    fn lend(&self, loans: &mut Loans) {
        loans.count += 1;
    }

    /// Looks something up.
    #[tool(task)]
    fn look_up() {}

    const PATIENCE: Duration = Duration::from_secs(5);

    /// Asks for a review.
    #[prompt(name = "review-book", title = "Review", deadline = MINUTE, icon = "https://example.com/i.png", meta = "{}")]
    fn review(
        &self,
        shelf: &mut Shelf,
        /// Which one.
        title: String,
        pages: u32,
        #[arg(name = "tone")] how: Tone,
        aloud: Perhaps<bool>,
        cx: &Context,
    ) -> Fallible<PromptResult> {
        assert_eq!(cx.session_id(), None);
        shelf.books.push(title.clone());
        let aloud = aloud.unwrap_or_default();
        let text = format!("{title}, {pages}, {how:?}, {aloud}, {}", self.motto);
        Ok(PromptResult::new([PromptMessage::assistant(text)]).with_description("of a book"))
    }

    #[prompt]
    fn text() -> String {
        "text".to_owned()
    }

    #[prompt]
    fn borrowed(&self) -> &str {
        &self.motto
    }

    #[prompt(blocking)]
    fn block() -> Content {
        Content::text("block")
    }

    #[prompt]
    async fn blocks() -> Vec<Content> {
        vec![Content::text("one"), Content::text("two")]
    }

    #[prompt]
    async fn message() -> PromptMessage {
        PromptMessage::assistant("said")
    }

    #[prompt]
    fn messages() -> Fallible<Vec<PromptMessage>> {
        Ok(vec![PromptMessage::user("asked"), PromptMessage::assistant("said")])
    }

    #[prompt]
    fn refused() -> Result<String, &'static str> {
        Err("no")
    }

    #[resource("books://all", mime_type = "text/markdown", size = 12, audience = ["user", "assistant"], priority = 1,
        last_modified = "2026-01-01", ttl = MINUTE, public, title = "All")]
    fn all(&self) -> &str {
        &self.motto
    }

    /// One book.
    #[resource("books://{title}{?page}", audience = "assistant", ttl = MINUTE)]
    async fn book(&self, loans: &Loans, title: String, page: Option<u32>) -> Fallible<Perhaps<String>> {
        if title == "burnt" {
            return Err(ToolError::new("it was burnt"));
        }
        Ok((title != "lost").then(|| format!("{title} {page:?} {}", loans.count)))
    }

    #[resource("cover://{title}")]
    fn cover(title: String) -> Vec<u8> {
        title.into_bytes()
    }

    #[resource("covers://{title}")]
    fn covers(title: String) -> Option<Vec<ResourceContents>> {
        let contents = |kind: &str| ResourceContents::text(format!("cover://{title}/{kind}"), "text/plain", kind);
        Some(vec![contents("front"), contents("back")])
    }

    #[resource("spine://1")]
    fn spine() -> ResourceContents {
        ResourceContents::text("spine://1", "text/plain", "1")
    }

    #[resource("catalogue://{rating}")]
    fn catalogue(rating: u8) -> Catalogue {
        Catalogue { books: vec!["one"], rating: if rating == 0 { f64::NAN } else { f64::from(rating) } }
    }

    #[resource("whole://1")]
    fn whole() -> Option<ResourceResult> {
        Some(ResourceResult::Text("whole".to_owned()))
    }

    #[resource("numbers://1")]
    fn numbers() -> Option<Vec<u16>> {
        Some(vec![1, 2])
    }

    #[complete(prompt = "review-book", argument = "title")]
    fn titles(&self, shelf: &Shelf, value: String, pages: Option<u32>) -> Vec<String> {
        let mut all = shelf.books.clone();
        all.push(format!("{value} {pages:?}"));
        all
    }

    #[complete(resource = "books://{title}{?page}", argument = "title")]
    async fn fixed(value: String, #[arg(default)] page: u32) -> [&'static str; 2] {
        if value.is_empty() && page == 0 { ["a", "b"] } else { ["c", "d"] }
    }

    #[complete(resource = "books://{title}{?page}", argument = "page")]
    fn pages(value: String) -> Result<Completion, ToolError> {
        if value == "x" { Err(ToolError::new("no page")) } else { Ok(Completion::new(["1"])) }
    }

    #[complete(prompt = "review-book", argument = "pages")]
    fn borrowed_values(&self, value: u32) -> Vec<&str> {
        if value == 7 { vec![&self.motto] } else { Vec::new() }
    }
}

/// A server without tools.
#[mcp_server(crate = "crate")]
mod words {
    /// Greets.
    #[prompt]
    pub(super) fn greet(name: String) -> String {
        format!("Greet {name}")
    }
}

fn library() -> Library {
    Library { motto: "read".to_owned() }
}

fn context() -> Context {
    Context::new(Facts::default(), Arc::new(Outbox::default()), Arc::default())
}

fn arguments(text: &str) -> Arguments<'_> {
    Arguments { text, reserved: None, checks: None }
}

fn slots(parts: &[super::PartCard]) -> Vec<PartSlot> {
    let slot = |card: &super::PartCard| {
        let fresh = (card.part.fresh)();
        PartSlot(match card.writes {
            false => Held::Snapshot(fresh),
            true => Held::Draft { value: (card.part.draft)(&*fresh), part: card.part, revision: 0 },
        })
    };
    parts.iter().map(slot).collect()
}

async fn get(name: &str, text: &str) -> Result<PromptResult, ToolError> {
    let index = library().find_prompt(name).expect("the prompt is declared");
    let mut parts = slots(library().card().prompts[index].function.parts);
    library().get_prompt(index, Run { arguments: arguments(text), parts: &mut parts, cx: &context() }).await
}

async fn read(name: &str, text: &str) -> Result<ResourceResult, ToolError> {
    let resources = library().card().resources;
    let index = resources.iter().position(|card| card.function.name == name).expect("the resource is declared");
    let mut parts = slots(resources[index].function.parts);
    library().read_resource(index, Run { arguments: arguments(text), parts: &mut parts, cx: &context() }).await
}

async fn complete(name: &str, text: &str) -> Result<Vec<String>, ToolError> {
    let completions = library().card().completions;
    let index = completions.iter().position(|card| card.function.name == name).expect("the completion is declared");
    let mut parts = slots(completions[index].function.parts);
    let run = Run { arguments: arguments(text), parts: &mut parts, cx: &context() };
    library().complete(index, run).await.map(|completion| completion.values)
}

#[tokio::test]
async fn what_a_prompt_returns_becomes_messages() {
    let user = |text: &str| PromptMessage::user(text);
    let assistant = |text: &str| PromptMessage::assistant(text);
    for (prompt, messages) in [
        ("text", vec![user("text")]),
        ("borrowed", vec![user("read")]),
        ("block", vec![user("block")]),
        ("blocks", vec![user("one"), user("two")]),
        ("message", vec![assistant("said")]),
        ("messages", vec![user("asked"), assistant("said")]),
    ] {
        let result = get(prompt, "{}").await.expect("a result");
        assert_eq!((result.messages, result.description), (messages, None), "{prompt}");
    }
    assert_eq!(get("refused", "{}").await.expect_err("a refusal").message(), "no");
}

#[tokio::test]
async fn text_that_fills_in_a_prompt_is_read_for_what_it_means() {
    let text = json!({ "title": "7", "pages": "12", "tone": "formal", "aloud": "true" }).to_string();
    let result = get("review-book", &text).await.expect("a result");
    assert_eq!(result.description.as_deref(), Some("of a book"));
    assert_eq!(result.messages, [PromptMessage::assistant("7, 12, Formal, true, read")]);
    let refusal = get("review-book", r#"{"title":"a","pages":"many","tone":"loud"}"#).await.expect_err("a refusal");
    for words in ["pages", "tone", "formal"] {
        assert!(refusal.message().contains(words), "{}", refusal.message());
    }
}

#[tokio::test]
async fn what_a_resource_returns_becomes_contents() {
    let text = |text: Result<ResourceResult, ToolError>| match text.expect("a result") {
        ResourceResult::Text(text) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(text(read("all", "{}").await), "read");
    assert_eq!(text(read("whole", "{}").await), "whole");
    assert_eq!(text(read("book", r#"{"title":"a","page":"2"}"#).await), "a Some(2) 0");
    assert_eq!(text(read("book", r#"{"title":"a"}"#).await), "a None 0");
    assert!(matches!(read("cover", r#"{"title":"a"}"#).await, Ok(ResourceResult::Blob(bytes)) if bytes == b"a"));
    let contents = |result| match result {
        Ok(ResourceResult::Contents(contents)) => contents,
        other => panic!("{other:?}"),
    };
    let covers = contents(read("covers", r#"{"title":"a"}"#).await);
    assert_eq!(covers.iter().map(|one| one.uri.as_str()).collect::<Vec<_>>(), ["cover://a/front", "cover://a/back"]);
    assert_eq!(contents(read("spine", "{}").await).len(), 1);
}

#[tokio::test]
async fn other_resources_become_json() {
    let json = |result: Result<ResourceResult, ToolError>| match result.expect("a result") {
        ResourceResult::Json(text) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(json(read("catalogue", r#"{"rating":"5"}"#).await), r#"{"books":["one"],"rating":5.0}"#);
    assert_eq!(json(read("numbers", "{}").await), "[1,2]");
    assert!(read("catalogue", r#"{"rating":"0"}"#).await.expect_err("no number").or_fault().is_err());
}

#[tokio::test]
async fn nothing_is_no_resource_and_a_refusal_is_none_either() {
    assert!(matches!(read("book", r#"{"title":"lost"}"#).await, Ok(ResourceResult::NotFound)));
    assert_eq!(read("book", r#"{"title":"burnt"}"#).await.expect_err("a refusal").message(), "it was burnt");
}

#[tokio::test]
async fn what_a_completion_returns_becomes_values() {
    assert_eq!(complete("titles", r#"{"value":"a","pages":"3"}"#).await.expect("values"), ["a Some(3)"]);
    assert_eq!(complete("titles", r#"{"value":"a"}"#).await.expect("values"), ["a None"]);
    assert_eq!(complete("fixed", r#"{"value":""}"#).await.expect("values"), ["a", "b"]);
    assert_eq!(complete("fixed", r#"{"value":"","page":"1"}"#).await.expect("values"), ["c", "d"]);
    assert_eq!(complete("pages", r#"{"value":"1"}"#).await.expect("values"), ["1"]);
    assert_eq!(complete("pages", r#"{"value":"x"}"#).await.expect_err("a refusal").message(), "no page");
    assert_eq!(complete("borrowed_values", r#"{"value":"7"}"#).await.expect("values"), ["read"]);
}

#[test]
fn the_cards_say_what_was_declared() {
    let card = library().card();
    assert_eq!(card.cache, CacheHint { ttl: MINUTE, public: true });
    let lend = &card.tools[0];
    assert_eq!((lend.task, lend.single_use), (TaskSupport::Required, true));
    assert_eq!((lend.function.deadline, lend.function.meta), (Some(Library::PATIENCE), Some(r#"{"example.com/a":1}"#)));
    let look_up = &card.tools[1];
    assert_eq!((look_up.task, look_up.single_use, look_up.function.deadline), (TaskSupport::Optional, false, None));

    let review = &card.prompts[library().find_prompt("review-book").expect("it is declared")].function;
    assert_eq!((review.title, review.description), (Some("Review"), "Asks for a review."));
    assert_eq!((review.deadline, review.meta, review.icons.len()), (Some(MINUTE), Some("{}"), 1));
    let arguments: Vec<_> = review.arguments.iter().map(|argument| (argument.name, argument.required)).collect();
    assert_eq!(arguments, [("title", true), ("pages", true), ("tone", true), ("aloud", false)]);
    assert_eq!(library().find_prompt("review"), None);

    let [all, book, cover, ..] = card.resources else { panic!("three resources") };
    assert_eq!((all.uri, all.mime_type, all.size), ("books://all", Some("text/markdown"), Some(12)));
    assert_eq!((all.annotations.audience, all.annotations.priority), (&[Role::User, Role::Assistant][..], Some(1.0)));
    assert_eq!(all.annotations.last_modified, Some("2026-01-01"));
    assert_eq!(all.cache, CacheHint { ttl: MINUTE, public: true });
    assert_eq!((book.uri, book.function.name), ("books://{title}{?page}", "book"));
    assert_eq!((book.annotations.audience, book.annotations.priority), (&[Role::Assistant][..], None));
    assert_eq!((book.cache, book.function.description), (CacheHint { ttl: MINUTE, public: false }, "One book."));
    assert_eq!((cover.cache, cover.mime_type, cover.size), (CacheHint::NONE, None, None));

    let completed: Vec<_> =
        card.completions.iter().map(|completion| (completion.reference, completion.argument)).collect();
    assert_eq!(
        completed,
        [
            (CompletionReference::Prompt("review-book"), "title"),
            (CompletionReference::Resource("books://{title}{?page}"), "title"),
            (CompletionReference::Resource("books://{title}{?page}"), "page"),
            (CompletionReference::Prompt("review-book"), "pages"),
        ]
    );
}

#[test]
fn the_view_of_a_session_holds_what_any_function_borrows() {
    let keys: Vec<_> = LibrarySession::PARTS.iter().map(|part| part.part.key).collect();
    assert_eq!(keys, ["Loans", "Shelf"]);
    let snapshots: Vec<_> =
        LibrarySession::PARTS.iter().map(|card| PartSlot(Held::Snapshot((card.part.fresh)()))).collect();
    let view = LibrarySession::from_slots(&snapshots).expect("as many slots as parts");
    assert_eq!((view.loans.count, view.shelf.books.len()), (0, 0));
}

#[tokio::test]
async fn functions_that_are_not_there_are_masked() {
    let (server, cx) = (library(), context());
    let run = || Run { arguments: arguments("{}"), parts: &mut [], cx: &cx };
    let refusals = [
        server.get_prompt(99, run()).await.expect_err("no prompt"),
        server.read_resource(99, run()).await.expect_err("no resource"),
        server.complete(99, run()).await.expect_err("no completion"),
    ];
    for refusal in refusals {
        assert!(refusal.is_internal());
    }
}

#[test]
fn a_server_needs_no_tool() {
    let _ = words::server;
    assert_eq!(words::greet("Ann".to_owned()), "Greet Ann");
}
