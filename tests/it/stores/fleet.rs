//! Several instances of one server over one store, and a store that goes down under them.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::engine::{Durability, Engine, RedisServer};
use crate::{
    changes::{Stream, listen},
    support::{
        Request,
        client::{Client, Era},
        process::{HttpServer, command},
        stream::{Event, EventStream},
    },
};

/// The key that all instances have.
pub(super) const KEYS: [(&str, &str); 1] =
    [("MCP_SESSION_KEYS", "k1:YSBmaXhlZCBrZXkgb2YgdGhlIHRlc3RzLCAzMiBieXRlcyE=")];

pub(super) const ERAS: [Era; 2] = [Era::Legacy("2025-11-25"), Era::Modern];

pub(super) fn instance(engine: &impl Engine) -> HttpServer {
    HttpServer::with("tutorial", &["--store", &engine.url()], &KEYS)
}

pub(super) fn sum(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

/// What an instance says of a start that can't be.
pub(super) fn refusal(store: &str, environment: &[(&str, &str)]) -> String {
    let mut command = command("tutorial");
    command.args(["--transport", "streamable-http", "--port", "0", "--store", store]).envs(environment.iter().copied());
    let begin = Instant::now();
    let output = command.output().expect("the example starts");
    assert!(begin.elapsed() < Duration::from_secs(5), "an operator is told soon");
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn any_instance_serves_any_session_in_both_eras_and_one_that_ended_has_ended_everywhere() {
    let Some(engine) = RedisServer::start(Durability::None) else { return };
    let instances = [instance(&engine), instance(&engine), instance(&engine)];
    for era in ERAS {
        let mut client = Client::new(instances[0].port, era);
        for turn in 0..9 {
            client = client.moved(instances[turn % 3].port);
            assert_eq!(sum(&client.call("memory_add", json!({ "number": 1 }))), format!("{}.0", turn + 1));
        }
        if era == Era::Modern {
            continue;
        }
        let ping = || client.headers(Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#));
        assert!(instances.iter().all(|instance| ping().send(instance.port).status == 200));
        assert_eq!(client.headers(Request::of("DELETE")).send(instances[1].port).status, 204);
        assert!(instances.iter().all(|instance| ping().send(instance.port).status == 404));
    }
}

#[test]
fn an_instance_that_is_killed_takes_no_session_with_it() {
    let Some(engine) = RedisServer::start(Durability::None) else { return };
    for era in ERAS {
        let mut first = instance(&engine);
        let mut client = Client::new(first.port, era);
        for turn in 1..4 {
            assert_eq!(sum(&client.call("memory_add", json!({ "number": 1 }))), format!("{turn}.0"));
            let second = instance(&engine);
            first.kill();
            client = client.moved(second.port);
            first = second;
        }
    }
}

/// An outage as a client sees it, and its end.
pub(super) fn outage<E: Engine>(engine: &mut E, down: impl Fn(&mut E), up: impl Fn(&mut E)) {
    let instance = instance(engine);
    let clients = ERAS.map(|era| Client::new(instance.port, era));
    for client in &clients {
        client.call("memory_add", json!({ "number": 1 }));
    }
    for turn in 2..4 {
        down(engine);
        for client in &clients {
            let begin = Instant::now();
            let response = client.call_request(json!(7), "memory_recall", json!({})).send(instance.port);
            assert!(begin.elapsed() < Duration::from_millis(2500), "an outage is told soon: {:?}", begin.elapsed());
            assert_eq!(response.status, 503, "an outage is neither a lost session nor a success");
            assert!(response.header("retry-after").is_some(), "a client is told to come back");
            assert_eq!(response.json()["error"]["code"], -32603);
            assert!(!response.text().contains("127.0.0.1"), "nobody is told where the store is");
        }
        up(engine);
        let back = Instant::now();
        for client in &clients {
            let recalled = loop {
                let response = client.call_request(json!(8), "memory_recall", json!({})).send(instance.port);
                if response.status == 200 {
                    break response.json();
                }
                assert_eq!(response.status, 503);
                assert!(back.elapsed() < Duration::from_secs(3), "a store that is back is in use within three seconds");
            };
            assert_eq!(sum(&recalled), format!("{}.0", turn - 1), "what was acknowledged is there");
            assert_eq!(sum(&client.call("memory_add", json!({ "number": 1 }))), format!("{turn}.0"));
        }
    }
}

#[test]
fn a_redis_that_crashes_is_503_and_all_that_was_acknowledged_is_there_afterwards() {
    let Some(mut engine) = RedisServer::start(Durability::Disk) else { return };
    outage(&mut engine, |engine| engine.process().kill(), Engine::restart);
}

#[test]
fn a_redis_that_freezes_is_503_within_two_seconds() {
    let Some(mut engine) = RedisServer::start(Durability::None) else { return };
    outage(&mut engine, |engine| engine.process().freeze(), |engine| engine.process().thaw());
}

#[test]
fn a_start_that_can_not_be_is_explained_to_the_operator() {
    let nobody = refusal("redis://:secret@127.0.0.1:1", &KEYS);
    assert!(nobody.contains("Redis at 127.0.0.1:1/0 can't be reached") && !nobody.contains("secret"), "{nobody}");
    let secure = refusal("rediss://127.0.0.1:1", &KEYS);
    assert!(secure.contains("over TLS"), "{secure}");
    let Some(engine) = RedisServer::start(Durability::None) else { return };
    let random = refusal(&engine.url(), &[]);
    assert!(random.contains("MCP_SESSION_KEYS=\"k1:$(openssl rand -base64 32)\""), "{random}");
    engine.run(&["CONFIG", "SET", "maxmemory-policy", "volatile-ttl"]);
    engine.run(&["CONFIG", "SET", "maxmemory", "100mb"]);
    let evicting = refusal(&engine.url(), &KEYS);
    assert!(evicting.contains("volatile-ttl") && evicting.contains("Set it to noeviction"), "{evicting}");
    engine.run(&["CONFIG", "SET", "requirepass", "secret"]);
    let stranger = refusal(&engine.url().replace("//", "//:wrong-secret@"), &KEYS);
    assert!(stranger.contains("does not know this user or password") && !stranger.contains("wrong"), "{stranger}");
}

#[test]
fn a_call_that_reads_and_writes_its_session_is_two_commands_of_redis_in_both_eras() {
    let Some(engine) = RedisServer::start(Durability::None) else { return };
    let instance = instance(&engine);
    for era in ERAS {
        let client = Client::new(instance.port, era);
        client.call("memory_add", json!({ "number": 1 }));
        let commands = engine.commands_during(|| {
            assert_eq!(sum(&client.call("memory_add", json!({ "number": 1 }))), "2.0");
        });
        assert_eq!(commands.len(), 2, "one to read, one to write: {commands:#?}");
        let commands = engine.commands_during(|| {
            assert_eq!(sum(&client.call("memory_recall", json!({}))), "2.0");
        });
        assert_eq!(commands.len(), 1, "one to read: {commands:#?}");
    }
}

/// Three boards over one store, and what is said at the second is heard by listeners of the first and the third.
pub(super) struct Boards {
    instances: [HttpServer; 3],
    listeners: [Stream; 3],
}

impl Boards {
    pub(super) fn over(url: &str) -> Self {
        let instances = [(); 3].map(|()| HttpServer::with("watch", &["--store", url], &KEYS));
        let filter = json!({ "resourcesListChanged": true, "resourceSubscriptions": ["board://topics"] });
        let client = Client::new(instances[2].port, Era::Legacy("2025-11-25"));
        client.request("resources/subscribe", json!({ "uri": "board://topics" }));
        let mut listeners = [
            listen(instances[0].port, json!(1), filter.clone()),
            listen(instances[2].port, json!(1), filter),
            Stream::of(&client, instances[2].port),
        ];
        for listener in &mut listeners[..2] {
            let acknowledged = listener.next().expect("a listener is acknowledged");
            assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
        }
        Self { instances, listeners }
    }

    pub(super) fn say(&self, topic: &str) {
        let client = Client::new(self.instances[1].port, Era::Modern);
        let said = client.call("say", json!({ "topic": topic, "message": "hello" }));
        assert_eq!(said["result"]["content"][0]["text"], format!("Said on {topic}"), "{said}");
    }

    /// Everyone hears of it; how long that took.
    pub(super) fn hear(&mut self, topic: &str) -> Duration {
        let begin = Instant::now();
        for listener in &mut self.listeners {
            let told = [listener.next(), listener.next()].map(|told| told.expect("news"));
            assert_eq!(told[0]["method"], "notifications/resources/list_changed");
            assert_eq!(told[1]["method"], "notifications/resources/updated");
            assert_eq!(told[1]["params"]["uri"], format!("board://topics/{topic}"));
        }
        begin.elapsed()
    }
}

#[test]
fn what_is_announced_at_one_instance_is_told_to_the_listeners_of_all() {
    let Some(engine) = RedisServer::start(Durability::None) else { return };
    let mut boards = Boards::over(&engine.url());
    for topic in ["rust", "redis", "streams"] {
        boards.say(topic);
        let took = boards.hear(topic);
        assert!(took < Duration::from_millis(700), "the doorbell is heard at once: {took:?}");
    }
}

#[test]
fn without_a_doorbell_news_come_later_and_all_the_same() {
    let Some(engine) = RedisServer::start(Durability::None) else { return };
    engine.run(&["ACL", "SETUSER", "quiet", "on", ">pw", "~*", "+@all", "resetchannels"]);
    let mut boards = Boards::over(&engine.url().replace("//", "//quiet:pw@"));
    for topic in ["rust", "redis"] {
        boards.say(topic);
        let took = boards.hear(topic);
        assert!(took < Duration::from_secs(3), "each instance looks every second: {took:?}");
    }
}

#[test]
fn what_is_announced_while_redis_is_down_is_told_when_it_is_back() {
    let Some(mut engine) = RedisServer::start(Durability::Disk) else { return };
    let mut boards = Boards::over(&engine.url());
    boards.say("before");
    boards.hear("before");
    engine.process().kill();
    boards.say("meanwhile");
    engine.restart();
    let took = boards.hear("meanwhile");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

/// A session of 2025-11-25 whose client can be asked, over three instances of an example.
struct Scattered {
    instances: Rc<[HttpServer; 3]>,
    session: String,
}

impl Scattered {
    fn over(url: &str, example: &str) -> Self {
        Self::in_a_session(Rc::new([(); 3].map(|()| HttpServer::with(example, &["--store", url], &KEYS))))
    }

    /// Another session at the same instances.
    fn another(&self) -> Self {
        Self::in_a_session(self.instances.clone())
    }

    fn in_a_session(instances: Rc<[HttpServer; 3]>) -> Self {
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": { "elicitation": {} },
            "clientInfo": { "name": "t", "version": "1" } });
        let body = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
        let response = Request::post(body.to_string()).send(instances[0].port);
        let session = response.header("mcp-session-id").expect("a session").to_owned();
        Self { instances, session }
    }

    fn request(&self, body: &Value) -> Request {
        Request::post(body.to_string())
            .header("Mcp-Session-Id", &*self.session)
            .header("MCP-Protocol-Version", "2025-11-25")
    }

    fn send(&self, instance: usize, body: &Value) -> u16 {
        self.request(body).send(self.instances[instance].port).status
    }

    fn stream(&self, instance: usize, body: &Value) -> EventStream {
        EventStream::open(self.instances[instance].port, &self.request(body))
    }
}

fn call(id: u32, tool: &str, arguments: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": arguments } })
}

/// Asked at the first instance, answered at the second; how long the call waited after the last answer.
fn ask_and_answer(url: &str) -> Duration {
    let client = Scattered::over(url, "booking");
    let mut stream = client.stream(0, &call(1, "book_table", json!({ "day": "2026-12-24" })));
    let mut answered = Instant::now();
    for _ in 0..9 {
        let said = stream.hear(Duration::from_secs(20), |events| events.iter().any(|event| event.data.is_some()));
        let message = said.iter().find(|event| event.data.as_deref().is_some_and(|data| !data.is_empty()));
        let Some(message) = message.map(Event::json) else { continue };
        if message["method"] != "elicitation/create" {
            let text = message["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{message}"));
            assert!(text.contains("2026-12-24"), "{text}");
            return answered.elapsed();
        }
        let content = json!({ "people": 2, "seat": "garden", "yes": true });
        let properties = message["params"]["requestedSchema"]["properties"].as_object().expect("a form").clone();
        let content: serde_json::Map<_, _> = content
            .as_object()
            .expect("an object")
            .clone()
            .into_iter()
            .filter(|(key, _)| properties.contains_key(key))
            .collect();
        let answer =
            json!({ "jsonrpc": "2.0", "id": message["id"], "result": { "action": "accept", "content": content } });
        answered = Instant::now();
        assert_eq!(client.send(1, &answer), 202);
        // Again, and at the one that has asked: an answer counts once.
        assert_eq!(client.send(2, &answer), 202);
    }
    panic!("the call never ended");
}

#[test]
fn what_one_instance_asks_is_answered_at_another() {
    let Some(engine) = RedisServer::start(Durability::None) else { return };
    let took = ask_and_answer(&engine.url());
    assert!(took < Duration::from_millis(700), "the doorbell is heard at once: {took:?}");
    engine.run(&["ACL", "SETUSER", "quiet", "on", ">pw", "~*", "+@all", "resetchannels"]);
    let took = ask_and_answer(&engine.url().replace("//", "//quiet:pw@"));
    assert!(took < Duration::from_secs(3), "without it, each instance looks every second: {took:?}");
}

/// A call at the first instance that waits for an answer.
fn waiting(client: &Scattered, id: u32) -> EventStream {
    let mut stream = client.stream(0, &call(id, "book_table", json!({ "day": "2026-12-24" })));
    let asked = stream.hear(Duration::from_secs(20), |events| events.iter().any(Event::is_answer));
    assert!(asked.iter().any(|event| event.is_answer() && event.json()["method"] == "elicitation/create"), "{asked:?}");
    stream
}

/// Ends without an answer to the call of this id.
fn ends_unanswered(mut stream: EventStream, id: u32) {
    let rest = stream.hear(Duration::from_secs(5), |_| false);
    assert!(stream.ended, "the call goes on: {rest:?}");
    assert!(!rest.iter().any(|event| event.is_answer() && event.json()["id"] == id), "{rest:?}");
}

#[test]
fn a_call_is_cancelled_and_ends_with_its_session_at_whatever_instance() {
    let Some(engine) = RedisServer::start(Durability::None) else { return };
    let client = Scattered::over(&engine.url(), "booking");
    let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 } });
    let mut stream = waiting(&client, 7);
    assert_eq!(client.another().send(1, &cancelled), 202);
    let rest = stream.hear(Duration::from_millis(500), |_| false);
    assert!(!stream.ended && rest.iter().all(|event| event.data.is_none()), "it is not theirs to cancel: {rest:?}");
    assert_eq!(client.send(1, &cancelled), 202);
    ends_unanswered(stream, 7);

    let stream = waiting(&client, 8);
    let end = Request::of("DELETE").header("Mcp-Session-Id", &*client.session);
    assert_eq!(end.send(client.instances[2].port).status, 204);
    ends_unanswered(stream, 8);
}

#[test]
fn the_level_of_log_messages_is_the_sessions_at_every_instance() {
    let Some(engine) = RedisServer::start(Durability::None) else { return };
    let client = Scattered::over(&engine.url(), "watch");
    let logged = |client: &Scattered| {
        client.send(0, &call(1, "say", json!({ "topic": "rust", "message": "hello" })));
        let answer = client.request(&call(2, "clear", json!({}))).send(client.instances[0].port);
        answer.messages().iter().filter(|message| message.contains("notifications/message")).count()
    };
    assert_eq!(logged(&client), 1);
    let level = json!({ "jsonrpc": "2.0", "id": 3, "method": "logging/setLevel", "params": { "level": "error" } });
    assert_eq!(client.send(1, &level), 200);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(logged(&client), 0, "chosen at another instance");
    assert_eq!(logged(&client.another()), 1, "chosen by another session");
}
