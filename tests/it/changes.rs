//! News of the server for those who asked for them, log messages, and what a function sees of its request.

use std::{
    collections::BTreeMap,
    io::{BufReader, Write},
    net::TcpStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mcp_runtime::{
    Changes, Context, LogLevel, Server, Sessions, ToolError, ToolResult,
    call::{PromptResult, ResourceResult},
    protocol::{CacheHint, Prompt, PromptMessage, Resource, Tool},
    provider::{Page, PromptProvider, PromptSet, ResourceProvider, ResourceSet, ToolSet},
    service::{BoxFuture, FunctionCard, PromptCard, ResourceCard, Run, ServerCard, Service, ToolCard},
};
use serde_json::{Value, json};

use crate::{
    behaviour::eventually,
    official_schema,
    support::{
        Request, Response,
        client::{Client, Era, MODERN},
        http::{connect, read_chunk},
    },
};

const fn function(name: &'static str, deadline: Option<Duration>) -> FunctionCard {
    FunctionCard {
        name,
        description: "For tests.",
        input_schema: Some(r#"{"type":"object"}"#),
        deadline,
        ..FunctionCard::BLANK
    }
}

const fn tool(name: &'static str) -> ToolCard {
    ToolCard { function: function(name, None), ..ToolCard::BLANK }
}

static CARD: ServerCard = ServerCard {
    name: "board",
    version: "1.0.0",
    tools: &[
        tool("announce"),
        tool("log"),
        tool("meta"),
        ToolCard { function: function("late", Some(Duration::from_millis(50))), ..ToolCard::BLANK },
        tool("leave_work"),
        tool("leave_work_and_answer"),
    ],
    prompts: &[PromptCard { function: FunctionCard { input_schema: None, ..function("greeting", None) } }],
    resources: &[ResourceCard {
        function: FunctionCard { input_schema: None, ..function("notes", None) },
        uri: "notes://work",
        ..ResourceCard::BLANK
    }],
    cache: CacheHint::NONE,
    ..ServerCard::BLANK
};

/// Declared by hand, so that one server has a part in everything.
#[derive(Clone, Default)]
struct Board {
    /// Work that a call left behind was told of the end of its call.
    told: Arc<AtomicBool>,
    /// That work goes on for as long as the server.
    left: Arc<AtomicBool>,
}

impl Service for Board {
    fn card(&self) -> &'static ServerCard {
        &CARD
    }

    fn find_tool(&self, name: &str) -> Option<usize> {
        CARD.tools.iter().position(|tool| tool.function.name == name)
    }

    fn call_tool<'a>(&'a self, tool: usize, run: Run<'a>) -> BoxFuture<'a, Result<ToolResult, ToolError>> {
        Box::pin(async move {
            let cx = run.cx;
            match CARD.tools[tool].function.name {
                "announce" => {
                    cx.changes().tools_changed();
                    cx.changes().prompts_changed();
                    cx.changes().resources_changed();
                    cx.changes().resource_updated("notes://work/7");
                    cx.changes().resource_updated("notes://play");
                }
                "log" => {
                    cx.log(LogLevel::Debug, "a detail");
                    cx.log_as("board", LogLevel::Warning, json!({ "left": 3 }));
                }
                "meta" => {
                    let meta = cx.meta().cloned().unwrap_or_default();
                    return Ok(ToolResult::text(Value::Object(meta).to_string()));
                }
                name => {
                    let (cancelled, told, left) = (cx.cancelled(), self.told.clone(), self.left.clone());
                    tokio::spawn(async move {
                        left.store(true, Ordering::SeqCst);
                        cancelled.wait().await;
                        told.store(cancelled.is_cancelled(), Ordering::SeqCst);
                    });
                    if name != "leave_work_and_answer" {
                        std::future::pending().await
                    }
                }
            }
            Ok(ToolResult::text("done"))
        })
    }
}

/// The board, served on a free port by a runtime of its own.
struct Served {
    port: u16,
    board: Board,
    changes: Changes,
    runtime: tokio::runtime::Runtime,
    running: Option<mcp_runtime::Running>,
}

fn served(sessions: Sessions) -> Served {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let board = Board::default();
    let server = Server::new(board.clone()).port(0).sessions(sessions);
    let changes = server.changes();
    let running = runtime.block_on(server.start()).expect("the board starts");
    Served { port: running.address().port(), board, changes, runtime, running: Some(running) }
}

impl Served {
    fn new() -> Self {
        served(Sessions::default())
    }

    fn stop(&mut self) {
        self.runtime.block_on(self.running.take().unwrap().stop());
    }
}

/// An event stream that stays open.
pub(crate) struct Stream {
    reader: BufReader<TcpStream>,
    revision: &'static str,
    sent: String,
    /// Read already, by looking whether something comes.
    ahead: Option<Value>,
}

impl Stream {
    fn open(port: u16, request: &Request) -> Self {
        let mut connection = connect(port);
        connection.write_all(&request.bytes(port)).unwrap();
        let mut reader = BufReader::new(connection);
        let head = Response::read_head(&mut reader);
        assert_eq!(head.status, 200, "{:?}", Response::read(&mut reader));
        assert_eq!(head.header("content-type"), Some("text/event-stream"));
        let revision = request.revision.expect("streams are held against a schema");
        Self { reader, revision, sent: String::from_utf8(request.body.clone()).unwrap(), ahead: None }
    }

    /// The stream that a session opens with GET.
    pub(crate) fn of(client: &Client, port: u16) -> Self {
        Self::open(port, &client.headers(Request::of("GET")).header("Accept", "text/event-stream"))
    }

    /// The next message; `None` at the end. Events without one are skipped.
    pub(crate) fn next(&mut self) -> Option<Value> {
        while self.ahead.is_none() {
            self.read_event()?;
        }
        self.ahead.take()
    }

    /// Reads one event, which need not have a message.
    fn read_event(&mut self) -> Option<()> {
        let event = String::from_utf8(read_chunk(&mut self.reader)?).unwrap();
        if self.revision == MODERN {
            assert!(!event.contains("id:"), "2026-07-28 has no event ids: {event}");
        }
        let data = event.lines().find_map(|line| line.strip_prefix("data: ")).filter(|data| !data.is_empty());
        if let Some(data) = data {
            let message: Value = serde_json::from_str(data).unwrap();
            official_schema::assert_valid(self.revision, &self.sent, &message);
            self.ahead = Some(message);
        }
        Some(())
    }

    /// No message comes for a while; the event that begins a stream, or one that keeps it open, is none.
    pub(crate) fn is_silent(&mut self) -> bool {
        while self.ahead.is_none() {
            let connection = self.reader.get_ref();
            connection.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            let silent = self.reader.buffer().is_empty() && connection.peek(&mut [0]).is_err();
            connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            if silent {
                return true;
            }
            if self.read_event().is_none() {
                break;
            }
        }
        false
    }
}

/// A request of 2026-07-28.
fn modern(id: &Value, method: &str, mut params: Value, meta: Value) -> Request {
    let mut whole = meta;
    whole["io.modelcontextprotocol/protocolVersion"] = json!(MODERN);
    whole["io.modelcontextprotocol/clientCapabilities"] = json!({});
    params["_meta"] = whole;
    let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    let request = Request::post(body.to_string()).header("MCP-Protocol-Version", MODERN).header("Mcp-Method", method);
    let request = match params["name"].as_str() {
        Some(name) => request.header("Mcp-Name", name),
        None => request,
    };
    request.revision(MODERN)
}

pub(crate) fn listen(port: u16, id: Value, filter: Value) -> Stream {
    Stream::open(port, &modern(&id, "subscriptions/listen", json!({ "notifications": filter }), json!({})))
}

fn tag(message: &Value) -> &Value {
    &message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"]
}

// Proves: J-09, M-06, RS-06, SB-01, SB-02, SB-03, SB-04, SB-05, SB-06, P-15, P-20.
#[test]
fn a_listener_is_acknowledged_and_told_once_what_it_asked_for_and_ended_gracefully() {
    let mut server = Served::new();
    let all = json!({ "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
        "resourceSubscriptions": ["notes://work"] });
    let mut whole = listen(server.port, json!("everything"), all.clone());
    let mut prompts = listen(server.port, json!(7), json!({ "promptsListChanged": true, "toolsListChanged": false }));
    let acknowledged = whole.next().unwrap();
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!((tag(&acknowledged), &acknowledged["params"]["notifications"]), (&json!("everything"), &all));
    let acknowledged = prompts.next().unwrap();
    assert_eq!(tag(&acknowledged), &json!(7));
    assert_eq!(acknowledged["params"]["notifications"], json!({ "promptsListChanged": true }));

    let client = Client::new(server.port, Era::Modern);
    assert_eq!(client.call("announce", json!({}))["result"]["content"][0]["text"], "done");
    for (method, uri) in [
        ("notifications/tools/list_changed", Value::Null),
        ("notifications/prompts/list_changed", Value::Null),
        ("notifications/resources/list_changed", Value::Null),
        ("notifications/resources/updated", json!("notes://work/7")),
    ] {
        let told = whole.next().unwrap();
        assert_eq!((&told["method"], &told["params"]["uri"]), (&json!(method), &uri));
        assert_eq!(tag(&told), &json!("everything"));
    }
    let told = prompts.next().unwrap();
    assert_eq!((&told["method"], tag(&told)), (&json!("notifications/prompts/list_changed"), &json!(7)));
    assert!(whole.is_silent() && prompts.is_silent());

    // The program has the same to say.
    server.changes.prompts_changed();
    assert_eq!(tag(&prompts.next().unwrap()), &json!(7));
    assert_eq!(tag(&whole.next().unwrap()), &json!("everything"));

    server.stop();
    for (mut stream, id) in [(whole, json!("everything")), (prompts, json!(7))] {
        let end = stream.next().unwrap();
        assert_eq!((&end["id"], &end["result"]["resultType"]), (&id, &json!("complete")));
        assert_eq!(end["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"], id);
        assert_eq!(stream.next(), None);
    }
}

// Proves: SB-01, SB-02.
#[test]
fn a_filter_is_read_strictly_and_what_is_not_offered_is_left_out_of_the_acknowledgement() {
    let server = Served::new();
    for filter in [
        Value::Null,
        json!([]),
        json!({ "toolsListChanged": 1 }),
        json!({ "resourceSubscriptions": "notes://work" }),
        json!({ "resourceSubscriptions": [7] }),
        json!({ "resourceSubscriptions": [format!("notes://{}", "x".repeat(2048))] }),
    ] {
        let request = modern(&json!(1), "subscriptions/listen", json!({ "notifications": filter }), json!({}));
        assert_eq!(request.send(server.port).json()["error"]["code"], -32602, "{filter}");
    }
    let many: Vec<String> = (0..300).map(|number| format!("notes://{number}")).collect();
    let mut stream = listen(server.port, json!(1), json!({ "resourceSubscriptions": many }));
    let acknowledged = stream.next().unwrap();
    let honoured = acknowledged["params"]["notifications"]["resourceSubscriptions"].as_array().unwrap();
    assert_eq!((honoured.len(), &honoured[255]), (256, &json!("notes://255")));
    // Nor are there more than 64 KiB of URIs.
    let long = |number: usize| format!("notes://{number:03}/{}", "x".repeat(1012));
    let uris: Vec<String> = (0..100).map(long).collect();
    let mut stream = listen(server.port, json!(1), json!({ "resourceSubscriptions": uris }));
    let acknowledged = stream.next().unwrap();
    let honoured = acknowledged["params"]["notifications"]["resourceSubscriptions"].as_array().unwrap();
    assert_eq!(honoured.len(), 64);
    server.changes.resource_updated(long(63));
    server.changes.resource_updated(long(64));
    assert_eq!(stream.next().unwrap()["params"]["uri"], long(63));
    assert!(stream.is_silent());
    // Who can't read a stream can't listen.
    let request = modern(&json!(1), "subscriptions/listen", json!({ "notifications": {} }), json!({}));
    assert_eq!(request.header("Accept", "application/json").send(server.port).status, 406);
}

// Proves: H-11, H-12, RS-05, P-20.
#[test]
fn a_session_is_told_each_change_once_on_one_of_its_streams() {
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let server = Served::new();
        let client = Client::new(server.port, Era::Legacy(revision));
        let stranger = Client::new(server.port, Era::Legacy(revision));
        assert_eq!(client.request("resources/subscribe", json!({ "uri": "notes://work" }))["result"], json!({}));
        let (mut one, mut two) = (Stream::of(&client, server.port), Stream::of(&client, server.port));
        let mut other = Stream::of(&stranger, server.port);
        client.call("announce", json!({}));
        let mut told = Vec::new();
        for stream in [&mut one, &mut two] {
            while !stream.is_silent() {
                told.push(stream.next().unwrap()["method"].as_str().unwrap().to_owned());
            }
        }
        told.sort();
        let lists = ["prompts/list_changed", "resources/list_changed", "resources/updated", "tools/list_changed"];
        assert_eq!(told, lists.map(|method| format!("notifications/{method}")), "{revision}");
        // Who subscribed to nothing hears of the lists alone.
        for _ in 0..3 {
            assert!(other.next().unwrap()["method"].as_str().unwrap().ends_with("list_changed"));
        }
        assert!(other.is_silent());
        assert_eq!(client.request("resources/unsubscribe", json!({ "uri": "notes://work" }))["result"], json!({}));
        server.changes.resource_updated("notes://work");
        assert!(one.is_silent() && two.is_silent());
    }
}

