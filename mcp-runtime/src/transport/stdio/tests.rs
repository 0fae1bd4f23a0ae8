use std::{
    io::{BufRead, PipeReader, PipeWriter},
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use super::*;
use crate::{session::Sessions, store::MemoryStore};

// The declared server of the tests over HTTP.
#[path = "../../../tests/support/mod.rs"]
mod support;

use support::{Seen, legacy, modern, within};

fn lines(input: &[u8], limit: usize) -> Vec<Incoming> {
    let mut input = BufReader::with_capacity(4, input);
    std::iter::from_fn(|| read_line(&mut input, limit).unwrap()).collect()
}

fn line(text: &'static str) -> Incoming {
    Incoming::Line(Bytes::from_static(text.as_bytes()))
}

// Proves: T-08.
#[test]
fn lines_end_with_a_line_break_with_or_without_a_carriage_return() {
    assert_eq!(lines(b"{\"a\":1}\r\n{}\n[]", 100), [line("{\"a\":1}"), line("{}"), line("[]")]);
}

#[test]
fn blank_lines_are_skipped() {
    assert_eq!(lines(b"\n\r\n  \n{}\n\n", 100), [line("{}")]);
}

#[test]
fn a_line_over_the_limit_is_skipped_to_its_end_and_the_next_one_is_read() {
    assert_eq!(lines(b"123456789\n12345678\nx\n", 8), [Incoming::TooLong, line("12345678"), line("x")]);
    assert_eq!(lines(b"123456789", 8), [Incoming::TooLong]);
}

#[test]
fn frames_are_one_line_each() {
    let (sender, receiver) = mpsc::channel(4);
    sender.try_send(Bytes::from_static(b"{\n}")).unwrap();
    sender.try_send(Bytes::from_static(b"[]")).unwrap();
    drop(sender);
    let mut out = Vec::new();
    write_frames(&mut out, receiver).unwrap();
    assert_eq!(out, b"{ }\n[]\n");
}

/// A served connection: what goes in, what comes out, and the end.
struct Connection {
    input: Option<PipeWriter>,
    output: BufReader<PipeReader>,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<io::Result<()>>,
    seen: Arc<Seen>,
    runtime: tokio::runtime::Runtime,
}

fn connection() -> Connection {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let seen = Arc::new(Seen::default());
    let (their_input, input) = io::pipe().unwrap();
    let (output, their_output) = io::pipe().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let service = Arc::new(support::Server(seen.clone()));
    let engine = Engine::start(crate::engine::Setup::new(service, Sessions::default(), Arc::new(MemoryStore::new())));
    let engine = runtime.block_on(engine).unwrap();
    let served = runtime.spawn(serve(engine, their_input, their_output, async {
        let _ = stopped.await;
    }));
    Connection { input: Some(input), output: BufReader::new(output), stop: Some(stop), served, seen, runtime }
}

impl Connection {
    fn say(&mut self, line: &str) -> &mut Self {
        self.input.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
        self
    }

    fn read(&mut self) -> serde_json::Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }

    fn end(&mut self) -> io::Result<()> {
        self.runtime.block_on(&mut self.served).unwrap()
    }
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;

#[test]
fn who_does_not_wait_for_the_handshake_finds_the_session_open() {
    let mut connection = connection();
    let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    connection.say(&[INITIALIZE, initialized, &legacy(1, "ping_pong")].join("\n"));
    assert_eq!(connection.read()["result"]["protocolVersion"], "2025-11-25");
    let answer = connection.read();
    assert_eq!((&answer["id"], &answer["result"]["content"][0]["text"]), (&1.into(), &"pong".into()));
}

// Proves: J-15.
#[test]
fn calls_run_beside_each_other_and_are_answered_as_they_end() {
    let mut connection = connection();
    connection.say(&modern(1, "ping_pong"));
    assert_eq!(connection.read()["id"], 1);
    connection.say(&modern(2, "sleepy")).say(&modern(3, "ping_pong"));
    assert_eq!(connection.read()["id"], 3);
    assert_eq!(connection.read()["id"], 2);
}

#[test]
fn a_function_that_blocks_its_thread_holds_up_nothing() {
    let mut connection = connection();
    connection.say(&modern(1, "ping_pong"));
    assert_eq!(connection.read()["id"], 1);
    connection.say(&modern(2, "blocks_its_thread")).say(&modern(3, "ping_pong"));
    assert_eq!(connection.read()["id"], 3);
    assert_eq!(connection.read()["id"], 2);
}

#[test]
fn a_message_before_the_answer_is_a_line_of_its_own() {
    let mut connection = connection();
    connection.say(&modern(1, "talkative"));
    assert_eq!(connection.read()["method"], "notifications/progress");
    assert_eq!(connection.read()["id"], 1);
}

// Proves: T-08.
#[test]
fn what_is_no_message_is_answered_and_the_next_line_is_read() {
    let mut connection = connection();
    connection.say("{").say("").say(&modern(2, "ping_pong"));
    assert_eq!(connection.read()["error"]["code"], -32700);
    assert_eq!(connection.read()["id"], 2);
}

// Proves: J-05, T-08.
#[test]
fn a_line_that_is_too_long_is_answered_and_the_next_one_is_read() {
    let mut connection = connection();
    let long = " ".repeat(LINE_LIMIT + 1);
    connection.say(&long).say(&modern(2, "ping_pong"));
    let refusal = connection.read();
    assert_eq!((&refusal["error"]["code"], refusal.get("id")), (&(-32600).into(), None));
    assert_eq!(connection.read()["id"], 2);
}

#[test]
fn when_the_input_ends_running_calls_are_finished_first() {
    let mut connection = connection();
    connection.say(&modern(1, "sleepy"));
    connection.input = None;
    assert_eq!(connection.read()["id"], 1);
    connection.end().unwrap();
}

// Proves: T-05.
#[test]
fn when_the_input_ends_a_call_without_end_is_cut_off() {
    let mut connection = connection();
    connection.say(&modern(1, "endless"));
    assert!(within(Duration::from_secs(5), || connection.seen.started.load(Ordering::SeqCst) == 1));
    let start = Instant::now();
    connection.input = None;
    connection.end().unwrap();
    let took = start.elapsed();
    assert!(took >= DRAIN && took < DRAIN + Duration::from_secs(2), "{took:?}");
    assert_eq!(connection.seen.dropped.load(Ordering::SeqCst), 1);
}

#[test]
fn told_to_stop_it_ends_though_the_input_stays_open() {
    let mut connection = connection();
    connection.say(&modern(1, "ping_pong"));
    assert_eq!(connection.read()["id"], 1);
    drop(connection.stop.take());
    let start = Instant::now();
    connection.end().unwrap();
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_client_that_reads_nothing_more_ends_it() {
    let mut connection = connection();
    let (output, _) = io::pipe().unwrap();
    // The reading end is dropped: writing fails from now on.
    connection.output = BufReader::new(output);
    connection.say(&modern(1, "ping_pong"));
    let _ = connection.input.as_mut().unwrap().write_all(format!("{}\n", modern(2, "ping_pong")).as_bytes());
    connection.end().unwrap();
}

#[test]
fn requests_beyond_the_limit_are_refused_and_cancelling_a_call_makes_room() {
    let mut connection = connection();
    let hanging: Vec<String> = (0..).map(|id| modern(id, "endless")).take(CALLS).collect();
    connection.say(&hanging.join("\n")).say(&modern(5000, "ping_pong"));
    let refusal = connection.read();
    assert_eq!((&refusal["id"], &refusal["error"]["code"]), (&5000.into(), &(-32603).into()), "{refusal}");
    assert!(refusal["error"]["message"].as_str().unwrap().contains("oo many calls under way"), "{refusal}");
    assert!(within(Duration::from_secs(10), || connection.seen.started.load(Ordering::SeqCst) == CALLS));
    connection.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#);
    assert!(within(Duration::from_secs(5), || connection.seen.dropped.load(Ordering::SeqCst) == 1));
    // The cancelled call gives its place back a moment after its function was dropped.
    let answer = (5001..5100)
        .map(|id| {
            std::thread::sleep(Duration::from_millis(10));
            connection.say(&modern(id, "ping_pong")).read()
        })
        .find(|answer| answer.get("error").is_none());
    assert_eq!(answer.unwrap()["result"]["content"][0]["text"], "pong");
}

/// Says this line again and again until nobody reads it, at most 20,000 times; gives how often it was said so far.
fn flood(connection: &mut Connection, line: &str) -> Arc<AtomicUsize> {
    // Long lines, so that few of them lie in a pipe.
    let line = format!("{line}{}\n", " ".repeat(2000));
    let mut input = connection.input.take().unwrap();
    let said = Arc::new(AtomicUsize::new(0));
    let count = said.clone();
    std::thread::spawn(move || {
        while input.write_all(line.as_bytes()).is_ok() && count.fetch_add(1, Ordering::SeqCst) < 20_000 {}
    });
    said
}

/// Waits until nothing more is read; gives how many lines were.
fn stuck(said: &AtomicUsize) -> usize {
    loop {
        let before = said.load(Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(700));
        if before > 0 && said.load(Ordering::SeqCst) == before {
            return before;
        }
    }
}

#[test]
fn a_client_that_does_not_read_its_answers_is_not_read_either() {
    let mut connection = connection();
    let said = flood(&mut connection, "{");
    let read = stuck(&said);
    assert!(read < 10_000, "{read} lines were read");
    connection.output = BufReader::new(io::pipe().unwrap().0);
    connection.end().unwrap();
}

#[test]
fn told_to_stop_it_ends_though_a_client_does_not_read_its_refusals() {
    let mut connection = connection();
    let said = flood(&mut connection, &modern(1, "ping_pong"));
    let read = stuck(&said);
    assert!(read < 10_000, "{read} lines were read");
    drop(connection.stop.take());
    let ended = async { timeout(DRAIN + Duration::from_secs(2), &mut connection.served).await };
    connection.runtime.block_on(ended).expect("it ends").unwrap().unwrap();
}

const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// A subscription as 2026-07-28 wants it.
fn listen(id: u32) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"subscriptions/listen","params":{{"notifications":{{"toolsListChanged":true,"resourceSubscriptions":["test://board"]}},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
    )
}

/// What three lines say, in no order.
fn three(connection: &mut Connection) -> Vec<String> {
    let mut lines: Vec<_> = (0..3)
        .map(|_| connection.read())
        .map(|line| match line.get("method") {
            Some(method) => method.as_str().unwrap().to_owned(),
            None => format!("answer {}", line["id"]),
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn a_client_with_a_handshake_is_told_what_changes_once_it_is_initialized() {
    let mut connection = connection();
    connection.say(INITIALIZE);
    connection.read();
    // Before that it is told nothing, and what changed then is no news.
    connection.say(&legacy(1, "announces"));
    assert_eq!(connection.read()["id"], 1);
    connection.say(r#"{"jsonrpc":"2.0","id":2,"method":"resources/subscribe","params":{"uri":"test://board"}}"#);
    assert_eq!(connection.read()["result"], serde_json::json!({}));
    connection.say(INITIALIZED).say(&legacy(3, "announces"));
    let told = ["answer 3", "notifications/resources/updated", "notifications/tools/list_changed"];
    assert_eq!(three(&mut connection), told);
    connection.input = None;
    connection.end().unwrap();
}

// Proves: SB-02, SB-04, T-04.
#[test]
fn a_subscription_over_stdio_ends_without_a_word_when_its_client_cancels_it() {
    let mut connection = connection();
    connection.say(&listen(1)).say(&listen(2));
    for id in [1, 2] {
        let acknowledged = connection.read();
        assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
        assert_eq!(acknowledged["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], id);
    }
    connection.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#);
    connection.say(&modern(3, "announces"));
    // Two of the other one, and the answer.
    let told = ["answer 3", "notifications/resources/updated", "notifications/tools/list_changed"];
    assert_eq!(three(&mut connection), told);
}

// Proves: SB-06, SB-07, U-09.
#[test]
fn a_subscription_over_stdio_ends_with_its_result_and_a_notification_when_the_server_goes_down() {
    let mut connection = connection();
    connection.say(&listen(1));
    connection.read();
    connection.stop.take().unwrap().send(()).unwrap();
    let result = connection.read();
    assert_eq!((&result["id"], &result["result"]["resultType"]), (&1.into(), &"complete".into()));
    assert_eq!(result["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 1);
    let cancelled = connection.read();
    assert_eq!(
        (&cancelled["method"], &cancelled["params"]["requestId"]),
        (&"notifications/cancelled".into(), &1.into())
    );
    connection.end().unwrap();
}
