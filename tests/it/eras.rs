//! The same scenario in all five revisions, over HTTP and stdio, has the same outcome.

use serde_json::{Value, json};

use crate::{
    official_schema,
    support::{
        HttpServer, StdioServer,
        client::{Client, Era, MODERN},
    },
};

/// What happened, in words that no revision owns.
#[derive(Debug, PartialEq)]
enum Outcome {
    Said { text: String, is_error: bool },
    Failed { code: i64 },
}

impl Outcome {
    fn of(answer: &Value) -> Self {
        match answer["error"]["code"].as_i64() {
            Some(code) => Self::Failed { code },
            None => Self::Said {
                text: answer["result"]["content"][0]["text"].as_str().unwrap_or_default().to_owned(),
                is_error: answer["result"]["isError"] == true,
            },
        }
    }
}

/// The scenario: tools, their arguments.
fn scenario() -> Vec<(&'static str, Value)> {
    vec![
        ("add", json!({ "numbers": [1, 2.5, -4] })),
        ("add", json!({ "numbers": "[1, 2]", "start": "39" })),
        ("divide", json!({ "dividend": 7, "divisor": 2, "rounding": "nearest" })),
        ("divide", json!({ "dividend": 7, "divisor": 0 })),
        ("divide", json!({ "dividend": "seven", "divsor": 2, "rounding": "up" })),
        ("memory_add", json!({ "number": 40 })),
        ("memory_add", json!({ "number": 2 })),
        ("memory_recall", json!({})),
        ("subtract", json!({})),
    ]
}

const REVISIONS: [Era; 5] = [
    Era::Legacy("2024-11-05"),
    Era::Legacy("2025-03-26"),
    Era::Legacy("2025-06-18"),
    Era::Legacy("2025-11-25"),
    Era::Modern,
];

fn over_http(port: u16, era: Era) -> Vec<Outcome> {
    let client = Client::new(port, era);
    let play = |(tool, arguments)| Outcome::of(&client.call(tool, arguments));
    scenario().into_iter().map(play).collect()
}

fn over_stdio(era: Era) -> Vec<Outcome> {
    let mut server = StdioServer::start("tutorial");
    let mut ask = |method: &str, mut params: Value| -> Value {
        if era == Era::Modern {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        server.send(&json!({ "jsonrpc": "2.0", "id": "x", "method": method, "params": params }).to_string());
        serde_json::from_str(&server.receive()).unwrap()
    };
    let mut handle = None;
    if let Era::Legacy(revision) = era {
        ask(
            "initialize",
            json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } }),
        );
    } else {
        let answer = ask("tools/call", json!({ "name": "open_session" }));
        handle = Some(answer["result"]["structuredContent"]["session"].clone());
    }
    let play = |(tool, mut arguments): (&str, Value)| {
        if let Some(handle) = handle.as_ref().filter(|_| tool.starts_with("memory")) {
            arguments["session"] = handle.clone();
        }
        let answer = ask("tools/call", json!({ "name": tool, "arguments": arguments }));
        official_schema::validate_answer(era.revision(), "tools/call", &answer).unwrap();
        Outcome::of(&answer)
    };
    scenario().into_iter().map(play).collect()
}

#[test]
fn one_scenario_has_one_outcome_in_every_revision_over_http_and_stdio() {
    let server = HttpServer::start("tutorial");
    let expected = over_http(server.port, REVISIONS[0]);
    let said = |text: &str| Outcome::Said { text: text.into(), is_error: false };
    assert_eq!(expected[0], said("-0.5"));
    assert_eq!(expected[1], said("42.0"));
    assert_eq!(expected[2], said("4.0"));
    assert!(matches!(&expected[3], Outcome::Said { text, is_error: true } if text.contains("`divisor` is 0")));
    assert!(
        matches!(&expected[4], Outcome::Said { text, is_error: true } if text.lines().count() >= 4),
        "{expected:?}"
    );
    assert_eq!(expected[7], said("42.0"));
    assert_eq!(expected[8], Outcome::Failed { code: -32602 });
    for era in REVISIONS {
        assert_eq!(over_http(server.port, era), expected, "{era:?} over HTTP");
        assert_eq!(over_stdio(era), expected, "{era:?} over stdio");
    }
}
