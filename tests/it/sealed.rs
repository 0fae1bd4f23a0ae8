//! Sealed cookies: the client carries the state, any instance with the keys takes it, and no store has anything of it.

use std::{collections::BTreeSet, thread, time::Duration};

use mcp_runtime::{
    Running, Server, Sessions, SigningKeys, auth::DevelopmentTokens, prelude::*, session::RevocationError,
    store::MemoryStore,
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    changes::start,
    support::{
        StdioServer,
        client::{Client, Era},
    },
};

const ERAS: [Era; 2] = [Era::Legacy("2025-11-25"), Era::Modern];

/// What one session likes.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Likes(Vec<String>);

/// How often one session was asked.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Asked(u32);

#[derive(Serialize, Deserialize, JsonSchema)]
struct Answer {
    thing: String,
}

#[mcp_server(name = "likes")]
mod likes {
    use super::*;

    /// Like something.
    #[tool]
    pub fn like(likes: &mut Likes, thing: String) -> usize {
        likes.0.push(thing);
        likes.0.len()
    }

    /// Like something, and fail.
    #[tool]
    pub fn regret(likes: &mut Likes, thing: String) -> Result<String, ToolError> {
        likes.0.push(thing);
        Err(ToolError::new("on second thoughts, no"))
    }

    /// All that is liked, counting how often that is asked.
    #[tool]
    pub fn liked(likes: &Likes, asked: &mut Asked) -> String {
        asked.0 += 1;
        format!("{} times: {}", asked.0, likes.0.join(", "))
    }

    /// Ask what is liked.
    #[tool]
    pub async fn ask(cx: &Context, likes: &mut Likes) -> Result<String, ToolError> {
        let Answer { thing } = cx.ask("what", Elicit::form::<Answer>("What do you like?")).await?;
        likes.0.push(thing);
        Ok(likes.0.join(", "))
    }

    /// Begin another session, with something to like in it.
    #[tool]
    pub fn move_on(cx: &Context, likes: &mut Likes, thing: String) -> Result<String, ToolError> {
        likes.0 = vec![thing];
        Ok(cx.begin_session("moved")?.title().unwrap_or_default().to_owned())
    }

    /// End the session.
    #[tool]
    pub fn forget(cx: &Context) -> Result<String, ToolError> {
        cx.end_session()?;
        Ok("forgotten".into())
    }

    /// How many things are liked, later.
    #[tool(task)]
    pub async fn count_later(likes: &Likes) -> usize {
        likes.0.len()
    }

    /// Say nothing of the session.
    #[tool]
    pub fn ping() -> String {
        "pong".into()
    }

    /// All that is liked.
    #[resource("likes://all")]
    pub fn all(likes: &Likes) -> String {
        likes.0.join(", ")
    }
}

#[mcp_server(name = "others")]
mod others {
    use super::*;

    /// All that is liked.
    #[tool]
    pub fn liked(likes: &Likes) -> String {
        likes.0.join(", ")
    }
}

#[mcp_server(name = "tasks")]
mod tasks {
    use super::*;

    /// Like something, later.
    #[tool(task)]
    pub async fn like_later(likes: &mut Likes) -> String {
        likes.0.push("late".into());
        "liked".into()
    }
}

const OLD: &[u8] = b"the old key of these tests, 32 b!";
const NEW: &[u8] = b"this one came later; 32 bytes too";

fn keys() -> SigningKeys {
    SigningKeys::new("old", OLD).unwrap()
}

