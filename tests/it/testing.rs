//! Servers are tested in memory, in every revision; the book shows these tests.

use std::{collections::BTreeSet, time::Duration};

use mcp_runtime::{
    auth::{DevelopmentTokens, Principal},
    prelude::*,
    protocol::{
        Content, Version,
        ask::{ElicitAction, ElicitRequest, ElicitResult, Root, SamplingContent, SamplingRequest, SamplingResult},
    },
    testing,
};
use serde_json::{Value, json};

// ANCHOR: server
/// What one session has written down.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Notebook {
    notes: Vec<String>,
}

/// How many notes there are now.
#[derive(Serialize, JsonSchema)]
struct Written {
    notes: usize,
}

/// Keeps notes, one notebook per session.
#[mcp_server(name = "notes", version = "1.0.0")]
mod notes {
    use super::*;

    /// Add a note to the end of the notebook.
    #[tool]
    pub fn add_note(notebook: &mut Notebook, text: String) -> Written {
        notebook.notes.push(text);
        Written { notes: notebook.notes.len() }
    }

    /// Every note so far, oldest first.
    #[tool(read_only)]
    pub fn list_notes(notebook: &Notebook) -> Vec<String> {
        notebook.notes.clone()
    }

    /// Print all notes at a place.
    #[tool]
    pub async fn print_notes(
        notebook: &Notebook,
        cx: &Context,
        /// The printer.
        #[arg(header = "Printer")]
        printer: String,
        /// The first page, from 1.
        #[arg(header = "Page")]
        page: u32,
    ) -> Result<String, ToolError> {
        if page == 0 {
            return Err(ToolError::new("`page` is 0: the first page is 1"));
        }
        for (position, _) in notebook.notes.iter().enumerate() {
            tokio::time::sleep(Duration::from_secs(60)).await;
            cx.progress((position + 1) as f64, notebook.notes.len() as f64, Some("printing"));
        }
        Ok(format!("printed at {printer}"))
    }
}
// ANCHOR_END: server

// ANCHOR: first
#[test]
fn a_note_is_kept_in_every_revision() -> mcp_runtime::Result {
    testing::run(async {
        for version in Version::ALL {
            let client = testing::Client::connect(notes::server(), version).await?;
            client.call_tool("add_note", json!({ "text": "buy milk" })).await?;
            let notes = client.call_tool("list_notes", json!({})).await?;
            assert_eq!(notes.value(), json!(["buy milk"]));
        }
        Ok(())
    })
}
// ANCHOR_END: first

// ANCHOR: answers
#[tokio::test(start_paused = true)]
async fn what_a_printer_says_is_told_on_the_way() -> mcp_runtime::Result {
    let client = testing::Client::newest(notes::server()).await?;
    client.call_tool("add_note", json!({ "text": "buy milk" })).await?;

    // A minute of sleep takes no time: the clock is paused.
    let printed = client.call_tool("print_notes", json!({ "printer": "kitchen", "page": 1 })).await?;
    assert_eq!(printed.text(), "printed at kitchen");
    let progress: Vec<_> = client.notifications().iter().filter_map(testing::Notification::progress).collect();
    assert_eq!((progress[0].progress, progress[0].total), (1.0, Some(1.0)));

    // What the tool refuses is an answer for the model, what the protocol refuses is an error.
    let refused = client.call_tool("print_notes", json!({ "printer": "kitchen", "page": 0 })).await?;
    assert!(refused.is_error());
    let unknown = client.call_tool("burn_notes", json!({})).await.unwrap_err();
    assert_eq!(unknown.code, Some(-32602));
    Ok(())
}
// ANCHOR_END: answers

// ANCHOR: clock
#[tokio::test(start_paused = true)]
async fn a_notebook_is_forgotten_after_half_an_hour_without_use() -> mcp_runtime::Result {
    for version in Version::ALL {
        let server = notes::server().sessions(Sessions::default().handle_ttl(Duration::from_secs(30 * 60)));
        let client = testing::Client::connect(server, version).await?;
        client.call_tool("add_note", json!({ "text": "buy milk" })).await?;

        testing::advance(Duration::from_secs(29 * 60)).await;
        assert_eq!(client.call_tool("list_notes", json!({})).await?.value(), json!(["buy milk"]));

        testing::advance(Duration::from_secs(31 * 60)).await;
        match client.call_tool("list_notes", json!({})).await {
            // The session id is dead: the client shall begin anew.
            Err(error) => assert_eq!(error.status, 404),
            // The handle is dead: the model reads how to get a new one.
            Ok(answer) => assert!(answer.text().contains("open_session"), "{}", answer.text()),
        }
    }
    Ok(())
}
// ANCHOR_END: clock