#[test]
fn what_changes_while_no_stream_is_open_is_told_once_on_the_next_one() {
    let server = Served::new();
    let client = Client::new(server.port, Era::Legacy("2025-11-25"));
    client.request("resources/subscribe", json!({ "uri": "notes://work" }));
    for _ in 0..1000 {
        server.changes.tools_changed();
        server.changes.resource_updated("notes://work");
    }
    let mut stream = Stream::of(&client, server.port);
    assert_eq!(stream.next().unwrap()["method"], "notifications/tools/list_changed");
    assert_eq!(stream.next().unwrap()["params"], json!({ "uri": "notes://work" }));
    assert!(stream.is_silent());
    drop(stream);
    // The end of the session is the end of what waits for it.
    assert_eq!(client.headers(Request::of("DELETE")).send(server.port).status / 100, 2);
}

// Proves: RS-05.
#[test]
fn subscriptions_are_bounded_and_their_requests_checked() {
    let server = Served::new();
    let client = Client::new(server.port, Era::Legacy("2025-11-25"));
    for number in 0..256 {
        let answer = client.request("resources/subscribe", json!({ "uri": format!("notes://{number}") }));
        assert_eq!(answer["result"], json!({}));
    }
    for params in [json!({ "uri": "notes://one-more" }), json!({}), json!({ "uri": 7 }), json!({ "uri": "" })] {
        assert_eq!(client.request("resources/subscribe", params)["error"]["code"], -32602);
    }
    assert_eq!(client.request("resources/unsubscribe", json!({ "uri": "unknown" }))["result"], json!({}));
    let client = Client::new(server.port, Era::Legacy("2025-11-25"));
    let subscribe = |number: usize| {
        let uri = format!("notes://{number:03}/{}", "x".repeat(2036));
        client.request("resources/subscribe", json!({ "uri": uri }))
    };
    assert!((0..32).all(|number| subscribe(number)["result"] == json!({})));
    let refused = subscribe(32);
    assert_eq!(refused["error"]["code"], -32602);
    assert!(refused["error"]["message"].as_str().unwrap().contains("65536 bytes"), "{refused}");
}

