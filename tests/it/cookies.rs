//! Sessions that a cookie in `_meta` carries: whose they are, how long, and what else carries state beside them.

use mcp_runtime::{
    Context, Sessions, ToolError, ToolResult,
    auth::DevelopmentTokens,
    protocol::Tool,
    provider::{Page, ToolProvider},
    service::BoxFuture,
};
use serde_json::{Value, json, value::RawValue};

use crate::{
    behaviour::Served,
    support::{
        HttpServer, Request, StdioServer,
        client::{Client, Era},
    },
};

const ERAS: [Era; 2] = [Era::Legacy("2025-11-25"), Era::Modern];

fn with_cookies() -> Served {
    let tokens = DevelopmentTokens::new().with("token-of-ann", "ann").with("token-of-bob", "bob");
    Served::new(|server| server.authorize(tokens).sessions(Sessions::default().cookies()))
}

fn cookie(id: &str) -> Value {
    json!({ "mcp/session": { "id": id } })
}

fn create(client: &Client, label: &str) -> String {
    let made = client.request("session/create", json!({ "hints": { "label": label } }));
    made["result"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

/// Counts one call more.
fn count(client: &Client, id: Option<&str>) -> Value {
    let meta = id.map_or(json!({}), cookie);
    client.call_request_with_meta(json!(1), "count", json!({ "by": 1 }), meta).send(client.port).json()
}

fn ids(client: &Client) -> Vec<String> {
    let listed = client.request("session/list", json!({}));
    let sessions = listed["result"]["sessions"].as_array().unwrap_or_else(|| panic!("{listed}"));
    sessions.iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect()
}

/// What is told of a session that does not exist.
fn unknown(answer: &Value) -> bool {
    answer["error"]["data"]["reason"] == "session_unknown"
}

#[test]
fn abuse_i6_a_cookie_of_somebody_else_is_a_session_that_does_not_exist() {
    let served = with_cookies();
    for era in ERAS {
        let ann = Client::new_as(served.port, era, Some("token-of-ann"));
        let bob = Client::new_as(served.port, era, Some("token-of-bob"));
        let id = create(&ann, "of ann");
        assert_eq!(count(&ann, Some(&id))["result"]["content"][0]["text"], "1");
        let foreign = count(&bob, Some(&id));
        let missing = count(&bob, Some("sess-0123456789abcdef0123456789abcdef"));
        assert!(unknown(&foreign), "{foreign}");
        assert_eq!(foreign, missing);
        assert_eq!(bob.request("session/delete", json!({ "id": id }))["result"]["deleted"], false);
        assert!(!ids(&bob).contains(&id));
        assert!(ids(&ann).contains(&id));
        assert_eq!(count(&ann, Some(&id))["result"]["content"][0]["text"], "2");
    }
}

#[test]
fn one_cookie_carries_the_same_state_in_every_revision() {
    let served = with_cookies();
    let eras = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"].map(Era::Legacy);
    let clients: Vec<Client> = eras
        .into_iter()
        .chain([Era::Modern])
        .map(|era| Client::new_as(served.port, era, Some("token-of-ann")))
        .collect();
    let id = create(&clients[0], "everywhere");
    for (index, client) in clients.iter().enumerate() {
        let counted = count(client, Some(&id));
        assert_eq!(counted["result"]["content"][0]["text"], (index + 1).to_string(), "{counted}");
        assert_eq!(counted["result"]["_meta"]["mcp/session"]["id"], *id);
    }
}

#[test]
fn a_client_holds_several_sessions_and_the_one_of_the_protocol_beside_them() {
    let served = with_cookies();
    let client = Client::new_as(served.port, Era::Legacy("2025-11-25"), Some("token-of-ann"));
    let (first, second) = (create(&client, "first"), create(&client, "second"));
    for (id, expected) in
        [(Some(&first), 1), (Some(&second), 1), (None, 1), (Some(&first), 2), (None, 2), (Some(&first), 3)]
    {
        let counted = count(&client, id.map(String::as_str));
        assert_eq!(counted["result"]["content"][0]["text"], expected.to_string(), "{counted}");
    }
    let mut both = vec![first.clone(), second.clone()];
    both.sort();
    assert_eq!(ids(&client), both);
    assert_eq!(client.request("session/delete", json!({ "id": first }))["result"], json!({ "deleted": true }));
    assert_eq!(ids(&client), [second]);
    assert!(unknown(&count(&client, Some(&first))));
}

#[test]
fn what_is_no_cookie_is_none() {
    let served = with_cookies();
    let client = Client::new_as(served.port, Era::Legacy("2025-11-25"), Some("token-of-ann"));
    for (nth, wrong) in [json!(null), json!("sess-1"), json!([]), json!({}), json!({ "id": "" }), json!({ "id": 5 })]
        .into_iter()
        .enumerate()
    {
        let request =
            client.call_request_with_meta(json!(1), "count", json!({ "by": 1 }), json!({ "mcp/session": wrong }));
        let counted = request.send(served.port).json();
        assert_eq!(counted["result"]["content"][0]["text"], (nth + 1).to_string(), "{counted}");
        assert_eq!(counted["result"]["_meta"]["mcp/session"], Value::Null);
    }
    // What is one and names nothing breaks only what needs it.
    for dead in ["sess-", "sess-0123456789ABCDEF0123456789ABCDEF", "x", &"sess-0".repeat(2_000)] {
        assert!(unknown(&count(&client, Some(dead))), "{dead}");
        let echo = client.call_request_with_meta(json!(1), "echo", json!({ "text": "hi" }), cookie(dead));
        assert_eq!(echo.send(served.port).json()["result"]["content"][0]["text"], "hi");
    }
}

#[test]
fn a_cookie_survives_the_server_that_made_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = format!("file:{}", folder.path().join("notes").display());
    // No key is given: what the store keeps is found without any.
    let start = || HttpServer::with("notebook", &["--store", &store], &[]);
    let append = |client: &Client, id: &str, text: &str| {
        let request = client.call_request_with_meta(json!(1), "notebook_append", json!({ "text": text }), cookie(id));
        request.send(client.port).json()["result"]["structuredContent"]["note_number"].clone()
    };
    let before = start();
    let client = Client::new(before.port, Era::Legacy("2025-11-25"));
    let id = create(&client, "kept");
    assert_eq!(append(&client, &id, "milk"), 1);
    before.kill();
    let after = start();
    for (number, era) in (2..).zip(ERAS) {
        assert_eq!(append(&Client::new(after.port, era), &id, "bread"), number);
    }
}

#[test]
fn a_cookie_is_found_again_over_stdio_by_the_next_process() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = format!("file:{}", folder.path().join("hashes").display());
    let modern = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let hello = json!({
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" }
    });
    for meta in [None, Some(modern)] {
        // Each process has one client, which asks these and gets as many answers.
        let ask = |asked: &[(&str, Value)], id: Option<&str>| -> Vec<Value> {
            let mut server = StdioServer::with("hashcheck", &["--store", &store], &[]);
            if meta.is_none() {
                server.send(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello }).to_string());
                server.receive();
                server.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
            }
            let answers = asked.iter().map(|(method, params)| {
                let mut params = params.clone();
                params["_meta"] = meta.clone().unwrap_or_else(|| json!({}));
                if let Some(id) = id {
                    params["_meta"]["mcp/session"] = json!({ "id": id });
                }
                server.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string());
                serde_json::from_str::<Value>(&server.receive()).expect("JSON")["result"].clone()
            });
            let answers = answers.collect();
            server.finish();
            answers
        };
        let tool = |name: &str, arguments: Value| ("tools/call", json!({ "name": name, "arguments": arguments }));
        let password = json!({ "key": "password", "text": "secret123" });
        let made = ask(&[("session/create", json!({}))], None);
        let id = made[0]["id"].as_str().unwrap_or_else(|| panic!("{made:?}")).to_owned();
        ask(&[tool("hashcheck_store", password.clone())], Some(&id));
        let again = ask(&[tool("hashcheck_verify", password.clone()), ("session/delete", json!({}))], Some(&id));
        let text = again[0]["content"][0]["text"].as_str().unwrap_or_default();
        assert_eq!(text, "MATCH - key 'password' verified successfully.", "{again:?}");
        assert_eq!((&again[1]["deleted"], &again[1]["_meta"]["mcp/session"]), (&json!(true), &Value::Null));
        let gone = ask(&[tool("hashcheck_verify", password), ("session/delete", json!({ "id": id }))], Some(&id));
        assert_eq!((&gone[0], &gone[1]["deleted"]), (&Value::Null, &json!(false)), "{gone:?}");
    }
}

