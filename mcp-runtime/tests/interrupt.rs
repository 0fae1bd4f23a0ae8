//! Ctrl-C, as a process sees it.
//!
//! Each test starts its own binary again as the server: without arguments, so that the server's command line is empty, and
//! with a variable that tells the one test in it that is to serve.
#![cfg(unix)]

mod support;

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use mcp_runtime::Sessions;
use support::{Peer, Seen, modern, modern_post};

const SERVE: &str = "MCP_RUNTIME_TEST_SERVES";

/// A process that serves; killed when the test ends before it.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// In the process of a server: serves if it is this transport's turn, and says that there is nothing to test.
fn serves(transport: &str) -> bool {
    let Ok(turn) = std::env::var(SERVE) else { return false };
    if turn == transport {
        let server = mcp_runtime::Server::new(support::Server(Arc::<Seen>::default())).sessions(Sessions::off());
        server.serve().unwrap();
    }
    true
}

fn start(transport: &str) -> Process {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(SERVE, transport).env("RUST_TEST_NOCAPTURE", "1").env("RUST_TEST_THREADS", "2");
    command.env("MCP_TRANSPORT", transport).env("MCP_PORT", "0");
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    Process(child)
}

impl Process {
    fn interrupt(&self) {
        let status = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end, at most as long as running calls get; gives whether it was a good one and how long it took.
    fn end(&mut self) -> (bool, Duration) {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(15) {
            if let Some(status) = self.0.try_wait().unwrap() {
                return (status.success(), start.elapsed());
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the process goes on");
    }
}

#[test]
fn ctrl_c_lets_a_call_over_http_finish_and_ends_the_process_well() {
    if serves("streamable-http") {
        return;
    }
    let mut process = start("streamable-http");
    let mut said = BufReader::new(process.0.stderr.take().unwrap()).lines();
    let url = said.find_map(|line| line.unwrap().split_once("listening on ").map(|(_, url)| url.to_owned())).unwrap();
    let address = url.trim_start_matches("http://").trim_end_matches("/mcp").parse().unwrap();
    let mut peer = Peer::new(address);
    let mut idle = Peer::new(address);
    peer.say(modern_post(1, "sleepy"));
    thread::sleep(Duration::from_millis(350));
    process.interrupt();
    let answer = peer.answer();
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert!(answer.body.contains("slept"), "{answer:?}");
    assert_eq!(idle.rest(), b"");
    let (well, took) = process.end();
    assert!(well && took < Duration::from_secs(5), "well: {well}, after {took:?}");
}

#[test]
fn ctrl_c_lets_a_call_over_stdio_finish_and_ends_the_process_well_though_the_input_is_open() {
    if serves("stdio") {
        return;
    }
    let mut process = start("stdio");
    let mut input = process.0.stdin.take().unwrap();
    let mut output = BufReader::new(process.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    // The test harness of the process writes to its output too.
    let mut answer = || output.find(|line| line.starts_with('{')).expect("an answer");
    writeln!(input, "{}", modern(1, "ping_pong")).unwrap();
    assert!(answer().contains("pong"));
    writeln!(input, "{}", modern(2, "sleepy")).unwrap();
    thread::sleep(Duration::from_millis(350));
    process.interrupt();
    let answer = answer();
    assert!(answer.contains("slept"), "{answer}");
    // Read to the end, so that nothing that the harness still says is refused.
    for _ in output {}
    let (well, took) = process.end();
    assert!(well && took < Duration::from_secs(5), "well: {well}, after {took:?}");
    drop(input);
}