impl Served {
    /// How many there are who are told what changes.
    fn listeners(&self) -> String {
        format!("{:?}", self.changes)
    }
}

#[test]
fn a_session_that_expired_leaves_no_listener_behind() {
    let server = served(Sessions::default().stored().ttl(Duration::from_secs(2)));
    let client = Client::new(server.port, Era::Legacy("2025-11-25"));
    client.request("resources/subscribe", json!({ "uri": "notes://work" }));
    assert_eq!(server.listeners(), "Changes { listeners: 1 }");
    // It was idle for longer than a session may be.
    eventually("nobody is told any more", Duration::from_secs(20), || server.listeners() == "Changes { listeners: 0 }");
    assert_eq!(
        client.headers(Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)).send(server.port).status,
        404
    );
}

// Proves: C-01, S-10, U-01.
#[test]
fn without_sessions_nothing_is_offered_that_needs_one() {
    let server = served(Sessions::off());
    let params =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
    let answer = Request::post(body.to_string()).revision("2025-11-25").send(server.port).json();
    assert_eq!(
        answer["result"]["capabilities"],
        json!({ "completions": {}, "prompts": {}, "resources": {}, "tools": {} })
    );
    for (method, params) in
        [("logging/setLevel", json!({ "level": "info" })), ("resources/subscribe", json!({ "uri": "notes://work" }))]
    {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        assert_eq!(Request::post(body.to_string()).send(server.port).json()["error"]["code"], -32601);
    }
    let sessions = Served::new();
    let answer = Request::post(body.to_string()).revision("2025-11-25").send(sessions.port).json();
    let offered = json!({ "completions": {}, "logging": {}, "prompts": { "listChanged": true },
        "resources": { "subscribe": true, "listChanged": true }, "tools": { "listChanged": true } });
    assert_eq!(answer["result"]["capabilities"], offered);
}

