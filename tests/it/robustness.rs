//! What a broken type, a repeated id, an ended session or a long-running store must not do to anybody else.

use std::{io::Write, sync::atomic::Ordering, time::Duration};

use mcp_runtime::{Server, prelude::*};
use serde::Serializer;
use serde_json::json;

use crate::{
    behaviour::{Served, eventually},
    support::{
        HttpServer, Request,
        client::{Client, Era},
        http::connect,
    },
};

/// State whose default value can't be made.
#[derive(Serialize, Deserialize, SessionState)]
struct NoDefault(u8);

impl Default for NoDefault {
    fn default() -> Self {
        panic!("no default")
    }
}

/// State that can't be encoded once it holds something.
#[derive(Default, Deserialize, SessionState)]
struct NoEncoding(u8);

impl Serialize for NoEncoding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert_eq!(self.0, 0, "no encoding");
        serializer.serialize_u8(self.0)
    }
}

/// Tools on types that panic.
#[mcp_server(name = "fragile")]
mod fragile {
    use super::{NoDefault, NoEncoding};

    /// Borrow what has no default.
    #[tool]
    pub fn no_default(state: &mut NoDefault) -> u8 {
        state.0
    }

    /// Keep what has no encoding.
    #[tool]
    pub fn no_encoding(state: &mut NoEncoding, value: u8) -> u8 {
        state.0 = value;
        value
    }
}

#[test]
fn a_panic_of_a_session_type_is_an_internal_error_of_its_call_alone() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let running = runtime.block_on(fragile::server().port(0).start()).unwrap();
    let client = Client::new(running.address().port(), Era::Legacy("2025-11-25"));
    let internal = json!({ "code": -32603, "message": "Internal error" });
    assert_eq!(client.call("no_default", json!({}))["error"], internal);
    assert_eq!(client.call("no_encoding", json!({ "value": 1 }))["error"], internal);
    // Nothing was written, and the turn was passed on.
    assert_eq!(*client.structured(&client.call("no_encoding", json!({ "value": 0 }))), json!(0));
}

/// A result that can't be written.
#[derive(JsonSchema)]
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("the secret of the result"))
    }
}

/// What one session counts.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Tally(u64);

/// Tools whose results can't be JSON.
#[mcp_server(name = "unwritable")]
mod unwritable {
    use super::{Tally, Unwritable};
    use mcp_runtime::{Reply, ToolError};
    use std::collections::BTreeMap;

    /// Give no number.
    #[tool]
    pub fn nan() -> f64 {
        f64::NAN
    }

    /// Give more than a number.
    #[tool]
    pub fn infinite(tally: &mut Tally) -> Result<Vec<f64>, ToolError> {
        tally.0 += 1;
        Ok(vec![1.0, f64::INFINITY])
    }

    /// Give a map that no object can be.
    #[tool]
    pub fn keys(tally: &mut Tally) -> BTreeMap<(u8, u8), u8> {
        tally.0 += 1;
        BTreeMap::from([((1, 2), 3)])
    }

    /// Give what fails, with a text.
    #[tool]
    pub fn failing(tally: &mut Tally) -> Reply<Unwritable> {
        tally.0 += 1;
        Reply::new(Unwritable, "never read")
    }

    /// What was counted.
    #[tool(read_only)]
    pub fn tally(tally: &Tally) -> u64 {
        tally.0
    }
}

// Proves: TL-15.
#[test]
fn abuse_g15_a_result_that_cant_be_json_is_an_internal_error_and_its_draft_is_discarded() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let running = runtime.block_on(unwritable::server().port(0).start()).unwrap();
    let internal = json!({ "code": -32603, "message": "Internal error" });
    for era in [Era::Legacy("2024-11-05"), Era::Legacy("2025-11-25"), Era::Modern] {
        let client = Client::new(running.address().port(), era);
        // Opened by hand: the client knows the stateful tools of the common servers alone.
        let arguments = if era == Era::Modern { json!({ "session": client.handle() }) } else { json!({}) };
        for tool in ["infinite", "keys", "failing"] {
            let answer = client.call(tool, arguments.clone());
            assert_eq!(answer["error"], internal, "{era:?}: {tool}");
            assert!(answer.get("result").is_none() && !answer.to_string().contains("secret"), "{answer}");
        }
        assert_eq!(client.call("nan", json!({}))["error"], internal, "{era:?}");
        assert_eq!(client.call("tally", arguments)["result"]["content"][0]["text"], "0", "{era:?}");
    }
}

#[test]
fn an_id_that_was_cancelled_can_be_used_again_at_once() {
    let served = Served::plain();
    let client = Client::new(served.port, Era::Legacy("2025-11-25"));
    for round in 1..=20 {
        std::thread::scope(|scope| {
            let cancelled = scope
                .spawn(|| client.call_request(json!(1), "wait", json!({ "milliseconds": 20_000 })).send(served.port));
            eventually("the call starts", Duration::from_secs(5), || {
                served.fixture.started.load(Ordering::SeqCst) == 2 * round - 1
            });
            client.notify("notifications/cancelled", json!({ "requestId": 1 }));
            let again = client.call("wait", json!({ "milliseconds": 5, "text": "again" }));
            assert_eq!(again["result"]["content"][0]["text"], "again");
            assert_eq!(cancelled.join().unwrap().status, 202);
        });
    }
}