/// One instance, with a store of its own that takes nothing.
struct Instance {
    port: u16,
    _running: Running,
    runtime: Option<Runtime>,
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Instance {
    fn of(server: Server, keys: SigningKeys, sessions: impl FnOnce(Sessions) -> Sessions) -> Self {
        let tokens = DevelopmentTokens::new().with("a", "ann").with("b", "bob");
        let server = server.store(MemoryStore::new().with_max_sessions(0)).authorize(tokens);
        let (port, running, runtime) = start(server.sessions(sessions(Sessions::jwt(keys).sealed_cookies())));
        Self { port, _running: running, runtime: Some(runtime) }
    }

    fn new() -> Self {
        Self::of(likes::server(), keys(), |it| it)
    }

    fn ann(&self, era: Era) -> Client {
        Client::new_as(self.port, era, Some("a"))
    }
}

/// A new session's cookie.
fn create(client: &Client) -> Value {
    let made = client.request("session/create", json!({ "hints": { "label": "likes", "data": { "color": "red" } } }));
    let cookie = made["result"]["_meta"]["mcp/session"].clone();
    assert!(cookie["state"].is_string() && cookie["seen"].is_null(), "{made}");
    assert_eq!((&made["result"]["id"], &made["result"]["state"]), (&cookie["id"], &Value::Null));
    cookie
}

fn call(client: &Client, cookie: &Value, tool: &str, thing: &str) -> Value {
    let arguments = if thing.is_empty() { json!({}) } else { json!({ "thing": thing }) };
    let meta = json!({ "mcp/session": cookie });
    client.call_request_with_meta(json!(1), tool, arguments, meta).send(client.port).json()
}

/// What a tool that works says, and the cookie that comes with it.
fn works(client: &Client, cookie: &Value, tool: &str, thing: &str) -> (String, Value) {
    let answer = call(client, cookie, tool, thing);
    let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
    assert_eq!(answer["result"]["isError"], Value::Null, "{answer}");
    (text.to_owned(), answer["result"]["_meta"]["mcp/session"].clone())
}

/// The cookie after something more is liked.
fn like(client: &Client, cookie: &Value, thing: &str) -> Value {
    works(client, cookie, "like", thing).1
}

fn liked(client: &Client, cookie: &Value) -> String {
    works(client, cookie, "liked", "").0
}

/// The cookie with another state.
fn with_state(cookie: &Value, state: &str) -> Value {
    json!({ "id": cookie["id"], "state": state })
}

/// What is told of a session that never was.
fn unknown(client: &Client) -> Value {
    let answer = call(client, &json!({ "id": "sess-0123456789abcdef0123456789abcdef" }), "liked", "");
    assert_eq!(answer["error"]["data"]["reason"], "session_unknown");
    answer
}

#[test]
fn what_a_client_carries_is_there_at_any_instance_in_either_era() {
    let (first, second) = (Instance::new(), Instance::new());
    for era in ERAS {
        let (here, there) = (first.ann(era), second.ann(era));
        let made = create(&here);
        let cookie = like(&here, &made, "milk");
        assert_eq!(cookie["id"], made["id"]);
        assert_eq!((&cookie["data"]["title"], &cookie["data"]["color"]), (&json!("likes"), &json!("red")));
        assert!(cookie["expiry"].as_str() > made["expiry"].as_str(), "being used keeps it alive");
        let (text, cookie) = works(&there, &cookie, "liked", "");
        assert_eq!(text, "1 times: milk");
        // Another revision takes the same one.
        let other = first.ann(if era == Era::Modern { ERAS[0] } else { Era::Modern });
        let cookie = like(&other, &cookie, "bread");
        let (text, cookie) = works(&here, &cookie, "liked", "");
        assert_eq!(text, "2 times: milk, bread");
        // What borrows nothing and what is no tool bring it back, too.
        let (_, cookie) = works(&there, &cookie, "ping", "");
        let meta = json!({ "mcp/session": cookie });
        let read =
            there.message_with_meta("resources/read", json!({ "uri": "likes://all" }), meta).send(second.port).json();
        assert_eq!(read["result"]["contents"][0]["text"], "milk, bread", "{read}");
        assert_eq!(liked(&here, &read["result"]["_meta"]["mcp/session"]), "3 times: milk, bread");
    }
}

#[test]
fn what_is_not_sealed_for_its_bearer_is_a_session_that_never_was() {
    let instance = Instance::new();
    let other_server = Instance::of(others::server(), keys(), |it| it);
    let other_key = Instance::of(likes::server(), SigningKeys::new("old", NEW).unwrap(), |it| it);
    for era in ERAS {
        let (ann, bob) = (instance.ann(era), Client::new_as(instance.port, era, Some("b")));
        let cookie = like(&ann, &create(&ann), "milk");
        let other = like(&ann, &create(&ann), "bread");
        assert_eq!(liked(&ann, &cookie), "1 times: milk");
        let dead = unknown(&ann);
        assert_eq!(call(&bob, &cookie, "liked", ""), dead, "somebody else's");
        for elsewhere in [&other_server, &other_key] {
            assert_eq!(call(&elsewhere.ann(era), &cookie, "liked", ""), dead, "another server's, or another key's");
        }
        let forged = [
            json!({ "id": cookie["id"] }),
            json!({ "id": cookie["id"], "state": null }),
            json!({ "id": cookie["id"], "seen": cookie["state"] }),
            with_state(&cookie, ""),
            with_state(&cookie, other["state"].as_str().unwrap()),
            json!({ "id": other["id"], "state": cookie["state"] }),
            json!({ "id": "x", "state": cookie["state"] }),
            with_state(&cookie, &"A".repeat(100_000)),
        ];
        for forged in &forged {
            assert_eq!(call(&ann, forged, "liked", ""), dead, "{forged}");
            assert_eq!(
                works(&ann, forged, "ping", ""),
                ("pong".into(), Value::Null),
                "what borrows nothing needs none"
            );
        }
        let none = call(&ann, &Value::Null, "liked", "");
        assert_eq!(none["error"]["data"]["reason"], "session_required", "nothing else carries state: {none}");
    }
}

#[test]
fn no_character_of_a_sealed_cookie_can_be_another() {
    let instance = Instance::new();
    let ann = instance.ann(Era::Modern);
    let cookie = like(&ann, &create(&ann), "milk");
    let state = cookie["state"].as_str().unwrap();
    let dead = unknown(&ann);
    for position in 0..state.len() {
        let other = if &state[position..=position] == "A" { "B" } else { "A" };
        let changed = format!("{}{other}{}", &state[..position], &state[position + 1..]);
        assert_eq!(call(&ann, &with_state(&cookie, &changed), "liked", ""), dead, "{changed}");
        let shorter = format!("{}{}", &state[..position], &state[position + 1..]);
        assert_eq!(call(&ann, &with_state(&cookie, &shorter), "liked", ""), dead, "{shorter}");
    }
    assert_eq!(liked(&ann, &cookie), "1 times: milk");
}

#[test]
fn state_that_is_too_large_is_refused_and_nothing_is_lost() {
    let instance = Instance::new();
    for era in ERAS {
        let ann = instance.ann(era);
        let mut cookie = like(&ann, &create(&ann), "milk");
        for _ in 0..3 {
            cookie = like(&ann, &cookie, &"x".repeat(5_000));
        }
        let refused = call(&ann, &cookie, "like", &"y".repeat(2_000));
        assert_eq!(refused["result"]["isError"], true, "{refused}");
        let text = refused["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("Nothing was changed") && text.contains("16384"), "{text}");
        let back = refused["result"]["_meta"]["mcp/session"].clone();
        for cookie in [&cookie, &back] {
            let after = liked(&ann, cookie);
            assert!(after.starts_with("1 times: milk, xxx") && !after.contains('y'), "{after}");
        }
        // Neither does a call that fails change anything.
        let regretted = call(&ann, &cookie, "regret", "bread");
        assert_eq!(regretted["result"]["isError"], true, "{regretted}");
        assert!(!liked(&ann, &regretted["result"]["_meta"]["mcp/session"]).contains("bread"));
    }
}

#[test]
fn an_older_value_counts_until_it_expires_and_calls_at_once_each_go_on_from_what_they_brought() {
    let instance = Instance::of(likes::server(), keys(), |it| it.ttl(Duration::from_secs(3)));
    let ann = instance.ann(Era::Modern);
    let old = like(&ann, &create(&ann), "milk");
    let (left, right) = (like(&ann, &old, "left"), like(&ann, &old, "right"));
    assert_eq!(
        (liked(&ann, &left), liked(&ann, &right)),
        ("1 times: milk, left".into(), "1 times: milk, right".into())
    );
    assert_eq!(liked(&ann, &old), "1 times: milk");
    thread::sleep(Duration::from_millis(1_500));
    // Being used renews what is given out, not what was.
    let (_, newer) = works(&ann, &left, "liked", "");
    thread::sleep(Duration::from_millis(1_600));
    assert_eq!(call(&ann, &old, "liked", ""), unknown(&ann));
    assert_eq!(call(&ann, &left, "liked", ""), unknown(&ann));
    assert_eq!(liked(&ann, &newer), "2 times: milk, left");
}

#[test]
fn keys_rotate_and_only_what_the_old_one_sealed_ends_with_it() {
    let ring = |first: (&str, &[u8]), second: Option<(&str, &[u8])>| {
        let ring = SigningKeys::new(first.0, first.1).unwrap();
        match second {
            Some((kid, key)) => ring.and_verify(kid, key).unwrap(),
            None => ring,
        }
    };
    let (old, new) = (("old", OLD), ("new", NEW));
    let steps = [(old, None), (old, Some(new)), (new, Some(old)), (new, None)];
    let instances = steps.map(|(first, second)| Instance::of(likes::server(), ring(first, second), |it| it));
    let mut clients = instances.iter().map(|instance| instance.ann(Era::Modern));
    let [one, two, three, four] = [(); 4].map(|()| clients.next().unwrap());
    let first = like(&one, &create(&one), "milk");
    let second = like(&two, &first, "bread");
    let third = like(&three, &second, "eggs");
    assert_eq!(liked(&three, &first), "1 times: milk");
    assert_eq!(liked(&two, &third), "1 times: milk, bread, eggs", "who verifies takes what others seal already");
    assert_eq!(liked(&four, &third), "1 times: milk, bread, eggs");
    for gone in [first, second] {
        assert_eq!(call(&four, &gone, "liked", ""), unknown(&four));
    }
}

#[test]
fn what_can_not_be_is_not_announced() {
    let instance = Instance::new();
    for era in ERAS {
        let ann = instance.ann(era);
        let cookie = create(&ann);
        for method in ["session/list", "session/delete"] {
            let asked = ann.message_with_meta(method, json!({}), json!({ "mcp/session": cookie })).send(instance.port);
            assert_eq!(asked.json()["error"]["code"], -32601, "{method}");
        }
        let announced = match era {
            Era::Modern => ann.request("server/discover", json!({})),
            Era::Legacy(revision) => ann.request(
                "initialize",
                json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } }),
            ),
        };
        let session = &announced["result"]["capabilities"]["experimental"]["session"];
        assert_eq!(*session, json!({ "version": 2, "features": ["create"] }), "{announced}");
        let listed = ann.request("tools/list", json!({}));
        let names: BTreeSet<&str> =
            listed["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
        assert!(names.contains("like") && !names.contains("open_session"), "a handle would be asked for in vain");
    }
}