/// The levels of the log messages that came with the answer.
fn levels(response: &Response) -> Vec<String> {
    let messages = response.messages().into_iter().map(|message| serde_json::from_str::<Value>(&message).unwrap());
    let logs = messages.filter(|message| message["method"] == "notifications/message");
    logs.map(|message| message["params"]["level"].as_str().unwrap().to_owned()).collect()
}

// Proves: U-01, U-02.
#[test]
fn abuse_g20_a_session_chooses_its_own_level_and_nobody_elses() {
    let server = Served::new();
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let client = Client::new(server.port, Era::Legacy(revision));
        let stranger = Client::new(server.port, Era::Legacy(revision));
        let log = |client: &Client| levels(&client.call_request(json!(1), "log", json!({})).send(server.port));
        // Before a session chose, it is told from `info` on.
        assert_eq!(log(&client), ["warning"]);
        assert_eq!(client.request("logging/setLevel", json!({ "level": "debug" }))["result"], json!({}));
        assert_eq!((log(&client), log(&stranger)), (vec!["debug".into(), "warning".into()], vec!["warning".into()]));
        assert_eq!(client.request("logging/setLevel", json!({ "level": "error" }))["result"], json!({}));
        assert_eq!((log(&client), log(&stranger)), (vec![], vec!["warning".into()]));
        for level in [json!("verbose"), json!("Error"), json!(3), Value::Null] {
            assert_eq!(client.request("logging/setLevel", json!({ "level": level }))["error"]["code"], -32602);
        }
    }
}

