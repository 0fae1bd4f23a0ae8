//! Programs as an operator runs them: flags, environment, signals, what is printed where.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    official_schema,
    support::{
        HttpServer, Request, StdioServer,
        client::{Client, Era},
        process::command,
    },
};

/// Sends a signal to a process that this test started.
fn signal(pid: u32, signal: &str) {
    let status = Command::new("kill").args([signal, &pid.to_string()]).status().expect("`kill` is there");
    assert!(status.success());
}

/// Runs an example that ends by itself; gives its exit code and what it said.
fn run_to_its_end(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = command(name)
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the example runs");
    assert!(output.stdout.is_empty() || arguments.contains(&"--help") || arguments.contains(&"--version"));
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;

#[test]
fn http_prints_its_url_and_how_to_connect_and_ends_well_on_sigterm() {
    let mut server = HttpServer::start("calculator");
    let url = server.url();
    let mut stream = crate::support::http::connect(server.port);
    let client = Client::new(server.port, Era::Legacy("2025-11-25"));
    std::io::Write::write_all(
        &mut stream,
        &client.headers(Request::of("GET")).header("Accept", "text/event-stream").bytes(server.port),
    )
    .unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let begun = Instant::now();
    signal(server.pid(), "-TERM");
    assert_eq!(server.wait(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5), "an open stream held the end up for {:?}", begun.elapsed());
    let said: Vec<String> = server.stderr.iter().collect();
    let said = said.join("\n");
    for expected in ["npx @modelcontextprotocol/inspector", "claude mcp add", "code --add-mcp", &url] {
        assert!(said.contains(expected), "{expected:?} is not in {said}");
    }
}

// Proves: T-01, T-05, T-08.
#[test]
fn stdio_writes_nothing_but_frames_and_ends_with_its_input() {
    let mut server = StdioServer::start("notebook");
    server.send(INITIALIZE);
    server.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    server.send("this is no message");
    server.send(r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"notebook_status"}}"#);
    let (code, lines) = server.finish();
    assert_eq!(code, Some(0));
    let messages: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).expect("a frame")).collect();
    assert_eq!(messages.len(), 3, "{lines:?}");
    let sent = [INITIALIZE, "this is no message", r#"{"id":2,"method":"tools/call"}"#];
    for message in &messages {
        let answered = sent.iter().find(|sent| {
            serde_json::from_str(sent).is_ok_and(|sent: Value| sent["id"] == message["id"])
                || message.get("id").is_none() && !sent.starts_with('{')
        });
        official_schema::assert_valid("2025-11-25", answered.expect("every message answers one"), message);
    }
    assert!(messages.iter().any(|message| message["error"]["code"] == -32700 && message.get("id").is_none()));
}

// Proves: T-02.
#[test]
fn stdio_says_on_stderr_how_to_connect_and_ends_well_on_sigterm() {
    let mut server = StdioServer::start("notebook");
    server.send(INITIALIZE);
    server.receive();
    let said: Vec<String> =
        std::iter::from_fn(|| server.stderr.recv_timeout(Duration::from_millis(200)).ok()).collect();
    let said = said.join("\n");
    assert!(said.contains("npx @modelcontextprotocol/inspector") && said.contains("claude mcp add"), "{said}");
    signal(server.pid(), "-TERM");
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn ctrl_c_ends_http_and_stdio_with_exit_code_0() {
    let mut http = HttpServer::start("counter");
    signal(http.pid(), "-INT");
    assert_eq!(http.wait(), Some(0));
    let mut stdio = StdioServer::start("counter");
    stdio.send(INITIALIZE);
    stdio.receive();
    signal(stdio.pid(), "-INT");
    assert_eq!(stdio.wait(), Some(0));
}

#[test]
fn the_first_server_counts_in_its_session() {
    let server = HttpServer::start("counter");
    let (client, other) =
        (Client::new(server.port, Era::Legacy("2025-11-25")), Client::new(server.port, Era::Legacy("2025-06-18")));
    client.call("count_up", json!({ "by": 40 }));
    assert_eq!(*client.structured(&client.call("count_up", json!({ "by": 2 }))), json!(42));
    assert_eq!(*client.structured(&client.call("count_so_far", json!({}))), json!(42));
    assert_eq!(*other.structured(&other.call("count_so_far", json!({}))), json!(0));
}

#[test]
fn a_server_inside_an_application_is_one_route_among_others() {
    let server = HttpServer::with("embedded", &[], &[("PORT", "0")]);
    let mut front = Request::of("GET");
    front.path = "/".into();
    let front = front.send(server.port);
    assert_eq!((front.status, front.text().as_str()), (200, "The MCP endpoint is /mcp"));
    for era in [Era::Legacy("2025-11-25"), Era::Modern] {
        let client = Client::new(server.port, era);
        let rolled = client.call("roll", json!({ "sides": 2 }));
        assert!(matches!(client.structured(&rolled).as_u64(), Some(1 | 2)), "{rolled}");
        assert_eq!(client.call("roll", json!({ "sides": 1 }))["result"]["isError"], true);
    }
}

#[test]
fn the_environment_chooses_and_a_flag_wins_over_it() {
    let server =
        HttpServer::with("calculator", &["--path", "/flag"], &[("MCP_PATH", "/variable"), ("MCP_HOST", "127.0.0.1")]);
    let ping = |path: &str| {
        let mut request = Request::post(INITIALIZE).revision("2025-11-25");
        request.path = path.into();
        request.send(server.port).status
    };
    assert_eq!((ping("/flag"), ping("/variable"), ping("/mcp")), (200, 404, 404));
}

// Proves: H-03.
#[test]
fn listening_to_everybody_needs_authorization_or_a_flag() {
    let arguments = ["--transport", "streamable-http", "--host", "0.0.0.0", "--port", "0"];
    let (code, said) = run_to_its_end("calculator", &arguments, &[]);
    assert_eq!(code, Some(1));
    assert!(said.contains("--allow-unauthenticated-public") && said.contains("authorize"), "{said}");
    let server = HttpServer::with("calculator", &["--host", "0.0.0.0", "--allow-unauthenticated-public"], &[]);
    assert_eq!(Request::post(INITIALIZE).revision("2025-11-25").send(server.port).status, 200);
}

#[test]
fn mistakes_of_the_operator_are_explained() {
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);
    let cases: [Case<'_>; 5] = [
        (&["--transport", "carrier-pigeon"], &[], "streamable-http"),
        (&["--port", "many"], &[], "--port"),
        (&["--store", "redis"], &[], "memory:"),
        (&[], &[("MCP_SESSION_KEYS", "k1:c2hvcnQ=")], "openssl rand -base64 32"),
        (&[], &[("MCP_TRANSPORT", "pigeon")], "MCP_TRANSPORT"),
    ];
    for (arguments, environment, expected) in cases {
        let (code, said) = run_to_its_end("notebook", arguments, environment);
        assert!(code.is_some_and(|code| code != 0), "{arguments:?} {environment:?} ended with {code:?}");
        assert!(said.contains(expected), "{arguments:?} {environment:?}: {expected:?} is not in {said}");
    }
}

