//! Several instances of one server over one store: each is what the others are, and serves what they began.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::engine::{Durability, Engine, over_each_engine};
use crate::support::{
    Request,
    client::{Client, Era, MODERN},
    process::{HttpServer, command},
};

/// The key that all instances have.
pub(super) const KEYS: [(&str, &str); 1] =
    [("MCP_SESSION_KEYS", "k1:YSBmaXhlZCBrZXkgb2YgdGhlIHRlc3RzLCAzMiBieXRlcyE=")];

pub(super) const ERAS: [Era; 2] = [Era::Legacy("2025-11-25"), Era::Modern];

over_each_engine! {
    any_instance_serves_any_session_in_both_eras_and_one_that_ended_has_ended_everywhere,
    an_instance_that_is_killed_takes_no_session_with_it,
    nothing_is_registered_because_every_instance_is_the_same_and_knows_what_another_one_began,
}

/// An instance of the tutorial.
pub(super) fn instance(place: &str) -> HttpServer {
    HttpServer::with("tutorial", &["--store", place], &KEYS)
}

/// Three instances of an example.
pub(super) fn three(example: &str, place: &str) -> [HttpServer; 3] {
    [(); 3].map(|()| HttpServer::with(example, &["--store", place], &KEYS))
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

fn any_instance_serves_any_session_in_both_eras_and_one_that_ended_has_ended_everywhere<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    let instances = three("tutorial", &engine.url());
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

fn an_instance_that_is_killed_takes_no_session_with_it<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    for era in ERAS {
        let mut first = instance(&engine.url());
        let mut client = Client::new(first.port, era);
        for turn in 1..4 {
            assert_eq!(sum(&client.call("memory_add", json!({ "number": 1 }))), format!("{turn}.0"));
            let second = instance(&engine.url());
            first.kill();
            client = client.moved(second.port);
            first = second;
        }
    }
}

/// Status, type and body of an answer: everything that does not name the moment or the session.
fn said(request: &Request, port: u16) -> (u16, Option<String>, Vec<u8>) {
    let response = request.send(port);
    (response.status, response.header("content-type").map(str::to_owned), response.body)
}

/// Where tools are registered by what was said to an instance, another instance has to be told again. Here what a server
/// offers is compiled in, and what a session agreed on travels in its id.
fn nothing_is_registered_because_every_instance_is_the_same_and_knows_what_another_one_began<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    for example in ["library", "everything"] {
        let instances = three(example, &engine.url());
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "t", "version": "1" } });
        let initialize = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
        let welcome = Request::post(initialize.to_string()).revision("2025-11-25").send(instances[0].port);
        let session = welcome.header("mcp-session-id").expect("a session").to_owned();
        let legacy = |method: &str, params: Value| {
            let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
            let request = Request::post(body.to_string()).revision("2025-11-25");
            request.header("Mcp-Session-Id", &*session).header("MCP-Protocol-Version", "2025-11-25")
        };
        let modern = Client::new(instances[0].port, Era::Modern);
        let mut same = vec![
            Request::post(initialize.to_string()).revision("2025-11-25"),
            modern.message_with_meta("server/discover", json!({}), json!({})),
        ];
        for list in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
            same.push(legacy(list, json!({})));
            same.push(modern.message_with_meta(list, json!({}), json!({})));
        }
        for request in &same {
            // Asked of the last one first: it never saw anything of this session, `notifications/initialized` neither.
            let answers = [2, 1, 0].map(|instance: usize| said(request, instances[instance].port));
            let text = String::from_utf8_lossy(&answers[0].2).into_owned();
            assert_eq!(answers[0].0, 200, "{text}");
            assert!(text.contains(r#""result""#), "{text}");
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        }
    }
    // A session that has just begun at the first is used at both others at once.
    let instances = three("tutorial", &engine.url());
    for round in 0..5 {
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "t", "version": "1" } });
        let initialize = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
        let welcome = Request::post(initialize.to_string()).send(instances[round % 3].port);
        let session = welcome.header("mcp-session-id").expect("a session").to_owned();
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": "memory_add", "arguments": { "number": 1 } } });
        let call = Request::post(call.to_string()).header("Mcp-Session-Id", session);
        let call = call.header("MCP-Protocol-Version", "2025-11-25");
        let modern = Client::new(instances[round % 3].port, Era::Modern);
        modern.handle();
        let modern = modern.call_request(json!(1), "memory_add", json!({ "number": 1 }));
        assert!(modern.headers.contains(&("MCP-Protocol-Version".into(), MODERN.into())));
        for call in [call, modern] {
            let others = [instances[(round + 1) % 3].port, instances[(round + 2) % 3].port];
            let mut sums = std::thread::scope(|scope| {
                let calls = others.map(|port| {
                    scope.spawn({
                        let call = &call;
                        move || sum(&call.send(port).json()).to_owned()
                    })
                });
                calls.map(|call| call.join().expect("a call ends"))
            });
            sums.sort();
            assert_eq!(sums, ["1.0", "2.0"], "both know the session, and its state");
        }
    }
}