// Proves: SB-09, U-01, U-03, V-08, P-20.
#[test]
fn on_2026_07_28_a_request_is_told_from_the_level_on_that_it_names_and_otherwise_nothing() {
    let server = Served::new();
    let log = |meta: Value| modern(&json!(1), "tools/call", json!({ "name": "log" }), meta).send(server.port);
    let level = |level: Value| json!({ "io.modelcontextprotocol/logLevel": level });
    let mut listener = listen(server.port, json!(2), json!({ "toolsListChanged": true }));
    listener.next().unwrap();
    assert_eq!(levels(&log(json!({}))), Vec::<String>::new());
    assert_eq!(levels(&log(level(json!("debug")))), ["debug", "warning"]);
    assert_eq!(levels(&log(level(json!("warning")))), ["warning"]);
    assert_eq!(levels(&log(level(json!("error")))), Vec::<String>::new());
    for wrong in [json!("verbose"), json!(1), Value::Null] {
        assert_eq!(log(level(wrong)).json()["error"]["code"], -32602);
    }
    let told = log(level(json!("warning"))).messages();
    let told: Value = serde_json::from_str(&told[0]).unwrap();
    assert_eq!(told["params"], json!({ "level": "warning", "logger": "board", "data": { "left": 3 } }));
    assert!(listener.is_silent(), "who listens is told of no request");
    // It is no method of this revision.
    let request = modern(&json!(1), "logging/setLevel", json!({ "level": "info" }), json!({}));
    let answer = request.send(server.port);
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (404, &json!(-32601)));
}