#[test]
fn a_call_without_a_cookie_begins_a_session_where_that_is_wanted_and_a_tool_ends_it() {
    let instance = Instance::of(likes::server(), keys(), Sessions::cookies_on_demand);
    for era in ERAS {
        let ann = instance.ann(era);
        let (_, cookie) = works(&ann, &Value::Null, "like", "milk");
        assert_eq!(cookie["data"]["title"], "lazy-tool-session");
        assert_eq!(liked(&ann, &cookie), "1 times: milk");
        let failed = call(&ann, &Value::Null, "regret", "milk");
        assert_eq!(failed["result"]["_meta"]["mcp/session"], Value::Null, "what did not happen began nothing");
        if era != Era::Modern {
            let params = json!({ "name": "count_later", "arguments": {}, "task": {} });
            let made = ann.request("tools/call", params);
            let begun = &made["result"]["_meta"]["mcp/session"];
            assert_eq!(liked(&ann, begun), "1 times: ", "a call that becomes a task begins one, too: {made}");
        }
        let (title, moved) = works(&ann, &cookie, "move_on", "tea");
        assert_eq!((title.as_str(), &moved["data"]["title"]), ("moved", &json!("moved")));
        assert_ne!(moved["id"], cookie["id"]);
        assert_eq!(liked(&ann, &moved), "1 times: tea", "nothing else of the old one remains");
        let forgotten = call(&ann, &moved, "forget", "");
        let meta = forgotten["result"]["_meta"].as_object().unwrap();
        assert_eq!(meta.get("mcp/session"), Some(&Value::Null), "the client is told to forget it");
    }
}

