//! What a hostile or broken peer sends, and the one answer that is right: JSON and envelope, revisions and headers, session
//! ids. After each row the server answers the next request as if nothing had been.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use mcp_runtime::{auth::DevelopmentTokens, prelude::*};
use serde_json::{Value, json};

use crate::{
    behaviour::Served,
    support::{
        Request, Response,
        client::{Client, Era},
    },
};

const LEGACY: Era = Era::Legacy("2025-11-25");
const ERAS: [Era; 2] = [LEGACY, Era::Modern];

/// The status and the code of an error; 0 for a result.
fn outcome(response: &Response) -> (u16, i64) {
    let code = if response.body.is_empty() { 0 } else { response.json()["error"]["code"].as_i64().unwrap_or(0) };
    (response.status, code)
}

/// Sends a body as this client would.
fn send(client: &Client, port: u16, body: impl Into<Vec<u8>>) -> Response {
    client.headers(Request::post(body)).send(port)
}

fn still_answers(client: &Client) {
    assert_eq!(client.call("echo", json!({ "text": "still here" }))["result"]["content"][0]["text"], "still here");
}

/// A call of `echo` with this text in the place of its arguments' text.
fn echo(text: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"echo","arguments":{text}}}}}"#)
}

// Proves: J-01.
#[test]
fn abuse_a1_a2_a3_what_is_no_json_is_a_parse_error_in_fixed_words() {
    let served = Served::plain();
    for era in ERAS {
        let client = Client::new(served.port, era);
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let bodies: [Vec<u8>; 9] = [
            br#"{"jsonrpc":"2.0","#.to_vec(),
            Vec::new(),
            b" \r\n\t".to_vec(),
            format!("\u{feff}{ping}").into(),
            [br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":""#.as_slice(), b"\xff\"}}"].concat(),
            [br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":""#.as_slice(), b"\xc0\xaf\"}}"].concat(),
            [br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":""#.as_slice(), b"\xe2\x82\"}}"].concat(),
            format!("{ping}{ping}").into(),
            b"canary-of-the-peer".to_vec(),
        ];
        let mut words = Vec::new();
        for body in bodies {
            let response = send(&client, served.port, body.clone());
            assert_eq!(outcome(&response), (400, -32700), "{era:?}: {}", String::from_utf8_lossy(&body));
            assert!(!response.text().contains("canary"), "{}", response.text());
            words.push(response.json()["error"]["message"].to_string());
        }
        words.sort();
        words.dedup();
        assert_eq!(words, ["\"The message is not valid JSON\"", "\"The message is not valid UTF-8\""]);
        still_answers(&client);
    }
}

// Proves: J-13.
#[test]
fn abuse_a5_a6_a_member_twice_is_refused_and_nothing_is_executed() {
    let served = Served::plain();
    let client = Client::new(served.port, LEGACY);
    for (body, code) in [
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","m\u0065thod":"tools/list"}"#, -32600),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait","arguments":{"milliseconds":1,"milliseconds":2}}}"#,
            -32602,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait","arguments":{"milliseconds":1},"_meta":{"a":1,"a":2}}}"#,
            -32602,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","name":"wait","arguments":{"milliseconds":1}}}"#,
            -32602,
        ),
    ] {
        assert_eq!(outcome(&send(&client, served.port, body)), (400, code), "{body}");
    }
    assert_eq!(served.fixture.started.load(Ordering::SeqCst), 0);
    still_answers(&client);
}

// Proves: J-01.
#[test]
fn abuse_a7_a11_a14_what_is_no_message_is_an_invalid_request() {
    let served = Served::plain();
    let client = Client::new(served.port, LEGACY);
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"Method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"METHOD":"ping"}"#,
        r#"{"JSONRPC":"2.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
        r#"{"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#,
        r#""ping""#,
        "17",
        "null",
        "true",
    ] {
        assert_eq!(outcome(&send(&client, served.port, body)), (400, -32600), "{body}");
    }
    // The Kelvin sign is no k.
    let body =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"te\u212At":"x"}}}"#;
    assert_eq!(send(&client, served.port, body).json()["result"]["isError"], true);
    still_answers(&client);
}