// Proves: M-08, M-12.
#[test]
fn a_function_sees_the_meta_of_its_request() {
    let server = Served::new();
    for era in [Era::Modern, Era::Legacy("2025-11-25")] {
        let client = Client::new(server.port, era);
        let meta = json!({ "example.com/tenant": { "id": 7 }, "traceparent": "no parent at all" });
        let answer = client.call_request_with_meta(json!(1), "meta", json!({}), meta.clone()).send(server.port).json();
        let seen: Value = serde_json::from_str(answer["result"]["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(seen["example.com/tenant"], meta["example.com/tenant"]);
        // What the client sent along is not sent back.
        assert!(answer["result"]["_meta"].get("example.com/tenant").is_none());
    }
}

#[test]
fn a_function_is_cut_off_at_its_deadline_and_its_work_is_told() {
    let server = Served::new();
    for era in [Era::Modern, Era::Legacy("2025-11-25")] {
        server.board.told.store(false, Ordering::SeqCst);
        let answer = Client::new(server.port, era).call("late", json!({}));
        assert_eq!(answer["result"]["isError"], true);
        assert!(answer["result"]["content"][0]["text"].as_str().unwrap().contains("`late` took longer than 50ms"));
        eventually("the work is told", Duration::from_secs(1), || server.board.told.load(Ordering::SeqCst));
    }
}

#[test]
fn abuse_g8_work_that_a_call_left_behind_is_told_within_a_second_that_its_client_went_away() {
    let server = Served::new();
    let request = modern(&json!(1), "tools/call", json!({ "name": "leave_work" }), json!({}));
    let mut connection = connect(server.port);
    connection.write_all(&request.bytes(server.port)).unwrap();
    eventually("the work begins", Duration::from_secs(5), || server.board.left.load(Ordering::SeqCst));
    drop(connection);
    eventually("the work is told", Duration::from_secs(1), || server.board.told.load(Ordering::SeqCst));
}

#[test]
fn a_notification_and_the_end_of_the_session_cancel_and_an_answer_does_not() {
    let server = Served::new();
    let client = Client::new(server.port, Era::Legacy("2025-11-25"));
    let leave = |cancel: &dyn Fn()| {
        server.board.left.store(false, Ordering::SeqCst);
        server.board.told.store(false, Ordering::SeqCst);
        let mut connection = connect(server.port);
        connection.write_all(&client.call_request(json!(9), "leave_work", json!({})).bytes(server.port)).unwrap();
        eventually("the work begins", Duration::from_secs(5), || server.board.left.load(Ordering::SeqCst));
        // Going away is not cancelling here.
        drop(connection);
        std::thread::sleep(Duration::from_millis(100));
        assert!(!server.board.told.load(Ordering::SeqCst));
        cancel();
        eventually("the work is told", Duration::from_secs(1), || server.board.told.load(Ordering::SeqCst));
    };
    leave(&|| client.notify("notifications/cancelled", json!({ "requestId": 9 })));
    leave(&|| {
        client.headers(Request::of("DELETE")).send(server.port);
    });
    server.board.told.store(false, Ordering::SeqCst);
    Client::new(server.port, Era::Modern).call("leave_work_and_answer", json!({}));
    std::thread::sleep(Duration::from_millis(100));
    assert!(!server.board.told.load(Ordering::SeqCst));
}

/// A server of nothing but what is given to it, served on a free port by a runtime of its own.
pub fn start(server: Server) -> (u16, mcp_runtime::Running, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let running = runtime.block_on(server.port(0).start()).expect("the server starts");
    (running.address().port(), running, runtime)
}

/// The names on the only page of a list.
fn names(client: &Client, list: &str) -> Vec<String> {
    let listed = client.request(&format!("{list}/list"), json!({}));
    let items = listed["result"][list].as_array().unwrap_or_else(|| panic!("{listed}"));
    items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_added_to_a_container_at_run_time_is_listed_and_told_once_in_every_era() {
    let (tools, mounted) = (ToolSet::new(), ToolSet::new());
    let (prompts, resources) = (PromptSet::new(), ResourceSet::new());
    let server = Server::named("containers", "0").tools(tools.clone()).prompts(prompts.clone());
    let inner = Server::named("inner", "0").tools(mounted.clone());
    let (port, running, runtime) = start(server.resources(resources.clone()).mount("in", inner));

    let modern = Client::new(port, Era::Modern);
    let legacy = Client::new(port, Era::Legacy("2025-11-25"));
    let capabilities = &modern.request("server/discover", json!({}))["result"]["capabilities"];
    for list in ["tools", "prompts", "resources"] {
        assert_eq!(capabilities[list]["listChanged"], true, "{capabilities}");
    }
    let filter = json!({ "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
        "resourceSubscriptions": ["set://1"] });
    legacy.request("resources/subscribe", json!({ "uri": "set://1" }));
    let mut streams = [Stream::of(&legacy, port), listen(port, json!(1), filter.clone())];
    assert_eq!(streams[1].next().unwrap()["params"]["notifications"], filter);
    let mut told = |methods: &[&str]| {
        for stream in &mut streams {
            for method in methods {
                assert_eq!(stream.next().unwrap()["method"], format!("notifications/{method}"));
            }
            assert!(stream.is_silent());
        }
    };
    let listed = |list: &str, expected: &[&str]| {
        assert_eq!(names(&modern, list), expected);
        assert_eq!(names(&legacy, list), expected);
    };

    let schema = json!({ "type": "object" });
    let add = |set: &ToolSet, name: &str| {
        set.add_tool(Tool::new(name, "Added.", &schema), async |_: Value| Ok(ToolResult::text("done"))).unwrap();
    };
    add(&tools, "grown");
    told(&["tools/list_changed"]);
    listed("tools", &["grown"]);
    add(&mounted, "grown");
    told(&["tools/list_changed"]);
    listed("tools", &["grown", "in_grown"]);
    assert!(tools.remove("grown"));
    told(&["tools/list_changed"]);
    listed("tools", &["in_grown"]);
    assert!(!tools.remove("grown"));
    told(&[]);

    prompts.add(Prompt::new("hello"), async |_| Ok(PromptResult::new([PromptMessage::user("Hello")]))).unwrap();
    told(&["prompts/list_changed"]);
    listed("prompts", &["hello"]);
    resources.add_text(Resource::new("set://1", "one"), "1").unwrap();
    told(&["resources/list_changed"]);
    listed("resources", &["one"]);
    // What stands in its place reads otherwise.
    resources.add_text(Resource::new("set://1", "one"), "2").unwrap();
    told(&["resources/list_changed", "resources/updated"]);
    runtime.block_on(running.stop());
    runtime.shutdown_background();
}

/// Prompts of somebody's own: none, but they say that they change.
#[derive(Clone, Default)]
struct Restless(Arc<Mutex<Option<Changes>>>);

impl PromptProvider for Restless {
    fn list<'a>(&'a self, _: &'a Context, _: Option<&'a str>) -> BoxFuture<'a, Result<Page<Prompt>, ToolError>> {
        Box::pin(async { Ok(Page::last([])) })
    }

    fn get<'a>(
        &'a self,
        _: &'a Context,
        name: &'a str,
        _: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<PromptResult, ToolError>> {
        Box::pin(async move { Err(ToolError::new(format!("there is no {name}"))) })
    }

    fn changes(&self) -> bool {
        true
    }

    fn connect(&self, changes: &Changes) {
        *self.0.lock().unwrap() = Some(changes.clone());
    }
}

/// Resources that stay as they are.
struct Still;

impl ResourceProvider for Still {
    fn list<'a>(&'a self, _: &'a Context, _: Option<&'a str>) -> BoxFuture<'a, Result<Page<Resource>, ToolError>> {
        Box::pin(async { Ok(Page::last([])) })
    }

    fn read<'a>(&'a self, _: &'a Context, _: &'a str) -> BoxFuture<'a, Result<ResourceResult, ToolError>> {
        Box::pin(async { Ok(ResourceResult::NotFound) })
    }
}