// ANCHOR: principals
#[tokio::test]
async fn notebooks_are_personal() -> mcp_runtime::Result {
    let server = notes::server().authorize(DevelopmentTokens::new().with("secret", "alice"));
    let alice = testing::Client::of(server).with_bearer("secret").await?;
    alice.call_tool("add_note", json!({ "text": "buy milk" })).await?;

    // Bob has a handle that Alice's model let slip.
    let bob = alice.another().as_principal(Principal::new("development", "bob", "")).await?;
    let stolen = alice.session().await?;
    let answer = bob.call_tool("list_notes", json!({ "session": stolen })).await?;
    assert!(answer.is_error());

    // Without a token nobody gets in at all.
    assert!(alice.another().await.is_err());
    Ok(())
}
// ANCHOR_END: principals

/// Whether to go on.
#[derive(Deserialize, JsonSchema)]
struct Consent {
    yes: bool,
}

#[mcp_server(name = "shredder", version = "1.0.0")]
mod shredder {
    use super::*;

    // ANCHOR: shred
    /// Destroy all notes, if the person wants it.
    #[tool(destructive)]
    pub async fn shred_notes(notebook: &mut Notebook, cx: &Context) -> Result<String, ToolError> {
        let question = Elicit::form::<Consent>("Destroy all notes?");
        match cx.ask("consent", question).await {
            Ok(Consent { yes: true }) => {
                notebook.notes.clear();
                Ok("destroyed".into())
            }
            Ok(Consent { yes: false }) | Err(AskError::Declined) => Ok("kept".into()),
            Err(error) => Err(error.into()),
        }
    }
    // ANCHOR_END: shred

    /// Let the client's model sum up what lies in the client's folders.
    #[tool]
    pub async fn sum_up(cx: &Context) -> Result<String, ToolError> {
        let roots = cx.roots().await?;
        let question = SamplingRequest::text(format!("Sum up {}", roots[0].uri)).max_tokens(20);
        let said = cx.sample("summary", question).await?;
        cx.progress(1.0, 1.0, None);
        Ok(format!("{} says: {}", said.model, said.text()))
    }