#[test]
fn a_session_that_is_not_used_expires() {
    let served =
        Served::new(|server| server.sessions(Sessions::default().cookies().ttl(std::time::Duration::from_secs(1))));
    let client = Client::new(served.port, Era::Modern);
    let id = create(&client, "short");
    assert_eq!(count(&client, Some(&id))["result"]["content"][0]["text"], "1");
    std::thread::sleep(std::time::Duration::from_millis(1_600));
    assert!(unknown(&count(&client, Some(&id))));
}

#[test]
fn who_can_not_be_told_from_others_has_no_list() {
    let served = Served::new(|server| server.sessions(Sessions::default().cookies()));
    let (ann, bob) = (Client::new(served.port, Era::Modern), Client::new(served.port, Era::Modern));
    let id = create(&ann, "of ann");
    assert_eq!(ids(&bob), [""; 0]);
    let listed = json!({ "_meta": cookie(&id) });
    let own = ann.message_with_meta("session/list", json!({}), listed["_meta"].clone()).send(served.port).json();
    assert_eq!(own["result"]["sessions"][0]["id"], *id, "{own}");
    // In a session of the protocol, the ones that were made in it are listed.
    let legacy = Client::new(served.port, Era::Legacy("2025-11-25"));
    assert_eq!(ids(&legacy), [""; 0]);
    let made = create(&legacy, "mine");
    assert_eq!(ids(&legacy), [made]);
}

