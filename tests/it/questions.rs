//! What asks beside tools, what is asked of models, how long is waited, and what may not be asked at all.

use std::time::Duration;

use mcp_runtime::{
    Server,
    call::{PromptResult, ResourceResult},
    prelude::*,
    protocol::{
        PromptMessage, Role, Version,
        ask::{
            ElicitAction, ElicitResult, IncludeContext, Root, SamplingContent, SamplingMessage, SamplingRequest,
            SamplingResult,
        },
    },
    testing,
};
use serde_json::{Value, json};

use crate::support::{Request, StdioServer, client::MODERN, http::EventReader};

/// An answer that is a word.
#[derive(Deserialize, JsonSchema)]
struct Word {
    word: String,
}

/// Asks from everywhere.
#[mcp_server(name = "asker")]
mod asker {
    use super::*;

    async fn word(cx: &Context) -> Result<String, ToolError> {
        Ok(cx.ask("word", Elicit::form::<Word>("Which word?")).await?.word)
    }

    /// A prompt about a word that it asks for.
    #[prompt]
    pub async fn about(cx: &Context) -> Result<PromptResult, ToolError> {
        Ok(PromptResult::new([PromptMessage::user(format!("Tell me about {}", word(cx).await?))]))
    }

    /// A word that it asks for.
    #[resource("word://asked", ttl = Duration::from_secs(60), public)]
    pub async fn asked(cx: &Context) -> Result<ResourceResult, ToolError> {
        Ok(ResourceResult::Text(word(cx).await?))
    }

    /// A prompt that the client's model writes.
    #[prompt]
    pub async fn written(cx: &Context) -> Result<PromptResult, ToolError> {
        let said = cx.sample("words", SamplingRequest::text("Say something")).await?;
        Ok(PromptResult::new([PromptMessage::assistant(said.text())]))
    }

    /// What the client's model says.
    #[resource("word://said")]
    pub async fn said(cx: &Context) -> Result<ResourceResult, ToolError> {
        Ok(ResourceResult::Text(cx.sample("words", SamplingRequest::text("Say something")).await?.text()))
    }

    /// A prompt that takes too long.
    #[prompt(deadline = Duration::from_millis(20))]
    pub async fn slow() -> Result<PromptResult, ToolError> {
        std::future::pending().await
    }

    /// A resource that takes too long.
    #[resource("word://slow", deadline = Duration::from_millis(20))]
    pub async fn never() -> Result<ResourceResult, ToolError> {
        std::future::pending().await
    }

    /// Ask the model with what its servers know.
    #[tool]
    pub async fn with_context(cx: &Context) -> Result<String, ToolError> {
        let request = SamplingRequest::text("?").include_context(IncludeContext::ThisServer);
        Ok(cx.sample("words", request).await?.text())
    }

    /// Let the model go on after it used a tool, with or without what came of it.
    #[tool]
    pub async fn go_on(cx: &Context, with_result: bool) -> Result<String, ToolError> {
        let used = SamplingContent::tool_use("1", "search", Default::default());
        let mut messages = vec![SamplingMessage::user("?"), SamplingMessage::new(Role::Assistant, [used])];
        if with_result {
            messages.push(SamplingMessage::new(Role::User, [SamplingContent::tool_result("1", ["found".into()])]));
        } else {
            messages.push(SamplingMessage::user("and?"));
        }
        Ok(cx.sample("words", SamplingRequest::new(messages)).await?.text())
    }

    /// Ask for the folders and tell of it.
    #[tool]
    pub async fn folders(cx: &Context) -> Result<String, ToolError> {
        let roots = cx.roots().await?;
        cx.log(LogLevel::Warning, "asked");
        Ok(roots[0].uri.clone())
    }

    /// Ask, and say what became of it.
    #[tool]
    pub async fn wait(cx: &Context) -> Result<String, ToolError> {
        word(cx).await
    }
}

fn says(word: &str) -> ElicitResult {
    let content = json!({ "word": word });
    serde_json::from_value(json!({ "action": ElicitAction::Accept, "content": content })).unwrap()
}

fn model() -> SamplingResult {
    SamplingResult::new("m", ["hello".into()])
}

