//! What the macros write, run: declared servers called as `dispatch` calls them.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{PartSlot, Run, Service, SessionView, copy_through_json, future_must_be_send};
use crate::{
    call::{Facts, Outbox},
    prelude::*,
    schema::Arguments,
    session::Held,
};

#[derive(Default, Serialize, Deserialize, SessionState)]
#[state(crate = "crate")]
struct Notebook {
    notes: Vec<String>,
}

/// Can't be cloned, and says so by its number.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Unique(u32);

#[derive(Debug, Default, PartialEq, Serialize, Deserialize, SessionState)]
#[state(crate = "crate", key = "cart:v1", version = 2)]
enum Cart {
    #[default]
    Empty,
    Items(Vec<String>, Unique),
    Paid {
        by: String,
    },
}

#[derive(Serialize, JsonSchema)]
struct Counted {
    count: usize,
}

struct OutOfPaper;

impl From<OutOfPaper> for ToolError {
    fn from(_: OutOfPaper) -> Self {
        Self::new("out of paper, buy some")
    }
}

type Fallible<T> = Result<T, OutOfPaper>;
type Maybe<T> = Option<T>;

struct Notes {
    motto: String,
}

/// Keeps notes.
///
/// One notebook per session.
#[mcp_server(crate = "crate", name = "notes", version = "1.2.3")]
impl Notes {
    /// Text.
    #[tool]
    fn text(&self) -> String {
        "text".to_owned()
    }

    /// Borrowed text.
    #[tool]
    fn motto(&self) -> Result<&str, ToolError> {
        Ok(&self.motto)
    }

    /// Nothing.
    #[tool]
    fn nothing() {}

    /// A block.
    #[tool]
    fn block() -> Content {
        Content::text("block")
    }

    /// Blocks.
    #[tool]
    async fn blocks() -> Vec<Content> {
        vec![Content::text("one"), Content::text("two")]
    }

    /// A whole result.
    #[tool]
    fn whole() -> Fallible<ToolResult> {
        Ok(ToolResult::error("whole"))
    }

    /// A typed value with a text.
    #[tool]
    fn reply() -> Reply<Counted> {
        Reply::new(Counted { count: 1 }, "one")
    }

    /// A typed value.
    #[tool]
    async fn typed() -> Result<Counted, ToolError> {
        Ok(Counted { count: 2 })
    }

    /// A refusal.
    #[tool]
    fn refusal() -> Fallible<Counted> {
        Err(OutOfPaper)
    }

    /// A value that is no JSON.
    #[tool]
    fn unwritable() -> HashMap<(u8, u8), u8> {
        HashMap::from([((1, 2), 3)])
    }

    /// A number that JSON does not have.
    #[tool]
    fn infinite() -> f64 {
        f64::MAX * 2.0
    }

    /// The same, with a text.
    #[tool]
    fn infinite_reply() -> Reply<Option<f64>> {
        Reply::new(Some(f64::NAN), "much")
    }

    /// Appends a note.
    #[tool(name = "add-note", destructive = false, title = "Add a note")]
    fn add_note(
        &self,
        notebook: &mut Notebook,
        /// The note.
        text: String,
        cx: &Context,
        cart: &Cart,
        /// How often.
        #[arg(default = 2, name = "times")]
        count: u32,
        loud: Maybe<bool>,
        #[arg(default, header = "Region")] region: String,
    ) -> usize {
        assert_eq!(cx.session_id(), None);
        assert_eq!(*cart, Cart::Empty);
        let mark = if loud.unwrap_or_default() { "!" } else { "" };
        for _ in 0..count {
            notebook.notes.push(format!("{text}{mark}{region}"));
        }
        notebook.notes.len()
    }

    /// Waits for the others.
    #[tool(blocking)]
    fn wait(&self, notebook: &Notebook) -> usize {
        std::thread::sleep(Duration::from_millis(50));
        notebook.notes.len() + self.motto.len()
    }

    /// Fails.
    #[tool(blocking)]
    fn panic() {
        panic!("as told");
    }
}

fn server() -> Notes {
    Notes { motto: "write".to_owned() }
}

async fn call_with(name: &str, arguments: &str, parts: &mut [PartSlot]) -> Result<ToolResult, ToolError> {
    let server = server();
    let tool = server.find_tool(name).expect("the tool is declared");
    let cx = Context::new(Facts::default(), Arc::new(Outbox::default()), Arc::default());
    let arguments = Arguments { text: arguments, reserved: None, checks: None };
    server.call_tool(tool, Run { arguments, parts, cx: &cx }).await
}

async fn call(name: &str) -> Result<ToolResult, ToolError> {
    call_with(name, "{}", &mut []).await
}

fn slots(name: &str) -> Vec<PartSlot> {
    let tool = server().find_tool(name).expect("the tool is declared");
    let parts = server().card().tools[tool].function.parts;
    let slot = |card: &super::PartCard| {
        let fresh = (card.part.fresh)();
        PartSlot(match card.writes {
            false => Held::Snapshot(fresh),
            true => Held::Draft { value: (card.part.draft)(&*fresh), part: card.part, revision: 0 },
        })
    };
    parts.iter().map(slot).collect()
}