    /// Take long, and let the client go meanwhile.
    #[tool]
    pub async fn take_long(cx: &Context) -> String {
        for hour in 1..=3 {
            cx.progress(f64::from(hour), None, None);
            cx.close_stream(Duration::from_secs(60));
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
        "done".into()
    }
}

// ANCHOR: asking
#[tokio::test]
async fn notes_are_destroyed_only_with_consent() -> mcp_runtime::Result {
    for version in Version::ALL {
        let client = testing::Client::of(shredder::server()).version(version).on_elicit(|question: ElicitRequest| {
            assert_eq!(question.message(), "Destroy all notes?");
            ElicitResult::without_content(ElicitAction::Decline)
        });
        let answer = client.await?.call_tool("shred_notes", json!({})).await?;
        // Revisions before 2025-06-18 can't ask: there the tool fails.
        assert!(answer.is_error() || answer.text() == "kept", "{}", answer.text());
    }
    Ok(())
}
// ANCHOR_END: asking

#[tokio::test]
async fn questions_are_answered_by_http_and_by_stdio_in_every_revision_that_can_ask() -> mcp_runtime::Result {
    let yes = |_: ElicitRequest| match json!({ "yes": true }) {
        Value::Object(content) => ElicitResult::accept(content),
        _ => unreachable!(),
    };
    let model = |request: SamplingRequest| {
        let SamplingContent::Text { text, .. } = &request.messages[0].content[0] else { panic!("a text") };
        assert_eq!((text.as_str(), request.max_tokens), ("Sum up file:///notes", 20));
        SamplingResult::new("parrot", [SamplingContent::text("notes")])
    };
    for version in Version::ALL {
        for stdio in [false, true] {
            let client = testing::Client::of(shredder::server()).version(version).on_elicit(yes).on_sample(model);
            let client = client.with_roots([Root::new("file:///notes")]);
            let client = if stdio { client.stdio() } else { client }.await?;
            let can_ask = !["2024-11-05", "2025-03-26"].contains(&version.as_str());
            let shredded = client.call_tool("shred_notes", json!({})).await?;
            assert_eq!((shredded.text() == "destroyed", !shredded.is_error()), (can_ask, can_ask), "{version:?}");
            let summed = client.call_tool("sum_up", json!({})).await?;
            assert_eq!(summed.text(), "parrot says: notes", "{version:?}");
            assert_eq!(client.notifications().iter().filter_map(testing::Notification::progress).count(), 1);

            // Who does not say how to answer can't be asked, in no revision.
            let mute = client.another().version(version).await?;
            match mute.call_tool("sum_up", json!({})).await {
                Ok(answer) => assert!(answer.is_error() && answer.text().contains("did not declare"), "{version:?}"),
                Err(refused) => assert_eq!((refused.code, refused.data.is_some()), (Some(-32021), true), "{version:?}"),
            }
        }
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_fetched_where_the_server_let_its_client_go() -> mcp_runtime::Result {
    for version in Version::ALL {
        let client = testing::Client::connect(shredder::server(), version).await?;
        assert_eq!(client.call_tool("take_long", json!({})).await?.text(), "done");
        let progress: Vec<_> = client.notifications().iter().filter_map(testing::Notification::progress).collect();
        assert_eq!(progress.iter().map(|progress| progress.progress).collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
    }
    Ok(())
}

#[tokio::test]
async fn prompts_resources_and_completions_find_their_session_in_every_revision() -> mcp_runtime::Result {
    #[mcp_server]
    mod shelf {
        use super::*;

        /// Add a note to the end of the notebook.
        #[tool]
        pub fn add_note(notebook: &mut Notebook, text: String) -> usize {
            notebook.notes.push(text);
            notebook.notes.len()
        }

        /// Ask for a summary.
        #[prompt]
        pub fn summary(notebook: &Notebook, words: u8) -> String {
            format!("Sum up in {words} words: {}", notebook.notes.join(", "))
        }

        /// Every note.
        #[resource("notes://all")]
        pub fn all(notebook: &Notebook) -> String {
            notebook.notes.join(", ")
        }

        /// One note.
        #[resource("notes://{number}{?loud}")]
        pub fn one(notebook: &Notebook, number: usize, loud: Option<bool>) -> Option<String> {
            let note = notebook.notes.get(number)?;
            Some(if loud == Some(true) { note.to_uppercase() } else { note.clone() })
        }

        /// What needs no session.
        #[resource("notes://about")]
        pub fn about() -> &'static str {
            "about notes"
        }

        #[complete(resource = "notes://{number}{?loud}", argument = "number")]
        pub fn numbers(notebook: &Notebook, value: String) -> Vec<String> {
            (0..notebook.notes.len()).map(|number| number.to_string()).filter(|text| text.starts_with(&value)).collect()
        }

        #[complete(prompt = "summary", argument = "words")]
        pub fn words(notebook: &Notebook, value: String) -> Vec<String> {
            vec![format!("{value}{}", notebook.notes.len())]
        }
    }
    for version in Version::ALL {
        let client = testing::Client::connect(shelf::server(), version).await?;
        client.call_tool("add_note", json!({ "text": "buy milk" })).await?;
        let prompt = client.get_prompt("summary", json!({ "words": "3" })).await?;
        assert_eq!((prompt.text().as_str(), prompt.messages().len()), ("Sum up in 3 words: buy milk", 1));
        assert_eq!(client.read_resource("notes://all").await?.text(), "buy milk");
        assert_eq!(client.read_resource("notes://0").await?.text(), "buy milk");
        assert_eq!(client.read_resource("notes://0?loud=true").await?.text(), "BUY MILK");
        let about = client.read_resource("notes://about").await?;
        assert_eq!((about.text().as_str(), about.contents().len()), ("about notes", 1));
        assert!(client.read_resource("notes://7").await.is_err());
        let template = "notes://{number}{?loud}";
        assert_eq!(client.complete_resource(template, "number", "", json!({})).await?, ["0"]);
        assert_eq!(client.complete_prompt("summary", "words", "2", Value::Null).await?, ["21"]);
        assert_eq!(client.list_prompts().await?[0].name, "summary");
        let uris = client.list_resources().await?.len() + client.list_resource_templates().await?.len();
        assert_eq!(uris, 3);
    }
    Ok(())
}

// ANCHOR: card
#[test]
fn what_clients_are_told_changes_only_on_purpose() {
    testing::assert_card(notes::server(), "tests/it/testing/card.json");
}

#[test]
fn every_known_client_understands_the_tools() {
    testing::assert_portable(notes::server());
}
// ANCHOR_END: card

#[tokio::test]
async fn a_card_can_be_asked_for_where_a_runtime_runs() -> mcp_runtime::Result {
    assert_eq!(testing::card(notes::server())?, testing::card(notes::server())?);
    testing::assert_portable(notes::server());
    Ok(())
}

#[test]
fn a_change_of_what_clients_are_told_is_shown() {
    #[mcp_server(name = "notes", version = "1.0.0")]
    mod fewer {
        /// Add a note to the end of the notebook.
        #[tool]
        pub fn add_note(text: String) -> usize {
            text.len()
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let known = folder.path().join("card.json");
    let complaint = || {
        let panic = std::panic::catch_unwind(|| testing::assert_card(fewer::server(), &known)).unwrap_err();
        panic.downcast_ref::<String>().expect("a text").clone()
    };
    let text = complaint();
    assert!(text.contains("can't be read") && text.contains("MCP_UPDATE_CARDS=1"), "{text}");
    std::fs::write(&known, testing::card(notes::server()).unwrap()).unwrap();
    let text = complaint();
    assert!(text.contains("MCP_UPDATE_CARDS=1") && text.contains("\n- ") && text.contains("\n+ "), "{text}");
}

#[tokio::test]
async fn a_card_shows_what_this_client_is_told() -> mcp_runtime::Result {
    let all: Value = serde_json::from_str(&testing::card(notes::server())?)?;
    for version in Version::ALL {
        let client = testing::Client::connect(notes::server(), version).await?;
        assert_eq!(client.card().await?, all[version.as_str()]);
        let tools: BTreeSet<String> = client.list_tools().await?.into_iter().map(|tool| tool.name).collect();
        assert_eq!(tools.contains("open_session"), version == Version::NEWEST);
        assert_eq!(client.greeting()["instructions"], "Keeps notes, one notebook per session.");
    }
    Ok(())
}

#[tokio::test]
async fn a_tool_that_clients_would_change_is_not_portable() {
    #[mcp_server]
    mod verbatim {
        /// Give back what came.
        #[tool(input_schema = r#"{ "type": "object", "properties": { "text": { "type": ["string", "null"] } } }"#)]
        pub fn echo(text: String) -> String {
            text
        }
    }
    let panic = std::panic::catch_unwind(|| testing::assert_portable(verbatim::server())).unwrap_err();
    let text = panic.downcast_ref::<String>().expect("a text");
    assert!(text.contains("`echo`") && text.contains("`type` is a list"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_client_says_the_same_by_http_and_by_stdio_in_every_revision() -> mcp_runtime::Result {
    for version in Version::ALL {
        for stdio in [false, true] {
            let client = testing::Client::of(notes::server()).version(version);
            let client = if stdio { client.stdio() } else { client }.await?;
            let written = client.call_tool("add_note", json!({ "text": "naïve" })).await?;
            assert_eq!((written.value(), client.version()), (json!({ "notes": 1 }), version));
            assert_eq!(client.call_tool("list_notes", json!({})).await?.decode::<Vec<String>>()?, ["naïve"]);
            // Names that no header can carry as they are.
            let printed = client.call_tool("print_notes", json!({ "printer": " büro ", "page": 2 })).await?;
            assert_eq!((printed.text().as_str(), printed.is_error()), ("printed at  büro ", false));
            assert_eq!(printed.content(), [Content::text("printed at  büro ")]);
            let progress: Vec<_> = client.notifications().iter().filter_map(testing::Notification::progress).collect();
            assert_eq!(progress.len(), 1);
            let wrong = client.call_tool("print_notes", json!({ "printer": "x", "page": 0 })).await?;
            assert_eq!((wrong.text().as_str(), wrong.is_error()), ("`page` is 0: the first page is 1", true));
            let unknown = client.call_tool("burn_notes", json!({})).await.unwrap_err();
            assert_eq!(unknown.code, Some(-32602), "{unknown}");
            let method = client.request("notes/burn", json!({})).await.unwrap_err();
            assert_eq!(method.code, Some(-32601), "{method}");
            client.notify("notifications/roots/list_changed", Value::Null).await?;
        }
    }
    Ok(())
}

/// It looks like a wrapper.
#[derive(Serialize, JsonSchema)]
struct LikeAWrapper {
    result: u8,
}

#[tokio::test]
async fn structured_results_come_out_of_their_wrappers_and_no_others() -> mcp_runtime::Result {
    #[mcp_server]
    mod shapes {
        use super::*;

        /// A number.
        #[tool]
        pub fn number() -> u8 {
            7
        }

        /// Something with a member of the name that wrappers have.
        #[tool]
        pub fn outcome() -> LikeAWrapper {
            LikeAWrapper { result: 7 }
        }

        /// A list that no schema describes.
        #[tool]
        pub fn loose() -> Result<ToolResult, ToolError> {
            ToolResult::text("seven").with_structured(&[7]).map_err(ToolError::internal)
        }

        /// A text.
        #[tool]
        pub fn plain() -> String {
            "seven".into()
        }
    }
    for version in Version::ALL {
        let client = testing::Client::connect(shapes::server(), version).await?;
        let has_structured = client.call_tool("number", json!({})).await?.structured().is_some();
        assert_eq!(has_structured, !["2024-11-05", "2025-03-26"].contains(&version.as_str()));
        assert_eq!(client.call_tool("number", json!({})).await?.value(), 7);
        assert_eq!(client.call_tool("outcome", json!({})).await?.value(), json!({ "result": 7 }));
        let loose = client.call_tool("loose", json!({})).await?;
        assert_eq!(loose.value(), if has_structured { json!([7]) } else { json!("seven") });
        assert_eq!(client.call_tool("plain", json!({})).await?.value(), "seven");
        // Nothing borrows state, so there is nothing that a handle could name.
        assert_eq!(client.session().await?.is_some(), version.has_handshake());
    }
    Ok(())
}

#[tokio::test]
async fn clients_of_one_server_have_sessions_of_their_own() -> mcp_runtime::Result {
    for version in Version::ALL {
        let one = testing::Client::connect(notes::server(), version).await?;
        let other = one.another().version(version).await?;
        one.call_tool("add_note", json!({ "text": "mine" })).await?;
        assert_eq!(other.call_tool("list_notes", json!({})).await?.value(), json!([]));
        assert_ne!(one.session().await?, other.session().await?);

        one.end_session().await?;
        let ended = one.call_tool("list_notes", json!({})).await;
        match version.has_handshake() {
            true => assert_eq!(ended.unwrap_err().status, 404),
            false => assert_eq!(ended?.value(), json!(["mine"])),
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_identity_carries_the_session_of_a_principal() -> mcp_runtime::Result {
    let server = notes::server().sessions(Sessions::default().by_identity());
    let principal = Principal::new("https://issuer.example", "alice", "one");
    let client = testing::Client::of(server).as_principal(principal).await?;
    client.call_tool("add_note", json!({ "text": "mine" })).await?;
    let elsewhere = client.another().as_principal(Principal::new("https://issuer.example", "alice", "two")).await?;
    assert_eq!(elsewhere.call_tool("list_notes", json!({})).await?.value(), json!(["mine"]));
    Ok(())
}

#[tokio::test]
async fn a_server_that_can_not_start_is_told_by_connecting() {
    let error = testing::Client::newest(notes::server().sessions(Sessions::off())).await.unwrap_err();
    assert!(error.to_string().contains("borrows session state"), "{error}");
}

#[tokio::test]
async fn credentials_are_checked_as_over_http() -> mcp_runtime::Result {
    let server = || notes::server().authorize(DevelopmentTokens::new().with("secret", "alice"));
    for version in Version::ALL {
        let refused = testing::Client::of(server()).version(version).with_bearer("guessed").await.unwrap_err();
        assert!(refused.to_string().contains("401"), "{refused}");
        let alice = testing::Client::of(server()).version(version).with_bearer("secret").await?;
        alice.call_tool("add_note", json!({ "text": "x" })).await?;
        // Over stdio there are no credentials.
        testing::Client::of(server()).version(version).stdio().await?;
    }
    Ok(())
}

/// Time passes in one test alone: both run at the same time, in threads of their own.
#[test]
fn clocks_of_tests_do_not_touch_each_other() {
    let day = Duration::from_secs(24 * 60 * 60);
    let after = |time: Duration, rounds: u32| {
        testing::run(async move {
            let client = testing::Client::connect(notes::server(), Version::NEWEST_WITH_HANDSHAKE).await?;
            for _ in 0..rounds {
                testing::advance(time / rounds).await;
                tokio::task::yield_now().await;
                std::thread::sleep(Duration::from_millis(5));
            }
            let listed = client.call_tool("list_notes", json!({})).await;
            Ok::<_, mcp_runtime::Error>(listed.is_ok())
        })
    };
    std::thread::scope(|scope| {
        let still = scope.spawn(|| after(Duration::from_secs(60), 20));
        let moved = scope.spawn(|| after(2 * day, 20));
        assert!(still.join().unwrap().unwrap());
        assert!(!moved.join().unwrap().unwrap());
    });
}