// Proves: PC-02, RS-10.
#[tokio::test]
async fn prompts_and_resources_ask_in_every_revision_that_has_the_question() {
    for version in Version::ALL {
        for stdio in [false, true] {
            let client = testing::Client::of(asker::server()).version(version);
            let client = if stdio { client.stdio() } else { client };
            let client = client.on_elicit(|_| says("fig")).on_sample(|_| model()).await.unwrap();
            assert_eq!(client.get_prompt("written", json!({})).await.unwrap().text(), "hello", "{version:?}");
            assert_eq!(client.read_resource("word://said").await.unwrap().text(), "hello", "{version:?}");
            let (prompt, resource) =
                (client.get_prompt("about", json!({})).await, client.read_resource("word://asked").await);
            if version.as_str() < "2025-06-18" {
                // Without the question the call fails, in the words of an error: there is no result to say it in.
                assert_eq!(prompt.unwrap_err().code, Some(-32602), "{version:?}");
                assert_eq!(resource.unwrap_err().code, Some(-32602), "{version:?}");
            } else {
                assert_eq!(prompt.unwrap().text(), "Tell me about fig", "{version:?}");
                assert_eq!(resource.unwrap().text(), "fig", "{version:?}");
            }
        }
    }
}

#[tokio::test]
async fn prompts_and_resources_that_take_too_long_fail_in_every_revision() {
    for version in Version::ALL {
        let client = testing::Client::connect(asker::server(), version).await.unwrap();
        let prompt = client.get_prompt("slow", json!({})).await.unwrap_err();
        let resource = client.read_resource("word://slow").await.unwrap_err();
        assert_eq!((prompt.code, resource.code), (Some(-32603), Some(-32603)), "{prompt} {resource}");
    }
}

/// The asker, served by a runtime of its own.
struct Served {
    port: u16,
    _running: mcp_runtime::Running,
    _runtime: tokio::runtime::Runtime,
}

fn served(server: Server) -> Served {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let running = runtime.block_on(server.port(0).start()).unwrap();
    Served { port: running.address().port(), _running: running, _runtime: runtime }
}

/// A request of 2026-07-28 by a client that declares this.
fn modern(port: u16, method: &str, name: &str, capabilities: Value, more: Value) -> (u16, Value) {
    let mut params = json!({ "_meta": {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    } });
    params[if method == "resources/read" { "uri" } else { "name" }] = json!(name);
    for (key, value) in more.as_object().unwrap() {
        params[key] = value.clone();
    }
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let request = Request::post(body.to_string()).revision(MODERN).header("MCP-Protocol-Version", MODERN);
    let response = request.header("Mcp-Method", method).header("Mcp-Name", name).send(port);
    (response.status, response.json())
}

fn forms() -> Value {
    json!({ "elicitation": { "form": {} } })
}

// Proves: MR-09, RS-10.
#[test]
fn what_was_read_with_an_answer_is_kept_by_nobody() {
    let served = served(asker::server());
    let read = |more| modern(served.port, "resources/read", "word://asked", forms(), more).1["result"].clone();
    let asked = read(json!({}));
    assert_eq!(asked["resultType"], "input_required");
    assert_eq!((asked.get("ttlMs"), asked.get("cacheScope")), (None, None), "{asked}");
    let answers = json!({ "word": { "action": "accept", "content": { "word": "fig" } } });
    let with_state = json!({ "inputResponses": answers, "requestState": asked["requestState"] });
    for more in [with_state, json!({ "inputResponses": answers })] {
        let done = read(more);
        assert_eq!((&done["resultType"], &done["contents"][0]["text"]), (&json!("complete"), &json!("fig")), "{done}");
        assert_eq!((&done["ttlMs"], &done["cacheScope"]), (&json!(0), &json!("private")), "{done}");
    }
}

// Proves: MR-10.
#[test]
fn a_client_that_comes_back_without_answers_is_asked_again_and_not_for_ever() {
    let served = served(asker::server());
    let call = |more| modern(served.port, "tools/call", "wait", forms(), more).1;
    let mut answer = call(json!({}));
    let mut rounds = 0;
    while answer["result"]["resultType"] == "input_required" {
        // There is always something to answer: never a state alone, with which a client would come back at once.
        assert!(answer["result"]["inputRequests"]["word"].is_object(), "{answer}");
        rounds += 1;
        assert!(rounds < 20, "it goes on for ever");
        answer = call(json!({ "requestState": answer["result"]["requestState"] }));
    }
    assert_eq!((rounds, &answer["error"]["code"]), (8, &json!(-32603)), "{answer}");
}