// Proves: S-05.
#[test]
fn ending_a_session_cancels_its_calls_and_no_others() {
    let served = Served::plain();
    let (client, other) =
        (Client::new(served.port, Era::Legacy("2025-11-25")), Client::new(served.port, Era::Legacy("2025-11-25")));
    std::thread::scope(|scope| {
        let ended =
            scope.spawn(|| client.call_request(json!(1), "wait", json!({ "milliseconds": 20_000 })).send(served.port));
        let goes_on = scope.spawn(|| other.call("wait", json!({ "milliseconds": 500, "text": "unharmed" })));
        eventually("both start", Duration::from_secs(5), || served.fixture.started.load(Ordering::SeqCst) == 2);
        assert_eq!(client.headers(Request::of("DELETE")).send(served.port).status, 204);
        assert_eq!(ended.join().unwrap().status, 202);
        assert_eq!(goes_on.join().unwrap()["result"]["content"][0]["text"], "unharmed");
    });
}

// Proves: J-08.
#[test]
fn a_message_with_an_envelope_is_refused_inside_a_batch() {
    let served = Served::plain();
    let client = Client::new(served.port, Era::Legacy("2025-03-26"));
    let modern = json!({ "jsonrpc": "2.0", "id": 2, "method": "server/discover", "params": { "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {},
    } } });
    let batch = json!([{ "jsonrpc": "2.0", "id": 1, "method": "ping" }, modern]);
    let response = client.headers(Request::post(batch.to_string())).send(served.port);
    assert_eq!((response.status, response.json()["error"]["code"].as_i64()), (400, Some(-32600)));
}

// Proves: PC-05, PC-06.
#[test]
fn a_cursor_that_was_never_given_out_is_invalid() {
    let served = Served::plain();
    for era in [Era::Legacy("2025-11-25"), Era::Modern] {
        let client = Client::new(served.port, era);
        assert_eq!(client.request("tools/list", json!({ "cursor": "forged" }))["error"]["code"], -32602);
        assert!(client.request("tools/list", json!({ "cursor": null }))["result"]["tools"].is_array());
    }
}

#[test]
fn expired_state_leaves_the_file_of_its_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.redb");
    let store = format!("file:{}", path.display());
    let secret = "a note that nobody will find later";
    let holds = || {
        let bytes = std::fs::read(&path).unwrap();
        bytes.windows(secret.len()).filter(|window| *window == secret.as_bytes()).count()
    };
    let server = HttpServer::with("notebook", &["--store", &store, "--session-ttl", "3"], &[]);
    for _ in 0..5 {
        let client = Client::new(server.port, Era::Legacy("2025-11-25"));
        let request = client.call_request(json!(1), "notebook_append", json!({ "text": secret }));
        assert_eq!(request.send(server.port).status, 200);
    }
    assert!(holds() >= 5);
    drop(server);
    // What was swept may linger in free pages of the file, so it is counted by a store that opens it again.
    let server = HttpServer::with("notebook", &["--store", &store, "--session-ttl", "3"], &[]);
    // Three seconds of life, a sweep every three seconds, and some more for a busy machine.
    std::thread::sleep(Duration::from_secs(9));
    drop(server);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let left = runtime.block_on(async {
        let store = mcp_runtime::store::FileStore::open(&path).unwrap();
        use mcp_runtime::store::StateStore;
        store.list(mcp_runtime::store::Owner::default(), None, 100).await.unwrap().len() + store.sweep().await.unwrap()
    });
    assert_eq!(left, 0, "records are left that the server should have swept");
}

#[test]
fn an_identity_lists_its_tools_without_handles() {
    let tokens = mcp_runtime::auth::DevelopmentTokens::new().with("token-of-ann", "ann");
    let served = Served::new(|server: Server| server.authorize(tokens).sessions(Sessions::default().by_identity()));
    let client = Client::new_as(served.port, Era::Modern, Some("token-of-ann"));
    let listed = client.request("tools/list", json!({}));
    let text = listed["result"]["tools"].to_string();
    assert!(!text.contains("open_session") && !text.contains("\"session\""), "{text}");
}

#[test]
fn stopping_waits_for_calls_whose_client_went_away() {
    let mut served = Served::plain();
    let client = Client::new(served.port, Era::Legacy("2025-11-25"));
    let request = client.call_request(json!(1), "wait", json!({ "milliseconds": 700 }));
    let mut connection = connect(served.port);
    connection.write_all(&request.bytes(served.port)).unwrap();
    eventually("the call starts", Duration::from_secs(5), || served.fixture.started.load(Ordering::SeqCst) == 1);
    drop(connection);
    std::thread::sleep(Duration::from_millis(150));
    served.stop();
    assert_eq!(served.fixture.finished.load(Ordering::SeqCst), 1, "the call was cut off");
}