#[test]
fn abuse_a9_no_number_is_rounded_or_becomes_infinite() {
    let served = Served::plain();
    for era in ERAS {
        let client = Client::new(served.port, era);
        client.call("count", json!({ "by": 9_007_199_254_740_993_u64 }));
        client.call("count", json!({ "by": u64::MAX }));
        assert_eq!(
            *client.structured(&client.call("counted", json!({}))),
            json!([9_007_199_254_740_993_u64, u64::MAX])
        );
        let many = "9".repeat(10_000);
        for number in ["1e400", "-1e400", &many, &format!("-{many}")] {
            let response = send(&client, served.port, echo(&format!(r#"{{"text":{number}}}"#)));
            assert_eq!(outcome(&response), (400, -32700), "{number}");
        }
    }
    let client = Client::new(served.port, LEGACY);
    for number in ["-0", "1.5", "18446744073709551616", "1e30"] {
        let body = echo(&format!(r#"{{"by":{number}}}"#)).replace("echo", "count");
        let answer = send(&client, served.port, body).json();
        // Only what is exactly an integer of the type is one.
        assert_eq!(answer["result"]["isError"] == true, number != "-0", "{number}: {answer}");
    }
}

// Proves: J-02, J-05.
#[test]
fn abuse_a10_an_id_comes_back_with_its_own_type_or_is_refused() {
    let served = Served::plain();
    let client = Client::new(served.port, LEGACY);
    let ping = |id: &str| send(&client, served.port, format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#));
    for (id, back) in [
        ("1", json!(1)),
        (r#""1""#, json!("1")),
        ("1.0", json!(1)),
        ("1e0", json!(1)),
        ("-7", json!(-7)),
        ("9223372036854775808", json!(1_u64 << 63)),
        (&format!("\"{}\"", "x".repeat(1024)), json!("x".repeat(1024))),
    ] {
        assert_eq!(ping(id).json()["id"], back, "{id}");
    }
    let long = format!("\"{}\"", "x".repeat(1_000_000));
    for id in ["null", "{}", "[]", "true", "1.5", "1e300", &long] {
        let response = ping(id);
        assert_eq!(outcome(&response), (400, -32600), "{}", &id[..id.len().min(20)]);
        assert!(response.json().get("id").is_none(), "an id that can't be read is not answered");
        assert!(response.body.len() < 1_000);
    }
    still_answers(&client);
}

// Proves: J-07, J-08, N-01, V-05.
#[test]
fn abuse_a13_batches_are_refused_where_there_are_none_and_bounded_where_there_are() {
    let served = Served::plain();
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let of = |count: usize| format!("[{}]", vec![ping; count].join(","));
    for era in [Era::Legacy("2025-06-18"), LEGACY, Era::Modern] {
        let client = Client::new(served.port, era);
        for body in [of(0), of(1), of(50_000)] {
            let begun = Instant::now();
            assert_eq!(outcome(&send(&client, served.port, body)), (400, -32600), "{era:?}");
            // A second is what a peer may wait for; the rest is for a machine with other work.
            assert!(begun.elapsed() < Duration::from_secs(5), "{era:?}: {:?}", begun.elapsed());
        }
        still_answers(&client);
    }
    let client = Client::new(served.port, Era::Legacy("2025-03-26"));
    let answers = send(&client, served.port, of(64));
    assert_eq!((answers.status, answers.json().as_array().map(Vec::len)), (200, Some(64)));
    assert_eq!(outcome(&send(&client, served.port, of(65))), (400, -32600));
    assert_eq!(outcome(&send(&client, served.port, of(0))), (400, -32600));
    let initialize = r#"{"jsonrpc":"2.0","id":2,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
    let answer = send(&client, served.port, format!("[{ping},{initialize}]"));
    assert!(answer.header("mcp-session-id").is_none());
    assert!(answer.text().contains("-32600"), "{}", answer.text());
    still_answers(&client);
}

#[test]
fn abuse_a15_params_and_arguments_are_objects_or_absent() {
    let served = Served::plain();
    let client = Client::new(served.port, LEGACY);
    for params in ["[]", r#""text""#, "1", "null"] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{params}}}"#);
        assert_eq!(send(&client, served.port, body).json()["error"]["code"], -32602, "{params}");
    }
    for arguments in ["[]", r#""text""#, "null", "true"] {
        let answer = send(&client, served.port, echo(arguments)).json();
        assert_eq!(answer["error"]["code"], -32602, "{arguments}: {answer}");
    }
    let absent = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"counted"}}"#;
    assert_eq!(send(&client, served.port, absent).json()["result"]["structuredContent"], json!({ "result": [] }));
}

// Proves: J-14, P-01.
#[test]
fn abuse_a17_a18_many_keys_and_odd_keys_are_plain_data() {
    let served = Served::plain();
    let client = Client::new(served.port, LEGACY);
    let keys = |count: usize| (0..count).map(|key| format!(r#""k{key}":0"#)).collect::<Vec<_>>().join(",");
    let begun = Instant::now();
    let answer = send(&client, served.port, echo(&format!(r#"{{"text":"x",{}}}"#, keys(300_000)))).json();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let text = answer["result"]["content"][0]["text"].as_str().expect("a text");
    assert!(answer["result"]["isError"] == true && text.len() <= 2_048, "{} bytes", text.len());
    for key in ["__proto__", "constructor", "", "prototype", "toString"] {
        let meta = json!({ key: { "polluted": true } });
        let request = client.call_request_with_meta(json!(1), "echo", json!({ "text": "x" }), meta);
        assert_eq!(request.send(served.port).json()["result"]["content"][0]["text"], "x", "{key:?}");
        let answer = client.call("echo", json!({ "text": "x", key: 1 }));
        assert_eq!(answer["result"]["isError"], true, "{key:?}: {answer}");
    }
    still_answers(&client);
}

// Proves: N-07.
#[test]
fn abuse_a19_any_other_method_does_not_exist() {
    let served = Served::plain();
    let client = Client::new(served.port, LEGACY);
    let long = "m".repeat(1_000_000);
    for method in ["nope", "rpc.foo", "", "ping ", "PING", "tools/call\n{\"level\":\"error\"}", &long] {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method }).to_string();
        let response = send(&client, served.port, body);
        assert_eq!(outcome(&response), (200, -32601), "{:?}", &method[..method.len().min(20)]);
        assert!(response.body.len() < 1_000);
    }
    let modern = Client::new(served.port, Era::Modern);
    for method in ["nope", "rpc.foo", "ping", "initialize"] {
        assert_eq!(modern.request(method, json!({}))["error"]["code"], -32601, "{method}");
    }
    still_answers(&client);
}

// Proves: V-03, P-11.
#[test]
fn abuse_d2_the_version_of_a_session_is_the_sessions() {
    let served = Served::plain();
    let client = Client::new(served.port, LEGACY);
    let ping = || client.headers(Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#));
    for version in ["2024-11-05", "2025-06-18", "2031-01-01", "", "2025-11-25 ", "2025-11-25, 2024-11-05"] {
        let status = ping().header("MCP-Protocol-Version", version).send(served.port).status;
        // Space around a header's value is none of it.
        assert_eq!(status, if version.trim() == "2025-11-25" { 200 } else { 400 }, "{version:?}");
    }
    still_answers(&client);
}

/// A request of the modern revision, its headers as they must be; the body says this version.
fn modern(version: &str, method: &str, mut params: Value) -> Request {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let name = params["name"].as_str().map(ToOwned::to_owned);
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let request = Request::post(body.to_string()).header("MCP-Protocol-Version", "2026-07-28");
    let request = request.header("Mcp-Method", method);
    if let Some(name) = name { request.header("Mcp-Name", name) } else { request }
}

// Proves: N-02, N-03, P-05.
#[test]
fn abuse_d3_d4_headers_and_body_say_the_same_or_nothing_is_executed() {
    let served = Served::plain();
    let wait = || modern("2026-07-28", "tools/call", json!({ "name": "wait", "arguments": { "milliseconds": 1 } }));
    let legacy = modern("2025-11-25", "tools/call", json!({ "name": "wait", "arguments": { "milliseconds": 1 } }));
    for (what, request) in [
        ("an older revision in the body", legacy),
        ("an older revision in the header", wait().header("MCP-Protocol-Version", "2025-11-25")),
        ("no revision in the header", wait().without("MCP-Protocol-Version")),
        ("another method", wait().header("Mcp-Method", "tools/list")),
        ("another case", wait().header("Mcp-Method", "Tools/Call")),
        ("no method", wait().without("Mcp-Method")),
        ("another tool", wait().header("Mcp-Name", "echo")),
        ("no tool", wait().without("Mcp-Name")),
    ] {
        assert_eq!(outcome(&request.send(served.port)), (400, -32020), "{what}");
    }
    assert_eq!(served.fixture.started.load(Ordering::SeqCst), 0);
    assert_eq!(outcome(&wait().send(served.port)), (200, 0), "the request itself is right");
}

// Proves: N-04, P-19.
#[test]
fn abuse_d6_a_sentinel_is_decoded_once_and_exactly_or_refused() {
    let served = Served::plain();
    let call = |name: &str| {
        modern("2026-07-28", "tools/call", json!({ "name": "echo", "arguments": { "text": "x" } }))
            .header("Mcp-Name", name)
            .send(served.port)
    };
    assert_eq!(outcome(&call("=?base64?ZWNobw==?=")), (200, 0));
    for name in [
        "=?BASE64?ZWNobw==?=",
        "=?base64?ZWNobw?=",
        "=?base64?ZWNobx==?=",
        "=?base64?ZWNo!!bw==?=",
        "=?base64?ZWNobw==",
        "=?base64?PT9iYXNlNjQ/WldOb2J3PT0/PQ==?=",
        "=?base64?//8=?=",
        "=?base64?ZWNobw0KWC1Jbmo6IDE=?=",
        "=?base64??=",
    ] {
        let response = call(name);
        assert_eq!(outcome(&response), (400, -32020), "{name}");
        assert!(response.headers.iter().all(|(name, _)| !name.starts_with("x-inj")));
        assert!(!response.text().contains("X-Inj"), "{}", response.text());
    }
}

/// A tool whose arguments headers mirror.
#[mcp_server(name = "mirrored")]
mod mirrored {
    /// Route.
    #[tool]
    pub fn route(
        #[arg(header = "Count")] count: Option<i64>,
        #[arg(header = "Loud")] loud: Option<bool>,
        plain: Option<String>,
    ) -> String {
        format!("{count:?} {loud:?} {plain:?}")
    }
}

// Proves: N-05, TL-18, P-19.
#[test]
fn abuse_d7_mirrored_arguments_are_compared_by_their_value() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let running = runtime.block_on(mirrored::server().port(0).start()).unwrap();
    let port = running.address().port();
    let call = |arguments: Value, headers: &[(&str, &str)]| {
        let request = modern("2026-07-28", "tools/call", json!({ "name": "route", "arguments": arguments }));
        let headers = headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
        outcome(&headers.send(port))
    };
    for (arguments, headers) in [
        (json!({ "count": 1 }), &[("Mcp-Param-Count", "1")][..]),
        (json!({ "count": -7, "loud": true }), &[("Mcp-Param-Count", "-7"), ("Mcp-Param-Loud", "true")]),
        (json!({ "plain": "x" }), &[("Mcp-Param-Plain", "y"), ("Mcp-Param-Undeclared", "z")]),
    ] {
        assert_eq!(call(arguments.clone(), headers), (200, 0), "{arguments} {headers:?}");
    }
    for (arguments, headers) in [
        (json!({ "count": 1 }), &[][..]),
        (json!({ "count": 1 }), &[("Mcp-Param-Count", "2")]),
        (json!({ "count": 1 }), &[("Mcp-Param-Count", "01")]),
        (json!({ "count": 1 }), &[("Mcp-Param-Count", "+1")]),
        (json!({ "count": 9_007_199_254_740_991_i64 }), &[("Mcp-Param-Count", "9007199254740990")]),
        (json!({ "loud": true }), &[("Mcp-Param-Loud", "TRUE")]),
        (json!({ "loud": true }), &[("Mcp-Param-Loud", "1")]),
    ] {
        assert_eq!(call(arguments.clone(), headers), (400, -32020), "{arguments} {headers:?}");
    }
}

// Proves: M-01, M-02, N-08, P-01.
#[test]
fn abuse_d10_an_envelope_is_whole_and_needs_no_session() {
    let served = Served::plain();
    for meta in [
        json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28" }),
        json!({ "io.modelcontextprotocol/clientCapabilities": {} }),
        json!({ "io.modelcontextprotocol/protocolVersion": 7, "io.modelcontextprotocol/clientCapabilities": {} }),
        json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": [] }),
        json!({}),
    ] {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": { "_meta": meta.clone() } });
        let request = Request::post(body.to_string()).header("MCP-Protocol-Version", "2026-07-28");
        assert_eq!(outcome(&request.header("Mcp-Method", "tools/list").send(served.port)), (400, -32602), "{meta}");
    }
    let response = modern("2026-07-28", "tools/list", json!({})).header("Mcp-Session-Id", "nonsense").send(served.port);
    assert_eq!((response.status, response.header("mcp-session-id")), (200, None));
}

// Proves: J-11, N-07, N-08, P-03.
#[test]
fn abuse_d11_the_eras_do_not_mix() {
    let served = Served::plain();
    for method in ["initialize", "ping", "logging/setLevel", "notifications/nope"] {
        let response = modern("2026-07-28", method, json!({})).send(served.port);
        assert_eq!(outcome(&response), (404, -32601), "{method}");
        assert!(response.header("mcp-session-id").is_none());
    }
    // Nobody asked.
    let response = Request::post(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#)
        .header("MCP-Protocol-Version", "2026-07-28")
        .send(served.port);
    assert_eq!(response.status, 400, "{}", response.text());
    assert!(response.header("mcp-session-id").is_none());
}

/// Everything about an answer that a peer could tell apart.
fn told(response: &Response) -> (u16, Vec<u8>, Vec<(String, String)>) {
    let headers = response.headers.iter().filter(|(name, _)| name != "date").cloned().collect();
    (response.status, response.body.clone(), headers)
}

/// A signed token's parts.
fn parts(token: &str) -> [String; 3] {
    token.split('.').map(ToOwned::to_owned).collect::<Vec<_>>().try_into().expect("three parts")
}

// Proves: S-03, S-04, SEC-04, P-10.
#[test]
fn abuse_e1_e3_e4_e7_e8_e9_e23_every_id_that_is_none_gets_the_same_404() {
    let served = Served::plain();
    let client = Client::new(served.port, LEGACY);
    let ping = Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    assert_eq!(ping.send(served.port).status, 400, "no id at all is another mistake");
    let token = client.session().expect("a session").to_owned();
    let [header, claims, signature] = parts(&token);
    let with_header = |header: Value| format!("{}.{claims}.{signature}", BASE64.encode(header.to_string()));
    let mut ids = vec!["unknown".to_owned(), "x".repeat(2_000), format!("{token}."), format!("{token}A")];
    for position in (0..token.len()).step_by(7) {
        let mut bytes = token.clone().into_bytes();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        ids.push(String::from_utf8(bytes).unwrap());
    }
    for algorithm in ["none", "None", "NONE", "nOnE", "RS256", "EdDSA", "HS512"] {
        ids.push(with_header(json!({ "alg": algorithm, "typ": "JWT" })));
        let unsigned = BASE64.encode(json!({ "alg": algorithm }).to_string());
        ids.extend([format!("{unsigned}.{claims}."), format!("{unsigned}.{claims}")]);
    }
    for (name, value) in [
        ("jku", json!("http://127.0.0.1:9/keys")),
        ("x5u", json!("http://127.0.0.1:9/keys")),
        ("jwk", json!({ "kty": "oct", "k": "AAAA" })),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
    ] {
        ids.push(with_header(json!({ "alg": "HS256", "typ": "mcp-session+jwt", name: value })));
    }
    ids.push(format!("{header}.{claims}.{signature}.{claims}.{signature}"));
    ids.push(format!("{header}.{}.{signature}", BASE64.encode(&token)));
    for expiry in [json!("2000000000"), json!(2e9), json!(-1), json!(1e300), json!([2_000_000_000]), Value::Null] {
        let mut changed: Value = serde_json::from_slice(&BASE64.decode(&claims).unwrap()).unwrap();
        changed["exp"] = expiry;
        ids.push(format!("{header}.{}.{signature}", BASE64.encode(changed.to_string())));
    }
    let answers = |id: &str| told(&ping.clone().header("Mcp-Session-Id", id).send(served.port));
    let expected = answers("00000000-0000-4000-8000-000000000000");
    assert_eq!(expected.0, 404);
    for id in ids {
        assert_eq!(answers(&id), expected, "{id}");
    }
    for number in 0..200_u32 {
        assert_eq!(answers(&format!("{header}.{}.{signature}", BASE64.encode(number.to_be_bytes()))), expected);
    }
    // So does one that was ended.
    let other = Client::new(served.port, LEGACY);
    assert_eq!(other.headers(Request::of("DELETE")).send(served.port).status, 204);
    assert_eq!(answers(other.session().expect("a session")), expected);
    still_answers(&client);
}

// Proves: S-06, SEC-04.
#[test]
fn abuse_e11_a_session_id_is_no_bearer_and_a_bearer_no_session_id() {
    let tokens = DevelopmentTokens::new().with("token-of-ann", "ann");
    let served = Served::new(|server| server.authorize(tokens));
    let ann = Client::new_as(served.port, LEGACY, Some("token-of-ann"));
    let ping = || ann.headers(Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#));
    let id = ann.session().expect("a session");
    assert_eq!(ping().header("Authorization", format!("Bearer {id}")).send(served.port).status, 401);
    let unknown = ping().header("Mcp-Session-Id", "unknown").send(served.port);
    let bearer = ping().header("Mcp-Session-Id", "token-of-ann").send(served.port);
    assert_eq!(told(&bearer), told(&unknown));
    assert_eq!((bearer.status, ping().send(served.port).status), (404, 200));
}

// Proves: S-01, S-08.
#[test]
fn abuse_e16_a_session_id_on_initialize_is_ignored_and_a_fresh_one_is_minted() {
    let served = Served::plain();
    let victim = Client::new(served.port, LEGACY);
    let initialize = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } } });
    let mut minted = vec![victim.session().expect("a session").to_owned()];
    for fixed in ["chosen-by-the-attacker".to_owned(), minted[0].clone()] {
        let response = Request::post(initialize.to_string()).header("Mcp-Session-Id", fixed).send(served.port);
        assert_eq!(response.status, 200);
        let id = response.header("mcp-session-id").expect("a session id").to_owned();
        assert!(!minted.contains(&id));
        minted.push(id);
    }
    let chosen = Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
        .header("Mcp-Session-Id", "chosen-by-the-attacker")
        .send(served.port);
    assert_eq!(chosen.status, 404);
}

#[test]
fn abuse_e25_an_id_in_the_query_or_a_cookie_is_none() {
    let served = Served::plain();
    let client = Client::new(served.port, LEGACY);
    let id = client.session().expect("a session");
    let ping = || Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    let mut in_query = ping();
    in_query.path = format!("/mcp?Mcp-Session-Id={id}&session={id}");
    let in_cookie = ping().header("Cookie", format!("Mcp-Session-Id={id}; mcp-session-id={id}"));
    assert_eq!((in_query.send(served.port).status, in_cookie.send(served.port).status), (400, 400));
    still_answers(&client);
}