// Proves: C-06, M-05.
#[test]
fn what_a_model_is_given_of_servers_is_asked_for_where_the_client_said_that_it_can() {
    let served = served(asker::server());
    let plain = json!({ "sampling": {} });
    let (status, refused) =
        modern(served.port, "tools/call", "with_context", plain.clone(), json!({ "arguments": {} }));
    assert_eq!((status, &refused["error"]["code"]), (400, &json!(-32021)), "{refused}");
    assert_eq!(refused["error"]["data"]["requiredCapabilities"], json!({ "sampling": { "context": {} } }));
    let context = json!({ "sampling": { "context": {} } });
    let (_, asked) = modern(served.port, "tools/call", "with_context", context, json!({ "arguments": {} }));
    assert_eq!(asked["result"]["inputRequests"]["words"]["params"]["includeContext"], "thisServer", "{asked}");
    testing::run(async {
        for version in Version::ALL {
            let client = testing::Client::of(asker::server()).version(version).on_sample(|_| model());
            // Before 2025-11-25 there was nothing more to declare.
            let declared = version.as_str() < "2025-11-25";
            let answer =
                client.with_capabilities(plain.clone()).await.unwrap().call_tool("with_context", json!({})).await;
            match answer {
                Ok(answer) if declared => assert_eq!(answer.text(), "hello"),
                Ok(answer) => assert!(answer.is_error() && answer.text().contains("context"), "{}", answer.text()),
                Err(error) => assert_eq!((error.code, version), (Some(-32021), Version::NEWEST)),
            }
        }
    });
}

// Proves: E-10.
#[tokio::test]
async fn a_conversation_that_lacks_the_result_of_a_tool_never_reaches_a_client() {
    for version in [Version::V2025_11_25, Version::V2026_07_28] {
        let client = testing::Client::of(asker::server()).version(version);
        let client = client
            .on_sample(|request| {
                assert!(matches!(request.messages[2].content[..], [SamplingContent::ToolResult { .. }]));
                model()
            })
            .await
            .unwrap();
        let answer = client.call_tool("go_on", json!({ "with_result": true })).await.unwrap();
        assert_eq!(answer.text(), "hello");
        let error = client.call_tool("go_on", json!({ "with_result": false })).await.unwrap_err();
        assert_eq!(error.code, Some(-32603), "{error}");
    }
}

// Proves: E-13.
#[tokio::test]
async fn what_2026_07_28_advises_against_still_works() {
    let client = testing::Client::of(asker::server()).on_sample(|_| model()).with_roots([Root::new("file:///home")]);
    let client = client.await.unwrap();
    assert_eq!(client.get_prompt("written", json!({})).await.unwrap().text(), "hello");
    assert_eq!(client.call_tool("with_context", json!({})).await.unwrap().text(), "hello");
    let params = json!({ "name": "folders", "arguments": {}, "_meta": { "io.modelcontextprotocol/logLevel": "info" } });
    let answer = client.request("tools/call", params).await.unwrap();
    assert_eq!(answer["content"][0]["text"], "file:///home", "{answer}");
    assert_eq!(client.notifications().iter().filter_map(testing::Notification::log).count(), 1);
}

fn next(stream: &mut EventReader) -> Value {
    serde_json::from_str(&stream.next().expect("a message comes")).unwrap()
}

// Proves: U-11.
#[test]
fn a_question_that_is_not_answered_in_time_is_taken_back_whatever_else_the_client_says() {
    let served = served(asker::server().answered_within(Duration::from_millis(300)));
    let initialize = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": forms(), "clientInfo": { "name": "t", "version": "1" } } });
    let greeted = Request::post(initialize.to_string()).send(served.port);
    let session = greeted.header("mcp-session-id").unwrap().to_owned();
    let say = |message: Value| Request::post(message.to_string()).header("Mcp-Session-Id", &session);
    let begun = std::time::Instant::now();
    let call =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "wait", "arguments": {} } });
    let (_, stream) = say(call).open(served.port);
    let mut stream = stream.expect("a stream");
    let question = next(&mut stream);
    let progress = json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": {
        "progressToken": question["id"], "progress": 1 } });
    assert_eq!(say(progress).send(served.port).status, 202);
    let taken_back = next(&mut stream);
    assert_eq!(taken_back["method"], "notifications/cancelled", "{taken_back}");
    assert_eq!(taken_back["params"]["requestId"], question["id"]);
    let answer = next(&mut stream);
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    assert!(answer["result"]["content"][0]["text"].as_str().unwrap().contains("not answered in time"), "{answer}");
    assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
}

// Proves: V-04.
#[test]
fn nothing_is_asked_on_a_connection_before_its_client_is_initialized() {
    let mut server = StdioServer::start("booking");
    let initialize = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": forms(), "clientInfo": { "name": "t", "version": "1" } } });
    server.send(&initialize.to_string());
    server.receive();
    let call =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "feedback", "arguments": {} } });
    server.send(&call.to_string());
    server.send(r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#);
    let answer: Value = serde_json::from_str(&server.receive()).unwrap();
    assert_eq!(answer["id"], 2, "{answer}");
    assert_eq!(server.receive_within(Duration::from_millis(500)), None);
    server.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    let question: Value = serde_json::from_str(&server.receive()).unwrap();
    assert_eq!(question["method"], "elicitation/create", "{question}");
}