#[test]
fn a_question_of_one_instance_is_answered_at_another_on_the_state_that_comes_with_the_answer() {
    let (first, second) = (Instance::new(), Instance::new());
    let (here, there) = (first.ann(Era::Modern), second.ann(Era::Modern));
    let cookie = like(&here, &create(&here), "milk");
    let ask = |client: &Client, cookie: &Value, more: Value| {
        let mut params = json!({ "name": "ask", "arguments": {} });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let meta = json!({ "mcp/session": cookie });
        let mut request = client.message_with_meta("tools/call", params, meta);
        let body = String::from_utf8(request.body).unwrap();
        let can_ask = r#"clientCapabilities":{"elicitation":{"form":{}}}"#;
        request.body = body.replace(r#"clientCapabilities":{}"#, can_ask).into_bytes();
        request.send(client.port).json()
    };
    let asked = ask(&here, &cookie, json!({}));
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    let answer = json!({
        "inputResponses": { "what": { "action": "accept", "content": { "thing": "bread" } } },
        "requestState": asked["result"]["requestState"],
    });
    let other = create(&there);
    let foreign = ask(&there, &other, answer.clone());
    assert_eq!(foreign["error"]["code"], -32602, "the answer belongs to the session in which was asked: {foreign}");
    let answered = ask(&there, &cookie, answer);
    assert_eq!(answered["result"]["content"][0]["text"], "milk, bread", "{answered}");
    assert_eq!(liked(&here, &answered["result"]["_meta"]["mcp/session"]), "1 times: milk, bread");
}

#[test]
fn a_server_that_keeps_nothing_between_two_requests_has_state_all_the_same() {
    let start = || Instance::of(likes::server().stateless(), keys(), |it| it);
    let (first, second) = (start(), start());
    for era in ERAS {
        let (here, there) = (first.ann(era), second.ann(era));
        let cookie = like(&here, &create(&here), "milk");
        assert_eq!(liked(&there, &cookie), "1 times: milk");
        assert_eq!(call(&there, &Value::Null, "liked", "")["error"]["data"]["reason"], "session_required");
    }
}

#[test]
fn a_task_reads_what_came_with_its_call_and_one_that_would_change_it_keeps_the_server_from_starting() {
    let instance = Instance::new();
    for era in ERAS {
        let ann = instance.ann(era);
        let cookie = like(&ann, &create(&ann), "milk");
        let mut params = json!({ "name": "count_later", "arguments": {} });
        if era != Era::Modern {
            params["task"] = json!({});
        }
        let mut request = ann.message_with_meta("tools/call", params, json!({ "mcp/session": cookie }));
        let body = String::from_utf8(request.body).unwrap();
        let knows_tasks = r#"clientCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}"#;
        request.body = body.replace(r#"clientCapabilities":{}"#, knows_tasks).into_bytes();
        let made = request.send(instance.port).json();
        let id = [&made["result"]["taskId"], &made["result"]["task"]["taskId"]].into_iter().find_map(Value::as_str);
        let id = id.unwrap_or_else(|| panic!("{made}"));
        assert_eq!(liked(&ann, &made["result"]["_meta"]["mcp/session"]), "1 times: milk", "{made}");
        let count = match era {
            Era::Legacy(_) => ann.request("tasks/result", json!({ "taskId": id })),
            Era::Modern => loop {
                let mut request = ann.message_with_meta("tasks/get", json!({ "taskId": id }), json!({}));
                let body = String::from_utf8(request.body).unwrap();
                request.body = body.replace(r#"clientCapabilities":{}"#, knows_tasks).into_bytes();
                let got = request.header("Mcp-Name", id).send(instance.port).json();
                if got["result"]["status"] != "working" {
                    break got["result"].clone();
                }
                thread::sleep(Duration::from_millis(5));
            },
        };
        assert_eq!(count["result"]["content"][0]["text"], "1", "{count}");
    }

    let runtime = Runtime::new().unwrap();
    let start = |sessions: Sessions| runtime.block_on(tasks::server().sessions(sessions).port(0).start());
    let refused = start(Sessions::default().sealed_cookies()).expect_err("it does not start").to_string();
    assert!(refused.contains("`like_later`") && refused.contains("sealed_cookies"), "{refused}");
    drop(start(Sessions::default().cookies()).expect("a store keeps what a task changes"));
}

#[test]
fn a_session_that_its_client_keeps_can_not_be_ended_before_its_time() {
    let runtime = Runtime::new().unwrap();
    let server = likes::server().sessions(Sessions::jwt(keys()).sealed_cookies()).port(0);
    let revocations = server.revocations();
    let running = runtime.block_on(server.start()).unwrap();
    let port = running.address().port();
    let client = Client::new(port, Era::Modern);
    let cookie = create(&client);
    let refused = runtime.block_on(revocations.revoke(cookie["id"].as_str().unwrap())).unwrap_err();
    assert!(matches!(refused, RevocationError::Sealed), "{refused}");
    assert_eq!(works(&client, &cookie, "like", "milk").0, "1");
}

#[test]
fn a_sealed_cookie_goes_on_over_stdio_in_the_next_process() {
    const KEYS: [(&str, &str); 1] = [("MCP_SESSION_KEYS", "k1:YSBmaXhlZCBrZXkgb2YgdGhlIHRlc3RzLCAzMiBieXRlcyE=")];
    let modern = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let hello = json!({
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" }
    });
    for meta in [None, Some(modern)] {
        // Each process has one client, which asks this and ends.
        let ask = |method: &str, params: &Value, cookie: &Value, keys: &[(&str, &str)]| -> Value {
            let mut server = StdioServer::with("preferences", &[], keys);
            if meta.is_none() {
                server.send(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello }).to_string());
                server.receive();
                server.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
            }
            let mut params = params.clone();
            params["_meta"] = meta.clone().unwrap_or_else(|| json!({}));
            params["_meta"]["mcp/session"] = cookie.clone();
            server.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string());
            let answer = serde_json::from_str(&server.receive()).expect("JSON");
            server.finish();
            answer
        };
        let of = |answer: Value| answer["result"]["_meta"]["mcp/session"].clone();
        let prefer = json!({ "name": "prefer", "arguments": { "topic": "units", "choice": "metric" } });
        let preferred = json!({ "name": "preferred", "arguments": {} });
        let made = of(ask("session/create", &json!({}), &Value::Null, &KEYS));
        let cookie = of(ask("tools/call", &prefer, &made, &KEYS));
        let read = ask("tools/call", &preferred, &cookie, &KEYS);
        assert_eq!(read["result"]["structuredContent"], json!({ "units": "metric" }), "{read}");
        let elsewhere = ask("tools/call", &preferred, &cookie, &[]);
        assert_eq!(elsewhere["error"]["data"]["reason"], "session_unknown", "{elsewhere}");
    }
}