fn structured(result: &ToolResult) -> Option<&str> {
    result.structured.as_deref().map(|raw| raw.get())
}

#[tokio::test]
async fn text_becomes_a_block_of_text() {
    for (tool, text) in [("text", "text"), ("motto", "write"), ("block", "block")] {
        let result = call(tool).await.expect("a result");
        assert_eq!(result.content, [Content::text(text)]);
        assert!(structured(&result).is_none());
    }
}

#[tokio::test]
async fn nothing_becomes_nothing() {
    let result = call("nothing").await.expect("a result");
    assert!(result.content.is_empty() && result.structured.is_none() && !result.is_error);
}

#[tokio::test]
async fn blocks_and_whole_results_stay_as_they_are() {
    assert_eq!(call("blocks").await.expect("a result").content, [Content::text("one"), Content::text("two")]);
    let whole = call("whole").await.expect("a result");
    assert!(whole.is_error);
    assert_eq!(whole.content, [Content::text("whole")]);
}

#[tokio::test]
async fn other_values_become_structured_and_the_runtime_adds_the_text() {
    let typed = call("typed").await.expect("a result");
    assert_eq!(structured(&typed), Some(r#"{"count":2}"#));
    assert!(typed.content.is_empty());
    let reply = call("reply").await.expect("a result");
    assert_eq!(structured(&reply), Some(r#"{"count":1}"#));
    assert_eq!(reply.content, [Content::text("one")]);
}

#[tokio::test]
async fn an_error_of_the_users_own_becomes_a_refusal() {
    assert_eq!(call("refusal").await.expect_err("a refusal").message(), "out of paper, buy some");
}

#[tokio::test]
async fn what_can_not_be_json_is_a_fault() {
    for tool in ["unwritable", "infinite", "infinite_reply"] {
        let error = call(tool).await.expect_err("no result");
        assert_eq!(error.message(), "internal error", "{tool}");
        assert!(error.or_fault().is_err(), "{tool}");
    }
    assert!(call("refusal").await.expect_err("a refusal").or_fault().is_ok());
}

#[test]
fn the_card_says_what_was_declared() {
    let card = server().card();
    assert_eq!((card.name, card.version, card.lenient), ("notes", "1.2.3", true));
    assert_eq!(card.instructions, Some("Keeps notes.\n\nOne notebook per session."));
    let tool = &card.tools[server().find_tool("add-note").expect("the tool is declared")];
    let function = &tool.function;
    assert_eq!(
        (function.name, function.title, function.description),
        ("add-note", Some("Add a note"), "Appends a note.")
    );
    assert_eq!(tool.annotations.destructive, Some(false));
    assert_eq!(tool.annotations.read_only, None);
    let arguments: Vec<_> = function.arguments.iter().map(|argument| (argument.name, argument.required)).collect();
    assert_eq!(arguments, [("text", true), ("times", false), ("loud", false), ("region", false)]);
    assert_eq!(function.arguments[0].description, "The note.");
    assert_eq!(function.arguments[1].default.expect("a default")(), 2);
    assert_eq!(function.arguments[3].header, Some("Region"));
    let parts: Vec<_> = function.parts.iter().map(|part| (part.part.key, part.part.version, part.writes)).collect();
    assert_eq!(parts, [("Notebook", 0, true), ("cart:v1", 2, false)]);
    assert_eq!(server().find_tool("add_note"), None);
}

#[test]
fn only_typed_results_have_a_schema() {
    for tool in server().card().tools {
        let typed = ["reply", "typed", "refusal", "unwritable", "infinite", "infinite_reply", "add-note", "wait"]
            .contains(&tool.function.name);
        assert_eq!((tool.output)().schema.is_some(), typed, "{}", tool.function.name);
    }
}

#[tokio::test]
async fn arguments_parts_and_the_request_reach_their_parameters() {
    let mut slots = slots("add-note");
    let result = call_with("add-note", r#"{"text":"milk","loud":true}"#, &mut slots).await.expect("a result");
    assert_eq!(structured(&result), Some("2"));
    let result = call_with("add-note", r#"{"times":1,"text":"tea","region":"@eu"}"#, &mut slots).await;
    assert_eq!(structured(&result.expect("a result")), Some("3"));
    let Held::Draft { value, .. } = &slots[0].0 else { panic!("a draft") };
    let notebook: &Notebook = value.downcast_ref().expect("a notebook");
    assert_eq!(notebook.notes, ["milk!", "milk!", "tea@eu"]);
}

#[tokio::test]
async fn wrong_arguments_do_not_reach_the_function() {
    let mut slots = slots("add-note");
    call_with("add-note", r#"{"txt":"milk"}"#, &mut slots).await.expect_err("a refusal");
    let Held::Draft { value, .. } = &slots[0].0 else { panic!("a draft") };
    assert!(value.downcast_ref::<Notebook>().expect("a notebook").notes.is_empty());
}

#[tokio::test]
async fn a_tool_out_of_range_and_parts_of_another_number_are_masked() {
    let cx = Context::new(Facts::default(), Arc::new(Outbox::default()), Arc::default());
    let run = |parts| Run {
        arguments: Arguments { text: r#"{"text":"milk"}"#, reserved: None, checks: None },
        parts,
        cx: &cx,
    };
    let server = server();
    let refusal = server.call_tool(1000, run(&mut [])).await.expect_err("a refusal");
    assert!(refusal.message().starts_with("internal error"));
    let tool = server.find_tool("add-note").expect("the tool is declared");
    let refusal = server.call_tool(tool, run(&mut [])).await.expect_err("a refusal");
    assert!(refusal.message().starts_with("internal error"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_blocking_tool_stops_no_other_task() {
    let done = Arc::new(AtomicBool::new(false));
    let others = Arc::clone(&done);
    let blocked = tokio::spawn(async move {
        let other = tokio::spawn(async move { others.store(true, Ordering::SeqCst) });
        let result = call_with("wait", "{}", &mut slots("wait")).await;
        (result, done.load(Ordering::SeqCst), other.await)
    });
    let (result, meanwhile, other) = blocked.await.expect("it does not panic");
    other.expect("it does not panic");
    assert!(meanwhile, "the other task ran while the tool blocked");
    assert_eq!(structured(&result.expect("a result")), Some("5"));
}

#[tokio::test]
async fn a_blocking_tool_runs_on_a_runtime_of_one_thread() {
    let result = call_with("wait", "{}", &mut slots("wait")).await;
    assert_eq!(structured(&result.expect("a result")), Some("5"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_of_a_blocking_tool_reaches_the_caller() {
    let panicked = tokio::spawn(async { call("panic").await.is_ok() }).await.expect_err("a panic");
    assert_eq!(panicked.into_panic().downcast_ref(), Some(&"as told"));
}

#[test]
fn a_draft_is_equal_and_apart() {
    let notebook = Notebook { notes: vec!["milk".to_owned()] };
    let mut draft = notebook.draft();
    draft.notes.push("tea".to_owned());
    assert_eq!((notebook.notes.len(), draft.notes.len()), (1, 2));
    for cart in [Cart::Empty, Cart::Items(vec!["milk".to_owned()], Unique(7)), Cart::Paid { by: "me".to_owned() }] {
        assert_eq!(cart.draft(), cart);
    }
}

#[test]
fn a_draft_goes_through_json_only_where_a_field_can_not_be_cloned() {
    #[derive(Default, Serialize, Deserialize, SessionState)]
    #[state(crate = "crate")]
    struct Cloned {
        #[serde(skip)]
        kept: u32,
    }
    #[derive(Default, Serialize, Deserialize, SessionState)]
    #[state(crate = "crate")]
    struct Written {
        #[serde(skip)]
        lost: u32,
        unique: Unique,
    }
    assert_eq!(Cloned { kept: 5 }.draft().kept, 5);
    let draft = Written { lost: 5, unique: Unique(7) }.draft();
    assert_eq!((draft.lost, draft.unique), (0, Unique(7)));
}

#[test]
#[should_panic(expected = "session state `Pairs` can't be copied through JSON: key must be a string")]
fn state_that_no_store_could_keep_is_not_replaced_by_something_else() {
    #[derive(Default, Serialize, Deserialize, SessionState)]
    #[state(crate = "crate")]
    struct Pairs(HashMap<(u8, u8), u8>);
    let _ = copy_through_json(&Pairs(HashMap::from([((1, 2), 3)])));
}

#[test]
#[should_panic(expected = "session state `Bound` can't be copied through JSON: JSON has no number for inf")]
fn a_number_that_no_store_could_keep_is_not_replaced_by_none() {
    #[derive(Default, Serialize, Deserialize, SessionState)]
    #[state(crate = "crate")]
    struct Bound(Option<f64>);
    let _ = copy_through_json(&Bound(Some(f64::INFINITY)));
}

#[test]
fn the_view_of_a_session_holds_every_part_once() {
    let keys: Vec<_> = NotesSession::PARTS.iter().map(|part| (part.part.key, part.writes)).collect();
    assert_eq!(keys, [("Notebook", false), ("cart:v1", false)]);
    let snapshots: Vec<_> =
        NotesSession::PARTS.iter().map(|card| PartSlot(Held::Snapshot((card.part.fresh)()))).collect();
    let view = NotesSession::from_slots(&snapshots).expect("as many slots as parts");
    assert_eq!((view.notebook.notes.len(), view.cart), (0, Cart::Empty));
    assert!(NotesSession::from_slots(&snapshots[1..]).is_none());
}

#[test]
fn a_boxed_future_can_move_between_threads() {
    fn movable<T: Send>(_: &T) {}
    movable(&future_must_be_send(async { 5 }));
}
