//! What the server does when many come at once, when tools fail, when peers go away.

use std::{
    io::{BufReader, Write},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use mcp_runtime::{Server, auth::DevelopmentTokens};
use serde_json::{Value, json};

use crate::{
    fixture::Fixture,
    support::{
        Request, Response,
        client::{Client, Era},
        http::{connect, read_chunk},
    },
};

/// The fixture, served on a free port by a runtime of its own.
pub struct Served {
    pub port: u16,
    pub fixture: Fixture,
    runtime: Option<tokio::runtime::Runtime>,
    running: Option<mcp_runtime::Running>,
}

impl Served {
    pub fn new(change: impl FnOnce(Server) -> Server) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let fixture = Fixture::default();
        let server = change(Server::new(fixture.clone()).port(0));
        let running = runtime.block_on(server.start()).expect("the fixture starts");
        Self { port: running.address().port(), fixture, runtime: Some(runtime), running: Some(running) }
    }

    pub fn plain() -> Self {
        Self::new(|server| server)
    }

    /// Drains the server as a signal would; gives how long that took.
    pub fn stop(&mut self) -> Duration {
        let begun = Instant::now();
        let (runtime, running) = (self.runtime.as_ref().unwrap(), self.running.take().unwrap());
        runtime.block_on(running.stop());
        begun.elapsed()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Waits until something is so.
pub fn eventually(what: &str, limit: Duration, condition: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
    begun.elapsed()
}

const ERAS: [Era; 2] = [Era::Legacy("2025-11-25"), Era::Modern];

// Proves: M-03.
#[test]
fn server_info_is_the_users_own() {
    let served = Served::plain();
    let response = Client::new(served.port, Era::Modern).request("server/discover", json!({}));
    let info = &response["result"]["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!(*info, json!({ "name": "fixture", "version": "9.8.7" }));
}

// Proves: J-04, J-15, P-09.
#[test]
fn a_thousand_concurrent_calls_with_one_id_get_their_own_answers() {
    let served = Served::plain();
    for era in ERAS {
        let client = Client::new(served.port, era);
        let answers: Vec<(usize, Value)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..20)
                .map(|thread| {
                    let client = &client;
                    scope.spawn(move || {
                        // Fifty at once on each of twenty threads: all are sent before the first is read.
                        let calls: Vec<_> = (0..50)
                            .map(|call| {
                                let number = thread * 50 + call;
                                let arguments = json!({ "milliseconds": 20, "text": number.to_string() });
                                let request = client.call_request(json!(1), "wait", arguments);
                                let mut connection = connect(served.port);
                                connection.write_all(&request.bytes(served.port)).unwrap();
                                (number, request, connection)
                            })
                            .collect();
                        let read = |(number, request, connection): (usize, Request, _)| {
                            (number, request.answer(connection).json())
                        };
                        calls.into_iter().map(read).collect::<Vec<_>>()
                    })
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(answers.len(), 1000);
        for (number, answer) in answers {
            assert_eq!(answer["id"], 1);
            assert_eq!(answer["result"]["content"][0]["text"], number.to_string());
        }
    }
}

#[test]
fn a_hundred_concurrent_writers_of_one_session_lose_nothing() {
    let served = Served::plain();
    for era in ERAS {
        let client = Client::new(served.port, era);
        std::thread::scope(|scope| {
            for writer in 0..100_u64 {
                let client = &client;
                scope.spawn(move || {
                    let answer = client.call("count", json!({ "by": writer }));
                    assert!(answer["result"]["isError"].is_null() && answer["error"].is_null(), "{answer}");
                });
            }
        });
        let answer = client.call("counted", json!({}));
        let mut seen: Vec<u64> = serde_json::from_value(client.structured(&answer).clone()).unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (0..100).collect::<Vec<_>>());
    }
}

// Proves: TL-15.
#[test]
fn a_panic_answers_its_own_call_quickly_and_harms_no_other() {
    let served = Served::plain();
    for era in ERAS {
        let client = Client::new(served.port, era);
        std::thread::scope(|scope| {
            let neighbours: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| client.call("wait", json!({ "milliseconds": 150, "text": "unharmed" }))))
                .collect();
            // The quickest of several: the first panic of a process reads its own debug information.
            let panics = [json!({}), json!({ "milliseconds": 1 }), json!({}), json!({}), json!({})];
            let quickest = panics.map(|arguments| {
                let begun = Instant::now();
                let answer = client.call("panic", arguments);
                assert_eq!(answer["error"], json!({ "code": -32603, "message": "Internal error" }));
                begun.elapsed()
            });
            let quickest = quickest.iter().min().expect("there are five");
            assert!(*quickest < Duration::from_millis(100), "the quickest took {quickest:?}");
            for neighbour in neighbours {
                assert_eq!(neighbour.join().unwrap()["result"]["content"][0]["text"], "unharmed");
            }
        });
        // The draft of a call that panicked or failed is discarded.
        assert_eq!(client.call("count_and_panic", json!({}))["error"]["code"], -32603);
        let failed = client.call("count_and_fail", json!({}));
        assert_eq!(failed["result"]["isError"], true);
        let text = failed["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.starts_with("internal error, id ") && !text.contains("10.0.0.1"), "{text}");
        let counted = client.call("count", json!({ "by": 1 }));
        assert_eq!(*client.structured(&counted), json!(1));
    }
}

// Proves: N-11, P-07.
#[test]
fn a_disconnect_cancels_on_2026_07_28_within_a_second() {
    let served = Served::plain();
    let client = Client::new(served.port, Era::Modern);
    let request = client.call_request(json!(1), "wait", json!({ "milliseconds": 20_000 }));
    let mut connection = connect(served.port);
    connection.write_all(&request.bytes(served.port)).unwrap();
    eventually("the call starts", Duration::from_secs(5), || served.fixture.started.load(Ordering::SeqCst) == 1);
    drop(connection);
    eventually("the call is dropped", Duration::from_secs(1), || served.fixture.dropped.load(Ordering::SeqCst) == 1);
}

// Proves: H-08, P-07.
#[test]
fn a_disconnect_does_not_cancel_on_older_revisions() {
    let served = Served::plain();
    let client = Client::new(served.port, Era::Legacy("2025-06-18"));
    let request = client.call_request(json!(1), "wait", json!({ "milliseconds": 1_500 }));
    let mut connection = connect(served.port);
    connection.write_all(&request.bytes(served.port)).unwrap();
    eventually("the call starts", Duration::from_secs(5), || served.fixture.started.load(Ordering::SeqCst) == 1);
    drop(connection);
    eventually("the call ends", Duration::from_secs(5), || served.fixture.finished.load(Ordering::SeqCst) == 1);
    assert_eq!(served.fixture.dropped.load(Ordering::SeqCst), 0);
}

#[test]
fn a_half_closed_client_still_gets_its_answer() {
    let served = Served::plain();
    for era in ERAS {
        let client = Client::new(served.port, era);
        let request = client.call_request(json!(1), "wait", json!({ "milliseconds": 300, "text": "late" }));
        let mut connection = connect(served.port);
        connection.write_all(&request.bytes(served.port)).unwrap();
        connection.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = request.answer(connection).json();
        assert_eq!(answer["result"]["content"][0]["text"], "late");
    }
}

// Proves: T-04, U-08, P-09.
#[test]
fn a_notification_cancels_the_call_that_it_names_in_its_own_session_only() {
    let served = Served::plain();
    let (client, stranger) =
        (Client::new(served.port, Era::Legacy("2025-11-25")), Client::new(served.port, Era::Legacy("2025-11-25")));
    std::thread::scope(|scope| {
        let call = scope.spawn(|| {
            let request = client.call_request(json!("long"), "wait", json!({ "milliseconds": 20_000 }));
            request.send(served.port)
        });
        eventually("the call starts", Duration::from_secs(5), || served.fixture.started.load(Ordering::SeqCst) == 1);
        let cancelled = json!({ "requestId": "long", "reason": "changed my mind" });
        stranger.notify("notifications/cancelled", cancelled.clone());
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(served.fixture.dropped.load(Ordering::SeqCst), 0);
        client.notify("notifications/cancelled", cancelled);
        eventually("the call is dropped", Duration::from_secs(1), || {
            served.fixture.dropped.load(Ordering::SeqCst) == 1
        });
        // Whoever cancelled a call gets no answer to it.
        let response = call.join().unwrap();
        assert_eq!((response.status, response.body.len()), (202, 0));
    });
}

// Proves: M-09, N-09, N-10, U-06.
#[test]
fn progress_comes_before_the_answer_only_when_it_was_asked_for() {
    let served = Served::plain();
    for era in ERAS {
        let client = Client::new(served.port, era);
        let plain = client.call_request(json!(1), "progress", json!({ "reports": 3 })).send(served.port);
        assert_eq!(plain.header("content-type"), Some("application/json"));
        let request = client.call_request_with_meta(
            json!(2),
            "progress",
            json!({ "reports": 30 }),
            json!({ "progressToken": "token" }),
        );
        let streamed = request.send(served.port);
        assert!(streamed.header("content-type").unwrap().starts_with("text/event-stream"));
        assert_eq!(streamed.header("x-accel-buffering"), Some("no"));
        let messages: Vec<Value> =
            streamed.messages().iter().map(|message| serde_json::from_str(message).unwrap()).collect();
        let (answer, reports) = messages.split_last().unwrap();
        assert_eq!(answer["result"]["content"][0]["text"], "done");
        assert_eq!(reports.len(), 30);
        for (position, report) in reports.iter().enumerate() {
            assert_eq!(report["method"], "notifications/progress");
            assert_eq!(report["params"]["progressToken"], "token");
            assert_eq!(report["params"]["progress"], json!((position + 1) as f64));
        }
        // A flood is bounded: the oldest reports give way, the answer never does.
        let request = client.call_request_with_meta(
            json!(3),
            "progress",
            json!({ "reports": 9 }),
            json!({ "progressToken": 1.5 }),
        );
        assert_eq!(request.send(served.port).messages().len(), 1, "1.5 is no token");
    }
}

#[test]
fn a_client_that_reads_json_only_gets_the_answer_alone() {
    let served = Served::plain();
    let client = Client::new(served.port, Era::Modern);
    let meta = json!({ "progressToken": 1 });
    let request = client.call_request_with_meta(json!(1), "progress", json!({ "reports": 5 }), meta);
    let response = request.header("Accept", "application/json").send(served.port);
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.json()["result"]["content"][0]["text"], "done");
}

// Proves: H-11, S-05.
#[test]
fn a_stream_that_nobody_reads_slows_no_call_and_ends_with_its_session() {
    let served = Served::plain();
    let client = Client::new(served.port, Era::Legacy("2025-11-25"));
    let mut stream = connect(served.port);
    let get = client.headers(Request::of("GET")).header("Accept", "text/event-stream");
    stream.write_all(&get.bytes(served.port)).unwrap();
    let mut stream = BufReader::new(stream);
    let head = Response::read_head(&mut stream);
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
    let begun = Instant::now();
    for _ in 0..50 {
        assert_eq!(client.call("echo", json!({ "text": "quick" }))["result"]["content"][0]["text"], "quick");
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "fifty calls took {:?}", begun.elapsed());
    assert_eq!(client.headers(Request::of("DELETE")).send(served.port).status, 204);
    let first = read_chunk(&mut stream).expect("a stream begins with an id");
    assert!(first.starts_with(b"id: ") && first.ends_with(b"\ndata: \n\n"), "{first:?}");
    while let Some(chunk) = read_chunk(&mut stream) {
        assert!(chunk.starts_with(b":"), "only comments follow on a stream on which nothing happens");
    }
    assert_eq!(client.headers(Request::post("{}")).send(served.port).status, 400);
}

#[test]
fn a_blocking_tool_blocks_no_other_call() {
    let served = Served::plain();
    let client = Client::new(served.port, Era::Modern);
    std::thread::scope(|scope| {
        let blocked: Vec<_> =
            (0..6).map(|_| scope.spawn(|| client.call("block", json!({ "milliseconds": 1_000 })))).collect();
        std::thread::sleep(Duration::from_millis(100));
        let begun = Instant::now();
        client.call("echo", json!({ "text": "quick" }));
        assert!(begun.elapsed() < Duration::from_millis(600), "it took {:?}", begun.elapsed());
        for call in blocked {
            assert_eq!(call.join().unwrap()["result"]["content"][0]["text"], "blocked");
        }
    });
}

#[test]
fn draining_ends_open_streams_and_lets_running_calls_finish() {
    let mut served = Served::plain();
    let client = Client::new(served.port, Era::Legacy("2025-11-25"));
    let mut stream = connect(served.port);
    let get = client.headers(Request::of("GET")).header("Accept", "text/event-stream");
    stream.write_all(&get.bytes(served.port)).unwrap();
    let mut stream = BufReader::new(stream);
    Response::read_head(&mut stream);
    let request = client.call_request(json!(1), "wait", json!({ "milliseconds": 500, "text": "finished" }));
    let mut call = connect(served.port);
    call.write_all(&request.bytes(served.port)).unwrap();
    eventually("the call starts", Duration::from_secs(5), || served.fixture.started.load(Ordering::SeqCst) == 1);
    let took = served.stop();
    assert!(took < Duration::from_secs(5), "stopping took {took:?}");
    let answer = request.answer(call).json();
    assert_eq!(answer["result"]["content"][0]["text"], "finished");
    while read_chunk(&mut stream).is_some() {}
}

// Proves: S-06.
#[test]
fn every_principal_has_its_own_session_behind_its_identity() {
    let tokens = DevelopmentTokens::new().with("token-of-ann", "ann").with("token-of-bob", "bob");
    let served = Served::new(|server| {
        let sessions = mcp_runtime::Sessions::default().by_identity();
        server.authorize(tokens).sessions(sessions)
    });
    let ann = Client::new_as(served.port, Era::Modern, Some("token-of-ann"));
    let bob = Client::new_as(served.port, Era::Modern, Some("token-of-bob"));
    ann.call("count", json!({ "by": 1 }));
    ann.call("count", json!({ "by": 2 }));
    let text =
        |client: &Client| client.call("who", json!({}))["result"]["content"][0]["text"].as_str().unwrap().to_owned();
    assert!(text(&ann).starts_with("ann in ") && text(&ann).ends_with(" after 2"), "{}", text(&ann));
    assert!(text(&bob).starts_with("bob in ") && text(&bob).ends_with(" after 0"), "{}", text(&bob));
    // Nothing is served to nobody, and a wrong token is nobody.
    for wrong in [None, Some("Bearer wrong"), Some("Basic dG9rZW4="), Some("Bearer")] {
        let mut request = ann.call_request(json!(1), "who", json!({})).without("Authorization");
        if let Some(wrong) = wrong {
            request = request.header("Authorization", wrong);
        }
        let response = request.send(served.port);
        assert_eq!(response.status, 401);
        assert!(response.header("www-authenticate").unwrap().starts_with("Bearer"));
    }
}

// Proves: S-07, SEC-04.
#[test]
fn abuse_e12_e17_a_session_of_somebody_else_is_a_session_that_does_not_exist() {
    let tokens = DevelopmentTokens::new().with("token-of-ann", "ann").with("token-of-bob", "bob");
    let served = Served::new(|server| server.authorize(tokens));
    let ann = Client::new_as(served.port, Era::Legacy("2025-11-25"), Some("token-of-ann"));
    let foreign = |request: Request| request.header("Authorization", "Bearer token-of-bob").send(served.port);
    let unknown = |request: Request| request.header("Mcp-Session-Id", "unknown").send(served.port);
    let ping = ann.headers(Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#));
    let get = ann.headers(Request::of("GET")).header("Accept", "text/event-stream");
    let delete = ann.headers(Request::of("DELETE"));
    for request in [ping, get, delete] {
        let (foreign, unknown) = (foreign(request.clone()), unknown(request));
        assert_eq!((foreign.status, foreign.body.clone()), (404, unknown.body.clone()));
        let but_date = |response: &Response| {
            response.headers.iter().filter(|(name, _)| name != "date").cloned().collect::<Vec<_>>()
        };
        assert_eq!(but_date(&foreign), but_date(&unknown));
    }
    // A handle is as little worth in other hands.
    let (ann, bob) = (
        Client::new_as(served.port, Era::Modern, Some("token-of-ann")),
        Client::new_as(served.port, Era::Modern, Some("token-of-bob")),
    );
    let handle = ann.handle();
    let answer = bob.call_request(json!(1), "who", json!({ "session": handle })).send(served.port).json();
    let forged = bob.call_request(json!(1), "who", json!({ "session": "A".repeat(38) })).send(served.port).json();
    assert_eq!(answer, forged);
    assert_eq!(answer["result"]["isError"], true);
    // And the session is its owner's still.
    assert!(ann.call("who", json!({}))["result"]["isError"].is_null());
}

// Proves: N-14, S-10.
#[test]
fn where_sessions_are_optional_clients_without_one_are_served_too() {
    let served = Served::new(|server| server.sessions(mcp_runtime::Sessions::default().optional()));
    let call = |name: &str, arguments: Value| {
        let params = json!({ "name": name, "arguments": arguments });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        Request::post(body.to_string()).revision("2025-03-26").send(served.port).json()
    };
    assert_eq!(call("echo", json!({ "text": "hello" }))["result"]["content"][0]["text"], "hello");
    let answer = call("count", json!({ "by": 1 }));
    assert_eq!(answer["result"]["isError"], true);
    assert!(answer["result"]["content"][0]["text"].as_str().unwrap().contains("initialize"), "{answer}");
    // With a session, the same tool works.
    let client = Client::new(served.port, Era::Legacy("2025-03-26"));
    assert!(client.call("count", json!({ "by": 1 }))["result"]["isError"].is_null());
}

#[test]
fn state_without_sessions_is_an_error_at_the_start() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = Server::new(Fixture::default()).port(0).sessions(mcp_runtime::Sessions::off());
    let error = runtime.block_on(server.start()).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("count_and_panic") && error.contains("sessions are off"), "{error}");
}