#[test]
fn sessions_of_one_key_and_file_survive_a_crash_in_both_eras() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("file:{}", folder.path().join("state.redb").display());
    let key = [("MCP_SESSION_KEYS", "k1:YSBmaXhlZCBrZXkgb2YgdGhlIHRlc3RzLCAzMiBieXRlcyE=")];
    let arguments = ["--store", store.as_str()];
    let server = HttpServer::with("tutorial", &arguments, &key);
    let (legacy, modern) = (Client::new(server.port, Era::Legacy("2025-11-25")), Client::new(server.port, Era::Modern));
    for client in [&legacy, &modern] {
        client.call("memory_add", json!({ "number": 40 }));
    }
    server.kill();
    let server = HttpServer::with("tutorial", &arguments, &key);
    let stale = legacy.moved(server.port);
    for client in [&stale, &modern.moved(server.port)] {
        let answer = client.call("memory_add", json!({ "number": 2 }));
        assert_eq!(answer["result"]["content"][0]["text"], "42.0", "{answer}");
    }
    // With another key, the sessions are dead, and nothing else is said about them.
    drop(server);
    let other = [("MCP_SESSION_KEYS", "k1:YW5vdGhlciBrZXkgb2YgdGhlIHRlc3RzLCAzMmJ5dGVz")];
    let server = HttpServer::with("tutorial", &arguments, &other);
    let ping = Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    assert_eq!(stale.headers(ping).send(server.port).status, 404);
}

// Proves: S-09.
#[test]
fn the_idle_time_of_a_session_is_the_operators() {
    let server = HttpServer::with("tutorial", &["--session-ttl", "3"], &[]);
    let client = Client::new(server.port, Era::Legacy("2025-11-25"));
    assert!(client.call("memory_add", json!({ "number": 1 }))["error"].is_null());
    std::thread::sleep(Duration::from_millis(5_000));
    let request = client.call_request(json!(1), "memory_recall", json!({}));
    assert_eq!(request.send(server.port).status, 404);
}

#[test]
fn logs_are_json_when_the_operator_wants_it() {
    let mut server = HttpServer::with("calculator", &["--json-logs"], &[]);
    signal(server.pid(), "-TERM");
    assert_eq!(server.wait(), Some(0));
    let said: Vec<String> = server.stderr.iter().collect();
    let logged = said.iter().filter(|line| line.starts_with('{')).find(|line| line.contains("stopping"));
    let logged: Value = serde_json::from_str(logged.unwrap_or_else(|| panic!("nothing is logged: {said:#?}"))).unwrap();
    assert_eq!(logged["level"], "INFO");
}

#[test]
fn the_curl_commands_of_a_plain_client_work_without_accept_capabilities_and_initialized() {
    let server =
        HttpServer::with("session_server", &[], &[("SESSION_SIGNING_KEY", "a secret of at least 32 bytes, as asked")]);
    let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","clientInfo":{"name":"test","version":"1.0"}}}"#;
    let response = Request::post(initialize).revision("2025-11-25").without("Accept").send(server.port);
    assert_eq!(response.status, 200);
    let id = response.header("mcp-session-id").expect("a session id").to_owned();
    assert_eq!(id.split('.').count(), 3, "a signed token");
    let list = Request::post(r#"{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{}}"#)
        .revision("2025-11-25")
        .without("Accept");
    let list = list.header("MCP-Protocol-Version", "2025-11-25").header("MCP-Session-Id", &id).send(server.port);
    assert_eq!(list.json()["result"]["tools"][0]["name"], "greet");
    let greet =
        r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"greet","arguments":{"name":"World"}}}"#;
    let greeted = Request::post(greet).revision("2025-11-25").header("MCP-Session-Id", &id).send(server.port);
    assert_eq!(greeted.json()["result"]["content"][0]["text"], "Hello, World!");
    // Other instances take ids of this key too and would not know that one was ended: that is said, not hidden.
    assert_eq!(Request::of("DELETE").header("MCP-Session-Id", &id).send(server.port).status, 405);
    // With a key of the process alone, an ended session is over.
    let server = HttpServer::start("session_server");
    let client = Client::new(server.port, Era::Legacy("2025-11-25"));
    assert_eq!(client.headers(Request::of("DELETE")).send(server.port).status, 204);
    assert_eq!(client.headers(Request::of("DELETE")).send(server.port).status, 404);
}
