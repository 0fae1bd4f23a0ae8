//! What the operating system says of a server's memory: sessions that were only opened cost nothing, clients that only
//! listen little.

use std::{
    fs,
    io::{BufReader, Write},
    time::{Duration, Instant},
};

use crate::{
    programs::{left_out, tell},
    support::{
        HttpServer, Request, Response,
        http::{connect, read_chunk},
    },
};

const SESSIONS: usize = 100_000;
const CONNECTIONS: usize = 4;
/// So many requests are on a connection at once.
const AT_ONCE: usize = 50;

/// The memory of a process that is in RAM, in KiB.
fn resident(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the kernel counts memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number of KiB")
}

/// Opens this many sessions over a few connections that stay open; every answer must bring an id.
fn open_sessions(port: u16, sessions: usize) {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
    let requests = Request::post(body).bytes(port).repeat(AT_ONCE);
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut connection = connect(port);
                let mut answers = BufReader::new(connection.try_clone().expect("a socket has two ends"));
                for _ in 0..sessions / CONNECTIONS / AT_ONCE {
                    connection.write_all(&requests).expect("the server reads");
                    for _ in 0..AT_ONCE {
                        let answer = Response::read(&mut answers);
                        assert!(answer.status == 200 && answer.header("mcp-session-id").is_some(), "{answer:?}");
                    }
                }
            });
        }
    });
}

#[test]
fn a_hundred_thousand_sessions_that_were_only_opened_cost_less_than_five_mebibytes() {
    // One that keeps state, since that is where something could be kept for a session.
    let server = HttpServer::start("notebook");
    // What the first requests reserve stays reserved.
    open_sessions(server.port, 2_000);
    let before = resident(server.pid());
    let begun = Instant::now();
    open_sessions(server.port, SESSIONS);
    let took = begun.elapsed();
    let grown = resident(server.pid()).saturating_sub(before);
    assert!(grown < 5 * 1024, "{SESSIONS} sessions cost {grown} KiB");
    assert!(took < Duration::from_secs(60), "{took:?}");
}

const LISTENERS: usize = 5_000;
/// Of fewer, what the process reserves for all would count too much for each.
const FEWEST: usize = 500;

/// Opens this many connections, each with a subscription that was acknowledged.
fn listen(port: u16, listeners: usize) -> Vec<std::net::TcpStream> {
    listen_to(port, listeners, |_| {
        r#"{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"resourcesListChanged":true,"resourceSubscriptions":["board://topics"]},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#.to_owned()
    })
}

/// The same, each with a request of its own.
fn listen_to(port: u16, listeners: usize, request: impl Fn(usize) -> String) -> Vec<std::net::TcpStream> {
    let opened = (0..listeners).map(|number| {
        let mut connection = connect(port);
        let request = Request::post(request(number))
            .header("MCP-Protocol-Version", "2026-07-28")
            .header("Mcp-Method", "subscriptions/listen")
            .bytes(port);
        connection.write_all(&request).expect("the server reads");
        let mut answer = BufReader::new(connection.try_clone().expect("a socket has two ends"));
        assert_eq!(Response::read_head(&mut answer).status, 200);
        let acknowledged = read_chunk(&mut answer).expect("a subscription is acknowledged");
        assert!(acknowledged.windows(12).any(|part| part == b"acknowledged"));
        connection
    });
    opened.collect()
}

/// How many files this process and those that it starts may have open.
fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(usize::MAX)
}

/// The aim is 24 KiB for each; the fifth more is what an unoptimised build and another allocator may differ by.
#[test]
fn five_thousand_listeners_that_hear_nothing_cost_about_24_kibibytes_each() {
    // Each has two ends in this process, for reading and for writing; other tests have files open, too.
    let listeners = LISTENERS.min(open_files() / 3);
    if listeners < FEWEST {
        let why = format!("only {} files may be open here, and {} are needed", open_files(), 3 * FEWEST);
        return left_out("The test of what listeners cost", &why);
    }
    if listeners < LISTENERS {
        tell(&format!("Only {listeners} listeners were opened: no more than {} files may be open here.", open_files()));
    }
    let server = HttpServer::start("watch");
    // What the first ones reserve stays reserved.
    drop(listen(server.port, 50));
    let before = resident(server.pid());
    let opened = listen(server.port, listeners);
    let grown = resident(server.pid()).saturating_sub(before);
    println!("{listeners} listeners cost {grown} KiB, {:.1} KiB each", grown as f64 / listeners as f64);
    assert!(grown < 29 * listeners, "{listeners} listeners cost {grown} KiB");
    drop(opened);
}

#[test]
fn a_listener_does_not_keep_its_request() {
    const COUNTED: usize = 150;
    let server = HttpServer::start("watch");
    let request = |number: usize| {
        let uri = |uri| format!("\"board://topics/{number}/{uri}/{}\"", "x".repeat(200));
        let uris: Vec<String> = (0..256).map(uri).collect();
        let more = "x".repeat(2 << 20);
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{{"notifications":{{"resourceSubscriptions":[{}]}},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}},"more":"{more}"}}}}}}"#,
            uris.join(",")
        )
    };
    // What the first ones reserve stays reserved.
    let first = listen_to(server.port, 50, |number| request(COUNTED + number));
    let before = resident(server.pid());
    let counted = listen_to(server.port, COUNTED, request);
    let grown = resident(server.pid()).saturating_sub(before);
    println!("{COUNTED} listeners with 256 subscriptions cost {grown} KiB, {} KiB each", grown / COUNTED);
    // Of that, some 400 KiB are the buffer into which its connection read so large a request.
    assert!(grown < 800 * COUNTED, "{COUNTED} listeners cost {grown} KiB");
    drop((first, counted));
}