#[test]
fn a_server_without_cookies_has_no_such_methods_and_ignores_the_key() {
    let served = Served::new(|server| server);
    for era in ERAS {
        let client = Client::new(served.port, era);
        assert_eq!(client.request("session/create", json!({}))["error"]["code"], -32601);
        let echo = client.call_request_with_meta(json!(1), "echo", json!({ "text": "hi" }), cookie("sess-1"));
        assert_eq!(echo.send(served.port).json()["result"]["content"][0]["text"], "hi");
    }
    let initialize =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize });
    let welcome = Request::post(body.to_string()).send(served.port).json();
    assert_eq!(welcome["result"]["capabilities"]["experimental"], Value::Null);
}

/// Tools that are not known at compile time and change the session.
struct Doors;

impl ToolProvider for Doors {
    fn list<'a>(&'a self, _: &'a Context, _: Option<&'a str>) -> BoxFuture<'a, Result<Page<Tool>, ToolError>> {
        let schema = json!({ "type": "object" });
        let tools = ["enter", "enter_and_fail", "leave", "where"].map(|name| Tool::new(name, "A door.", &schema));
        Box::pin(std::future::ready(Ok(Page::last(tools))))
    }

    fn call<'a>(
        &'a self,
        cx: &'a Context,
        name: &'a str,
        _: &'a RawValue,
    ) -> BoxFuture<'a, Result<ToolResult, ToolError>> {
        Box::pin(async move {
            match name {
                "enter" | "enter_and_fail" => {
                    cx.begin_session("a room")?;
                }
                "leave" => cx.end_session()?,
                _ => {}
            }
            if name == "enter_and_fail" {
                return Err(ToolError::new("the door is locked"));
            }
            Ok(ToolResult::text(cx.cookie().and_then(|cookie| cookie.title()).unwrap_or("outside")))
        })
    }
}

#[test]
fn a_provided_tool_begins_and_ends_the_session_that_a_cookie_carries_if_it_succeeds() {
    let tokens = DevelopmentTokens::new().with("token-of-ann", "ann");
    let served = Served::new(|server| server.authorize(tokens).tools(Doors).sessions(Sessions::default().cookies()));
    for era in ERAS {
        let ann = Client::new_as(served.port, era, Some("token-of-ann"));
        let call = |tool: &str, id: Option<&str>| {
            let meta = id.map_or(json!({}), cookie);
            ann.call_request_with_meta(json!(1), tool, json!({}), meta).send(ann.port).json()["result"].clone()
        };
        let named = |result: &Value| result["_meta"]["mcp/session"]["id"].as_str().map(ToOwned::to_owned);
        let before = ids(&ann);
        let failed = call("enter_and_fail", None);
        assert_eq!((&failed["isError"], named(&failed)), (&json!(true), None), "{failed}");
        assert_eq!(ids(&ann), before, "what fails begins nothing");
        let entered = call("enter", None);
        let id = named(&entered).unwrap_or_else(|| panic!("{entered}"));
        assert_eq!(entered["content"][0]["text"], "a room");
        assert!(ids(&ann).contains(&id));
        let there = call("where", Some(&id));
        assert_eq!((&there["content"][0]["text"], named(&there)), (&json!("a room"), Some(id.clone())));
        // Its state is that of the declared tools.
        assert_eq!(count(&ann, Some(&id))["result"]["content"][0]["text"], "1");
        let left = call("leave", Some(&id));
        assert_eq!(left["_meta"].as_object().and_then(|meta| meta.get("mcp/session")), Some(&Value::Null), "{left}");
        assert!(unknown(&count(&ann, Some(&id))));
        assert!(!ids(&ann).contains(&id));
    }
}
