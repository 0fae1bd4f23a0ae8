//! A server that keeps nothing between two requests.

use mcp_runtime::{Changes, Sessions, SigningKeys, prelude::*};
use serde_json::{Value, json};

use crate::support::{
    Request,
    client::{Client, Era},
};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Answer {
    yes: bool,
}

/// Keeps nothing.
#[mcp_server(changes)]
mod nothing {
    use super::*;

    /// Say it back, with reports.
    #[tool]
    pub async fn echo(cx: &Context, text: String) -> String {
        cx.progress(1.0, 1.0, None);
        cx.log(LogLevel::Error, "heard");
        text
    }

    /// Ask first.
    #[tool]
    pub async fn ask(cx: &Context) -> Result<String, ToolError> {
        let answer = cx.ask("sure", Elicit::form::<Answer>("Sure?")).await?;
        Ok(format!("yes: {}", answer.yes))
    }

    /// A text.
    #[resource("text://one")]
    pub fn one() -> String {
        "one".into()
    }
}

/// What borrows state.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Count(u64);

#[mcp_server]
mod counting {
    use super::*;

    /// Count.
    #[tool]
    pub fn count(count: &mut Count) -> u64 {
        count.0 += 1;
        count.0
    }
}

struct Served {
    port: u16,
    _runtime: tokio::runtime::Runtime,
    _running: mcp_runtime::Running,
}

fn served() -> Served {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let keys = SigningKeys::from_secret(b"a secret of at least 32 bytes, as asked").expect("a key");
    let server = nothing::server().sessions(Sessions::jwt(keys)).stateless().port(0);
    let _announces: Changes = server.changes();
    let running = runtime.block_on(server.start()).expect("it starts");
    Served { port: running.address().port(), _runtime: runtime, _running: running }
}

#[test]
fn each_answer_is_one_json_document_and_no_session_is_opened() {
    let served = served();
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } } });
    let welcome = Request::post(body.to_string()).revision("2025-11-25").send(served.port);
    assert_eq!((welcome.status, welcome.header("mcp-session-id")), (200, None));
    assert_eq!(welcome.json()["result"]["capabilities"], json!({ "tools": {}, "resources": {}, "completions": {} }));
    for era in [Era::Legacy("2025-11-25"), Era::Modern] {
        let client = Client::new(served.port, era);
        let meta = json!({ "progressToken": 1, "io.modelcontextprotocol/logLevel": "debug" });
        let answer = client.call_request_with_meta(json!(1), "echo", json!({ "text": "hi" }), meta).send(served.port);
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
        assert_eq!(answer.json()["result"]["content"][0]["text"], "hi");
        assert_eq!(client.read("text://one")["result"]["contents"][0]["text"], "one");
    }
    for method in ["GET", "DELETE"] {
        let refused = Request::of(method).header("Accept", "text/event-stream").send(served.port);
        assert_eq!((refused.status, refused.header("allow").is_some()), (405, true), "{method}");
    }
}

#[test]
fn there_is_nothing_to_listen_to() {
    let served = served();
    let client = Client::new(served.port, Era::Modern);
    let discovered = client.request("server/discover", json!({}));
    assert_eq!(discovered["result"]["capabilities"], json!({ "tools": {}, "resources": {}, "completions": {} }));
    let listen = client.request("subscriptions/listen", json!({ "notifications": { "toolsListChanged": true } }));
    assert_eq!(listen["error"]["code"], -32601);
}

#[test]
fn a_question_of_one_instance_is_answered_at_another() {
    let (first, second) = (served(), served());
    let call = |port: u16, more: Value| {
        let mut params = json!({ "name": "ask", "arguments": {}, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": { "form": {} } } } });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let request = Request::post(body.to_string()).revision("2026-07-28");
        let request = request.header("MCP-Protocol-Version", "2026-07-28").header("Mcp-Method", "tools/call");
        request.header("Mcp-Name", "ask").send(port).json()
    };
    let asked = call(first.port, json!({}));
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    let answers = json!({ "sure": { "action": "accept", "content": { "yes": true } } });
    let more = json!({ "inputResponses": answers, "requestState": asked["result"]["requestState"] });
    let answered = call(second.port, more);
    assert_eq!(answered["result"]["content"][0]["text"], "yes: true", "{answered}");
}

#[test]
fn tools_that_borrow_state_are_refused_at_the_start() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let Err(error) = runtime.block_on(counting::server().stateless().port(0).start()) else { panic!("it starts") };
    assert!(error.to_string().contains("`count` borrows session state"), "{error}");
}

/// Needs a session.
#[mcp_server(require_session)]
mod needing {
    use super::*;

    /// Say whose session it is.
    #[tool]
    pub fn whose(cx: &Context) -> String {
        cx.cookie().and_then(|cookie| cookie.title()).unwrap_or_default().to_owned()
    }
}

#[test]
fn tools_that_need_a_session_get_it_from_a_client_that_carries_all_of_it_or_the_server_does_not_start() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let Err(error) = runtime.block_on(needing::server().stateless().port(0).start()) else { panic!("it starts") };
    assert!(error.to_string().contains("sealed_cookies"), "{error}");

    let instance = || {
        let keys = SigningKeys::new("k1", b"a fixed key of the tests, 32 bytes!").unwrap();
        let server = needing::server().stateless().sessions(Sessions::jwt(keys).sealed_cookies());
        let running = runtime.block_on(server.port(0).start()).expect("it starts");
        (running.address().port(), running)
    };
    let ((first, _first), (second, _second)) = (instance(), instance());
    let refused = Client::new(first, Era::Modern).request("tools/call", json!({ "name": "whose" }));
    assert_eq!(refused["error"]["data"]["reason"], "session_required", "{refused}");
    let opened = Client::new(first, Era::Modern).request("session/create", json!({ "hints": { "label": "mine" } }));
    let cookie = &opened["result"]["_meta"]["mcp/session"];
    let with = json!({ "mcp/session": cookie });
    let call = Client::new(second, Era::Modern).message_with_meta("tools/call", json!({ "name": "whose" }), with);
    let answered = call.send(second).json();
    assert_eq!(answered["result"]["content"][0]["text"], "mine", "{answered}");
}