#[test]
fn news_are_promised_where_a_provider_says_that_it_changes_and_nowhere_else() {
    let restless = Restless::default();
    let inner = Server::named("inner", "0").prompts(restless.clone());
    let (port, running, runtime) = start(Server::named("outer", "0").resources(Still).mount("in", inner));
    let discovered = Client::new(port, Era::Modern).request("server/discover", json!({}));
    let capabilities = &discovered["result"]["capabilities"];
    assert_eq!(capabilities["prompts"], json!({ "listChanged": true }));
    assert_eq!(capabilities["resources"], json!({ "subscribe": true }));
    let mut stream = listen(port, json!(1), json!({ "promptsListChanged": true, "resourcesListChanged": true }));
    assert_eq!(stream.next().unwrap()["params"]["notifications"], json!({ "promptsListChanged": true }));
    restless.0.lock().unwrap().as_ref().expect("it was connected").prompts_changed();
    assert_eq!(stream.next().unwrap()["method"], "notifications/prompts/list_changed");
    assert!(stream.is_silent());
    runtime.block_on(running.stop());
    runtime.shutdown_background();
}

#[test]
fn what_a_mounted_server_announces_is_announced_by_the_one_that_is_run() {
    let (inner, deep) = (Server::new(Board::default()), Server::named("deep", "0"));
    let (changes, deeper) = (inner.changes(), deep.changes());
    let (port, running, runtime) = start(Server::named("outer", "0").mount("in", inner.mount("deep", deep)));
    let mut stream =
        listen(port, json!(1), json!({ "toolsListChanged": true, "resourceSubscriptions": ["notes://work"] }));
    assert_eq!(stream.next().unwrap()["params"]["notifications"]["toolsListChanged"], true);
    for handle in [changes, deeper] {
        handle.tools_changed();
        assert_eq!(stream.next().unwrap()["method"], "notifications/tools/list_changed");
        handle.resource_updated("notes://work/1");
        assert_eq!(stream.next().unwrap()["params"]["uri"], "notes://work/1");
    }
    runtime.block_on(running.stop());
    runtime.shutdown_background();
}
