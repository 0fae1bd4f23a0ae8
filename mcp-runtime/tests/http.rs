//! The endpoint over HTTP, byte by byte.

mod support;

use std::{
    net::{Shutdown, SocketAddr},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use mcp_runtime::{Running, Sessions, auth::DevelopmentTokens};
use support::{LEGACY_HEADERS, Peer, Seen, legacy, modern, modern_headers, modern_post, post, within};

/// A server on a runtime of its own, so that the tests may block.
struct Server {
    runtime: tokio::runtime::Runtime,
    running: Option<Running>,
    address: SocketAddr,
    seen: Arc<Seen>,
}

fn server(with: impl FnOnce(mcp_runtime::Server) -> mcp_runtime::Server) -> Server {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let seen = Arc::new(Seen::default());
    let server = with(mcp_runtime::Server::new(support::Server(seen.clone())).port(0).sessions(Sessions::off()));
    let running = runtime.block_on(server.start()).unwrap();
    let address = running.address();
    Server { runtime, running: Some(running), address, seen }
}

fn plain() -> Server {
    server(|server| server)
}

impl Server {
    fn peer(&self) -> Peer {
        Peer::new(self.address)
    }

    fn started(&self) -> usize {
        self.seen.started.load(Ordering::SeqCst)
    }

    fn finished(&self) -> usize {
        self.seen.finished.load(Ordering::SeqCst)
    }

    fn dropped(&self) -> usize {
        self.seen.dropped.load(Ordering::SeqCst)
    }

    /// The status of a call with these headers in place of the usual ones.
    fn status(&self, headers: &str) -> u16 {
        self.peer().say(post(headers, &modern(1, "ping_pong"))).answer().status
    }

    /// The status of a call with one more header, or the usual one of that name replaced.
    fn status_with(&self, header: &str) -> u16 {
        let name = header.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let usual = modern_headers("ping_pong");
        let kept = usual.lines().filter(|line| !line.to_ascii_lowercase().starts_with(&format!("{name}:")));
        let headers = kept.chain([header]).collect::<Vec<_>>().join("\n");
        self.status(&headers)
    }
}

#[test]
fn a_call_is_answered_and_the_connection_is_kept() {
    let server = plain();
    let mut peer = server.peer();
    for id in 1..=3 {
        let answer = peer.say(modern_post(id, "ping_pong")).answer();
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(answer.body.contains("pong") && answer.body.contains(&format!("\"id\":{id}")), "{answer:?}");
    }
}

#[test]
fn pipelined_calls_are_answered_in_order() {
    let server = plain();
    let mut peer = server.peer();
    peer.say([modern_post(1, "sleepy"), modern_post(2, "ping_pong"), modern_post(3, "ping_pong")].concat());
    for id in 1..=3 {
        assert!(peer.answer().body.contains(&format!("\"id\":{id}")));
    }
}

#[test]
fn abuse_b1_b2_only_json_in_utf8_is_read() {
    let server = plain();
    let without = modern_headers("ping_pong").replace("Content-Type: application/json\n", "");
    assert_eq!(server.status(&without), 415);
    for bad in [
        "text/plain",
        "text/plain; a=application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
    ] {
        assert_eq!(server.status_with(&format!("Content-Type: {bad}")), 415, "{bad}");
    }
    let twice = format!("{}\nContent-Type: application/json", modern_headers("ping_pong"));
    assert_eq!(server.status(&twice), 415);
    assert_eq!(server.started(), 0);
    for good in ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json; v=1"] {
        assert_eq!(server.status_with(&format!("Content-Type: {good}")), 200, "{good}");
    }
}

#[test]
fn abuse_b3_an_answer_that_the_client_cant_read_is_refused_before_it_is_made() {
    let server = plain();
    for bad in ["text/html", "application/json;q=0", "application/json;q=0, text/event-stream;q=0"] {
        assert_eq!(server.status_with(&format!("Accept: {bad}")), 406, "{bad}");
    }
    assert_eq!(server.started(), 0);
    for good in ["*/*", "application/*", "application/json", "text/html, application/json;q=0.1"] {
        assert_eq!(server.status_with(&format!("Accept: {good}")), 200, "{good}");
    }
    let without = modern_headers("ping_pong").replace("Accept: application/json, text/event-stream\n", "");
    assert_eq!(server.status(&without), 200, "who does not say reads anything");
}

#[test]
fn a_client_that_reads_event_streams_alone_gets_one() {
    let server = plain();
    let headers = modern_headers("ping_pong").replace("application/json, text/event-stream", "text/event-stream");
    let answer = server.peer().say(post(&headers, &modern(1, "ping_pong"))).answer();
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert!(answer.body.starts_with("data: {") && answer.body.ends_with("}\n\n"), "{answer:?}");
}

// Proves: J-13.
#[test]
fn abuse_b5_too_large_a_body_is_refused_without_being_read() {
    let server = plain();
    let limit = 4 << 20;
    // Said at once: refused though not one byte of it came.
    let mut peer = server.peer();
    let head = format!("{}\nContent-Length: {}", modern_headers("ping_pong"), limit + 1).replace('\n', "\r\n");
    let answer = peer.say(format!("POST /mcp HTTP/1.1\r\n{head}\r\n\r\n")).answer();
    assert_eq!((answer.status, answer.header("connection")), (413, Some("close")));
    assert_eq!(peer.rest(), b"");
    // In chunks: refused when it is too much.
    let mut peer = server.peer();
    let head = format!("{}\nTransfer-Encoding: chunked", modern_headers("ping_pong")).replace('\n', "\r\n");
    peer.say(format!("POST /mcp HTTP/1.1\r\n{head}\r\n\r\n{:x}\r\n", limit + 1)).say(vec![b' '; limit + 1]);
    assert_eq!(peer.answer().status, 413);
    assert_eq!(server.started(), 0);
    // At the limit: read.
    let padded = format!("{}{}", modern(1, "ping_pong"), " ".repeat(limit - modern(1, "ping_pong").len()));
    assert_eq!(server.peer().say(post(&modern_headers("ping_pong"), &padded)).answer().status, 200);
}

#[test]
fn abuse_b5_a_body_that_is_cut_short_is_not_executed() {
    let server = plain();
    let body = modern(1, "ping_pong");
    let mut peer = server.peer();
    let head = format!("{}\nContent-Length: {}", modern_headers("ping_pong"), body.len() + 1).replace('\n', "\r\n");
    peer.say(format!("POST /mcp HTTP/1.1\r\n{head}\r\n\r\n{body}"));
    peer.0.shutdown(Shutdown::Write).unwrap();
    let rest = peer.rest();
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&rest));
    assert_eq!(server.started(), 0);
}

#[test]
fn abuse_b5_a_body_longer_than_it_says_is_two_requests_and_the_second_is_refused() {
    let server = plain();
    let body = modern(1, "ping_pong");
    let mut peer = server.peer();
    let head = format!("{}\nContent-Length: {}", modern_headers("ping_pong"), body.len()).replace('\n', "\r\n");
    peer.say(format!("POST /mcp HTTP/1.1\r\n{head}\r\n\r\n{body}{{\"more\":1}}\r\n\r\n"));
    assert_eq!(peer.answer().status, 200);
    assert_eq!(peer.answer().status, 400);
}

#[test]
fn a_refusal_reaches_a_client_that_is_still_sending() {
    let server = plain();
    let headers = modern_headers("ping_pong").replace("application/json\nAccept", "text/plain\nAccept");
    for _ in 0..10 {
        let answer = server.peer().say(post(&headers, &" ".repeat(3 << 20))).answer();
        assert_eq!(answer.status, 415);
    }
}

#[test]
fn abuse_b6_who_waits_for_leave_to_send_too_much_gets_none() {
    let server = plain();
    let mut peer = server.peer();
    let head = format!("{}\nExpect: 100-continue\nContent-Length: 99999999", modern_headers("ping_pong"));
    peer.say(format!("POST /mcp HTTP/1.1\r\n{}\r\n\r\n", head.replace('\n', "\r\n")));
    let first = peer.head();
    assert!(first.starts_with("HTTP/1.1 413"), "{first}");
}

#[test]
fn who_waits_for_leave_to_send_a_little_gets_it() {
    let server = plain();
    let mut peer = server.peer();
    let body = modern(1, "ping_pong");
    let head = format!("{}\nExpect: 100-continue\nContent-Length: {}", modern_headers("ping_pong"), body.len());
    peer.say(format!("POST /mcp HTTP/1.1\r\n{}\r\n\r\n", head.replace('\n', "\r\n")));
    assert!(peer.head().starts_with("HTTP/1.1 100"));
    assert_eq!(peer.say(body).answer().status, 200);
}

#[test]
fn abuse_b7_other_methods_and_paths_are_refused() {
    let server = plain();
    for method in ["PUT", "PATCH", "TRACE", "BREW"] {
        let answer = server
            .peer()
            .say(format!("{method} /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"))
            .answer();
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, POST, DELETE, OPTIONS")), "{method}");
    }
    let mut peer = server.peer();
    assert!(peer.say("HEAD /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n").head().starts_with("HTTP/1.1 405"));
    for path in ["/", "/mcp/", "/MCP", "/mcp2", "/other"] {
        let request = post(&modern_headers("ping_pong"), &modern(1, "ping_pong")).replacen("/mcp", path, 1);
        assert_eq!(server.peer().say(request).answer().status, 404, "{path}");
    }
    assert_eq!(server.started(), 0);
    let query = modern_post(1, "ping_pong").replacen("/mcp", "/mcp?session=x", 1);
    assert_eq!(server.peer().say(query).answer().status, 200, "query strings mean nothing");
}

#[test]
fn abuse_b9_too_many_or_too_large_headers_are_refused() {
    let server = plain();
    let many: String = (0..200).map(|number| format!("X-{number}: 1\r\n")).collect();
    let answer = server.peer().say(format!("GET /mcp HTTP/1.1\r\nHost: localhost\r\n{many}\r\n")).answer();
    assert_eq!(answer.status, 431);
    let large = "x".repeat(70 << 10);
    let mut peer = server.peer();
    peer.say(format!("GET /mcp HTTP/1.1\r\nHost: localhost\r\nX-Large: {large}\r\n\r\n"));
    assert_eq!(peer.answer().status, 431);
    let name = "x".repeat(1 << 10);
    assert_eq!(server.status_with(&format!("{name}: 1")), 200);
}

#[test]
fn abuse_b10_b13_what_is_no_http_is_refused() {
    let server = plain();
    for bad in [
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
        "POST /mcp HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX: a\r\n folded\r\n\r\n",
        "POST /mcp\r\n\r\n",
        "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\r\n\r\n",
    ] {
        let mut peer = server.peer();
        peer.say(bad);
        let rest = peer.rest();
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 400"), "{bad:?}: {}", String::from_utf8_lossy(&rest));
    }
}

#[test]
fn abuse_b11_a_request_hidden_behind_two_lengths_is_never_executed() {
    let server = plain();
    let hidden = modern_post(1, "ping_pong");
    for lengths in [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked", hidden.len() + 5),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {}", hidden.len() + 5),
        "Transfer-Encoding: xchunked".into(),
        "Transfer-Encoding: chunked, identity".into(),
        format!("Content-Length: 5\r\nContent-Length: {}", hidden.len() + 5),
    ] {
        let mut peer = server.peer();
        let head = modern_headers("ping_pong").replace('\n', "\r\n");
        peer.say(format!("POST /mcp HTTP/1.1\r\n{head}\r\n{lengths}\r\n\r\n0\r\n\r\n{hidden}"));
        let rest = String::from_utf8_lossy(&peer.rest()).into_owned();
        assert!(!rest.contains("pong"), "{lengths}: {rest}");
    }
    assert_eq!(server.started(), 0);
}

#[test]
fn abuse_b15_http2_is_not_spoken() {
    let server = plain();
    let mut peer = server.peer();
    peer.say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    let rest = peer.rest();
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&rest));
}

// Proves: H-02.
#[test]
fn abuse_c1_c3_pages_from_elsewhere_may_not_ask() {
    let server = plain();
    for origin in
        ["https://evil.example", "http://localhost.evil.com", "http://localhost:80@evil", "null", "http://evil"]
    {
        assert_eq!(server.status_with(&format!("Origin: {origin}")), 403, "{origin}");
        for method in ["GET", "DELETE", "OPTIONS"] {
            let request = format!("{method} /mcp HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\n\r\n");
            let answer = server.peer().say(request).answer();
            assert_eq!(answer.status, 403, "{method} {origin}");
            assert!(!answer.head.contains("access-control"), "{answer:?}");
        }
    }
    assert_eq!(server.started(), 0);
    assert_eq!(server.status_with("Origin: http://localhost:6274"), 200);
}

// Proves: H-03.
#[test]
fn abuse_c5_c9_requests_for_other_hosts_are_refused() {
    let server = plain();
    for (host, status) in [
        ("Host: attacker.com", 403),
        ("Host: attacker.com:8000", 403),
        ("Host: localhost.", 403),
        ("Host: 127.0.0.1:1", 200),
        ("Host: [::1]", 200),
        ("Host: LOCALHOST", 200),
        ("Host: localhost\nHost: localhost", 400),
        ("X-Forwarded-Host: localhost", 400),
    ] {
        let headers = modern_headers("ping_pong").replace("Host: localhost", host);
        assert_eq!(server.status(&headers), status, "{host}");
    }
    let absolute = modern_post(1, "ping_pong").replacen("/mcp", "http://attacker.com/mcp", 1);
    assert_eq!(server.peer().say(absolute).answer().status, 400);
    let other = "GET /elsewhere HTTP/1.1\r\nHost: attacker.com\r\n\r\n";
    assert_eq!(server.peer().say(other).answer().status, 403, "the guard stands before every path");
}

// Proves: H-03.
#[test]
fn abuse_c8_a_public_server_without_authorization_does_not_start() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let new = || mcp_runtime::Server::new(support::Server(Arc::default())).sessions(Sessions::off()).port(0);
    let error = runtime.block_on(new().host("0.0.0.0").start()).unwrap_err().to_string();
    assert!(error.contains("0.0.0.0") && error.contains("--allow-unauthenticated-public"), "{error}");
    runtime.block_on(new().host("0.0.0.0").allow_unauthenticated_public().start()).unwrap();
    runtime.block_on(new().host("0.0.0.0").authorize(DevelopmentTokens::new()).start()).unwrap();
}

// Proves: N-15.
#[test]
fn allowed_origins_are_told_what_they_may_read() {
    let server = server(|server| server.allow_origin("https://app.example"));
    let origin = "Origin: https://app.example";
    let answer = server.peer().say(post(&format!("{}\n{origin}", modern_headers("ping_pong")), "{}")).answer();
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(answer.header("vary"), Some("origin"));
    assert!(answer.header("access-control-expose-headers").unwrap().contains("mcp-session-id"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let preflight = format!(
        "OPTIONS /mcp HTTP/1.1\r\nHost: localhost\r\n{origin}\r\nAccess-Control-Request-Method: POST\r\n\
         Access-Control-Request-Headers: content-type,mcp-param-region,x-evil\r\n"
    );
    let answer = server.peer().say(format!("{preflight}\r\n")).answer();
    assert_eq!(answer.status, 204);
    let allowed = answer.header("access-control-allow-headers").unwrap();
    assert!(allowed.contains("mcp-param-region") && allowed.contains("mcp-session-id") && !allowed.contains("x-evil"));
    // Abuse B17.
    let answer = server.peer().say(format!("{preflight}Access-Control-Request-Private-Network: true\r\n\r\n")).answer();
    assert_eq!((answer.status, answer.header("access-control-allow-methods")), (403, None));
    let answer = server.peer().say("OPTIONS /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n").answer();
    assert_eq!((answer.status, answer.header("allow")), (204, Some("GET, POST, DELETE, OPTIONS")));
}

#[test]
fn pages_of_this_machine_may_ask_but_read_nothing_unless_their_origin_is_listed() {
    let origin = "Origin: http://localhost:6274";
    let call = post(&format!("{}\n{origin}", modern_headers("ping_pong")), &modern(1, "ping_pong"));
    let options = format!("OPTIONS /mcp HTTP/1.1\r\nHost: localhost\r\n{origin}\r\n");
    let preflight = format!("{options}Access-Control-Request-Method: POST\r\n\r\n");

    let unlisted = plain();
    let answer = unlisted.peer().say(&call).answer();
    assert_eq!(answer.status, 200);
    assert!(!answer.head.contains("access-control"), "{answer:?}");
    for request in [&preflight, &format!("{options}\r\n")] {
        let answer = unlisted.peer().say(request).answer();
        assert_eq!(answer.status, 403);
        assert!(!answer.head.contains("access-control"), "{answer:?}");
    }

    let listed = server(|server| server.allow_origin("http://localhost:6274"));
    for (request, status) in [(&call, 200), (&preflight, 204)] {
        let answer = listed.peer().say(request).answer();
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), Some("http://localhost:6274"));
    }
    let other = preflight.replace("6274", "6275");
    assert_eq!(listed.peer().say(other).answer().status, 403, "the port counts");
}

#[test]
fn where_every_origin_is_allowed_none_gets_credentials_and_the_opaque_one_nothing() {
    let server = server(|server| server.allow_origin("*"));
    let preflight = "OPTIONS /mcp HTTP/1.1\r\nHost: localhost\r\nOrigin: https://any.example\r\n\
                     Access-Control-Request-Method: POST\r\n\r\n";
    let call = post(&format!("{}\nOrigin: https://any.example", modern_headers("ping_pong")), &modern(1, "ping_pong"));
    for (request, status) in [(preflight, 204), (&*call, 200)] {
        let answer = server.peer().say(request).answer();
        assert_eq!(answer.status, status);
        // Browsers never take this for a request with credentials.
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        let opaque = request.replace("https://any.example", "null");
        let answer = server.peer().say(opaque).answer();
        assert_eq!(answer.status, 403);
        assert!(!answer.head.contains("access-control"), "{answer:?}");
    }
}

// Proves: S-06.
#[test]
fn without_the_right_token_nothing_is_answered() {
    let server = server(|server| server.authorize(DevelopmentTokens::new().with("secret", "ada")));
    for authorization in ["X: y", "Authorization: Bearer wrong", "Authorization: Basic secret", "Authorization: secret"]
    {
        let headers = format!("{}\n{authorization}", modern_headers("ping_pong"));
        let answer = server.peer().say(post(&headers, &modern(1, "ping_pong"))).answer();
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")), "{authorization}");
    }
    let twice = "Authorization: Bearer secret\nAuthorization: Bearer secret";
    assert_eq!(server.status(&format!("{}\n{twice}", modern_headers("ping_pong"))), 401);
    for method in ["GET", "DELETE"] {
        let request = format!("{method} /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(server.peer().say(request).answer().status, 401, "{method}");
    }
    let query = modern_post(1, "ping_pong").replacen("/mcp", "/mcp?access_token=secret", 1);
    assert_eq!(server.peer().say(query).answer().status, 401);
    assert_eq!(server.started(), 0);
    assert_eq!(server.status_with("Authorization: bearer secret"), 200);
}

#[test]
fn the_checks_come_in_their_order() {
    let server = server(|server| server.authorize(DevelopmentTokens::new().with("secret", "ada")));
    // Everything is wrong at first; each line puts right what the status before it complained of.
    let mut wrong = [
        ("Host: evil.example", 403, "Host: localhost"),
        ("Origin: https://evil.example", 403, "Origin: http://localhost"),
        ("Authorization: Bearer wrong", 401, "Authorization: Bearer secret"),
        ("Content-Type: text/plain", 415, "Content-Type: application/json"),
        ("Accept: text/html", 406, "Accept: application/json"),
        ("Content-Length: 99999999", 413, "Content-Length: 1"),
    ];
    for step in 0..wrong.len() {
        let lines: Vec<&str> = wrong.iter().map(|(line, _, _)| *line).collect();
        let request = format!("POST /mcp HTTP/1.1\r\n{}\r\n\r\n{{", lines.join("\r\n"));
        assert_eq!(server.peer().say(request).answer().status, wrong[step].1, "{lines:?}");
        wrong[step].0 = wrong[step].2;
    }
    let lines: Vec<&str> = wrong.iter().map(|(line, _, _)| *line).collect();
    let answer = server.peer().say(format!("POST /mcp HTTP/1.1\r\n{}\r\n\r\n{{", lines.join("\r\n"))).answer();
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("-32700"), "{answer:?}");
}

// Proves: N-09, N-10.
#[test]
fn a_message_before_the_answer_makes_it_a_stream() {
    let server = plain();
    let answer = server.peer().say(modern_post(1, "talkative")).answer();
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
    assert_eq!(answer.header("cache-control"), Some("no-cache, no-transform"));
    let events: Vec<&str> = answer.body.split_terminator("\n\n").collect();
    assert_eq!(events.len(), 2, "{answer:?}");
    assert!(events[0].starts_with("data: {") && events[0].contains("notifications/progress"), "{answer:?}");
    assert!(events[1].contains("said") && events[1].contains("\"id\":1"), "{answer:?}");
}

#[test]
fn a_client_that_cant_read_a_stream_gets_the_answer_alone() {
    let server = plain();
    for accept in ["application/json", "*/*"] {
        let headers = modern_headers("talkative").replace("application/json, text/event-stream", accept);
        let answer = server.peer().say(post(&headers, &modern(1, "talkative"))).answer();
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(answer.body.contains("said"), "{answer:?}");
    }
}

// Proves: N-11, P-07.
#[test]
fn abuse_g8_a_client_that_goes_away_cancels_its_call_on_2026_07_28() {
    let server = plain();
    let mut peer = server.peer();
    peer.say(modern_post(1, "endless"));
    assert!(within(Duration::from_secs(5), || server.started() == 1));
    drop(peer);
    assert!(within(Duration::from_secs(1), || server.dropped() == 1), "the call goes on");
}

/// The same request in the older HTTP.
fn http_1_0(request: &str) -> String {
    request.replacen("HTTP/1.1", "HTTP/1.0", 1)
}

#[test]
fn abuse_g8_a_client_of_http_1_0_that_goes_away_cancels_its_call_on_2026_07_28() {
    let server = plain();
    let mut peer = server.peer();
    peer.say(http_1_0(&modern_post(1, "endless")));
    assert!(within(Duration::from_secs(5), || server.started() == 1));
    drop(peer);
    assert!(within(Duration::from_secs(1), || server.dropped() == 1), "the call goes on");
}

#[test]
fn a_client_of_http_1_0_gets_its_answer_without_anything_before_it() {
    let server = plain();
    let mut peer = server.peer();
    let answer = peer.say(http_1_0(&modern_post(1, "sleepy"))).rest();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200") && answer.contains("slept"), "{answer}");
    // One that stopped sending at once is still quick enough for a quick answer.
    let mut peer = server.peer();
    peer.say(http_1_0(&modern_post(2, "ping_pong")));
    peer.0.shutdown(Shutdown::Write).unwrap();
    assert!(String::from_utf8(peer.rest()).unwrap().contains("pong"));
}

#[test]
fn abuse_g7_a_client_of_http_1_0_that_goes_away_does_not_cancel_its_call_on_older_revisions() {
    let server = plain();
    let mut peer = server.peer();
    peer.say(http_1_0(&post(LEGACY_HEADERS, &legacy(1, "sleepy"))));
    assert!(within(Duration::from_secs(5), || server.started() == 1));
    drop(peer);
    assert!(within(Duration::from_secs(5), || server.finished() == 1), "the call was cancelled");
    assert_eq!(server.dropped(), 0);
}

#[test]
fn abuse_g8_pipelined_bytes_do_not_hide_that_the_client_went_away() {
    let server = plain();
    let mut peer = server.peer();
    peer.say([modern_post(1, "endless"), modern_post(2, "ping_pong")].concat());
    assert!(within(Duration::from_secs(5), || server.started() == 1));
    drop(peer);
    assert!(within(Duration::from_secs(1), || server.dropped() == 1), "the call goes on");
}

#[test]
fn a_client_that_only_stopped_sending_gets_its_answer() {
    let server = plain();
    let mut peer = server.peer();
    peer.say(modern_post(1, "sleepy"));
    peer.0.shutdown(Shutdown::Write).unwrap();
    let answer = peer.answer();
    assert!(answer.body.contains("slept"), "{answer:?}");
    assert_eq!((server.finished(), server.dropped()), (1, 0));
}

#[test]
fn a_quick_answer_to_a_client_that_stopped_sending_has_nothing_before_it() {
    let server = plain();
    let mut peer = server.peer();
    peer.say(modern_post(1, "ping_pong"));
    peer.0.shutdown(Shutdown::Write).unwrap();
    assert!(peer.head().starts_with("HTTP/1.1 200"));
}

// Proves: H-08, P-07.
#[test]
fn abuse_g7_a_client_that_goes_away_does_not_cancel_its_call_on_older_revisions() {
    let server = plain();
    let mut peer = server.peer();
    peer.say(post(LEGACY_HEADERS, &legacy(1, "sleepy")));
    assert!(within(Duration::from_secs(5), || server.started() == 1));
    drop(peer);
    assert!(within(Duration::from_secs(5), || server.finished() == 1), "the call was cancelled");
    assert_eq!(server.dropped(), 0);
}

#[test]
fn a_connection_that_never_says_its_request_is_closed() {
    let server = plain();
    let start = Instant::now();
    let mut silent = server.peer();
    let mut slow = server.peer();
    slow.say("POST /mcp HTTP/1.1\r\nHost: loc");
    assert_eq!(silent.rest(), b"");
    slow.rest();
    let took = start.elapsed();
    assert!(took > Duration::from_secs(9) && took < Duration::from_secs(16), "{took:?}");
}

#[test]
fn abuse_h3_a_client_that_reads_nothing_harms_no_other() {
    let server = plain();
    let mut deaf: Vec<Peer> = (0..8).map(|_| server.peer()).collect();
    for peer in &mut deaf {
        peer.say(modern_post(1, "large"));
    }
    assert!(within(Duration::from_secs(10), || server.finished() == 8));
    let start = Instant::now();
    assert_eq!(server.peer().say(modern_post(2, "ping_pong")).answer().status, 200);
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn abuse_j16_a_server_that_stops_finishes_what_it_began_and_refuses_the_rest() {
    let mut server = plain();
    let mut busy: Vec<Peer> = (0..20).map(|_| server.peer()).collect();
    let mut idle = server.peer();
    assert_eq!(idle.say(modern_post(1, "ping_pong")).answer().status, 200);
    for peer in &mut busy {
        peer.say(modern_post(2, "sleepy"));
    }
    assert!(within(Duration::from_secs(5), || server.started() == 21));
    let start = Instant::now();
    let running = server.running.take().unwrap();
    server.runtime.block_on(running.stop());
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    for mut peer in busy {
        let answer = peer.answer();
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
        assert!(answer.body.contains("slept"));
    }
    assert_eq!(idle.rest(), b"");
    assert!(std::net::TcpStream::connect(server.address).is_err());
}

#[test]
fn layers_and_other_routes_stand_beside_the_endpoint() {
    async fn stamp(request: axum::extract::Request, next: axum::middleware::Next) -> axum::response::Response {
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-layer", "seen".parse().unwrap());
        response
    }
    let app = || axum::Router::new().route("/health", axum::routing::get(|| async { "well" }));
    let health = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

    let beside = server(|server| server.merge(app()));
    assert_eq!(beside.peer().say(health).answer().body, "well");
    assert_eq!(beside.peer().say(modern_post(1, "ping_pong")).answer().status, 200);
    assert_eq!(beside.peer().say("GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n").answer().status, 404);

    let around = server(|server| server.merge(app()).layer(axum::middleware::from_fn(stamp)));
    for request in [health.to_owned(), modern_post(1, "ping_pong")] {
        let answer = around.peer().say(request).answer();
        assert_eq!((answer.status, answer.header("x-layer")), (200, Some("seen")));
    }
    // The connection is known behind the layers too.
    let mut peer = around.peer();
    peer.say(modern_post(1, "endless"));
    assert!(within(Duration::from_secs(5), || around.started() == 2));
    drop(peer);
    assert!(within(Duration::from_secs(1), || around.dropped() == 1), "the call goes on");
}

#[test]
fn the_router_serves_inside_another_application() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = mcp_runtime::Server::new(support::Server(Arc::default())).sessions(Sessions::off());
    let router = runtime.block_on(server.path("/tools").into_router()).unwrap();
    let app = axum::Router::new().route("/", axum::routing::get(|| async { "home" })).merge(router);
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async { axum::serve(listener, app).await });
    let mut peer = Peer::new(address);
    assert_eq!(peer.say("GET / HTTP/1.1\r\nHost: anything\r\n\r\n").answer().body, "home");
    let call = modern_post(1, "ping_pong").replacen("/mcp", "/tools", 1);
    assert!(peer.say(&call).answer().body.contains("pong"));
    let elsewhere = call.replace("Host: localhost", "Host: evil.example");
    assert_eq!(peer.say(elsewhere).answer().status, 403);
}

#[test]
fn what_cant_be_listened_on_is_said_with_the_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let new = || mcp_runtime::Server::new(support::Server(Arc::default())).sessions(Sessions::off()).port(0);
    for (server, part) in [
        (new().port(port), "--port 0"),
        (new().path("mcp"), "starts with `/`"),
        (new().path("/{x}"), "starts with `/`"),
        (new().host("no.such.host.invalid"), "no.such.host.invalid"),
        (new().allow_origin("app.example"), "`app.example` is no origin"),
    ] {
        let error = runtime.block_on(server.start()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn sessions_by_identity_need_somebody_who_says_who_calls() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let new = || {
        let sessions = Sessions::default().by_identity();
        mcp_runtime::Server::new(support::Server(Arc::default())).sessions(sessions).port(0)
    };
    let started = runtime.block_on(new().start()).map(drop);
    let routed = runtime.block_on(new().into_router()).map(drop);
    for refused in [started, routed] {
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("`.authorize(…)`") && error.contains("`.by_identity()`"), "{error}");
    }
    runtime.block_on(new().authorize(DevelopmentTokens::new()).start()).unwrap();
    let _ = runtime.block_on(new().authorize(DevelopmentTokens::new()).into_router()).unwrap();
}

/// A server with sessions, and the id of one.
fn with_session() -> (Server, String) {
    let server = server(|server| server.sessions(Sessions::default()));
    let initialize = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;
    let answer = server.peer().say(post(LEGACY_HEADERS, initialize)).answer();
    let id = answer.header("mcp-session-id").unwrap_or_else(|| panic!("{answer:?}")).to_owned();
    (server, id)
}

fn listen(id: &str) -> String {
    format!(
        "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nMcp-Session-Id: {id}\r\n\
         MCP-Protocol-Version: 2025-11-25\r\n\r\n"
    )
}

// Proves: H-01, H-11.
#[test]
fn a_session_can_be_listened_to_until_the_server_stops() {
    let (mut server, id) = with_session();
    let mut peer = server.peer();
    let head = peer.say(listen(&id)).head();
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("text/event-stream"), "{head}");
    let json = listen(&id).replace("text/event-stream", "application/json");
    assert_eq!(server.peer().say(json).answer().status, 406);
    let start = Instant::now();
    let running = server.running.take().unwrap();
    server.runtime.block_on(running.stop());
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    // The stream ended as streams do, not in the middle.
    assert!(peer.rest().ends_with(b"0\r\n\r\n"));
}

// Proves: H-18.
#[test]
fn a_listener_that_only_stopped_sending_hears_on_and_is_told_that_the_server_lives() {
    let (server, id) = with_session();
    let mut peer = server.peer();
    peer.say(listen(&id)).head();
    peer.0.shutdown(Shutdown::Write).unwrap();
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).contains(": keep-alive") {
        heard.extend(peer.chunk().unwrap());
    }
}

// Proves: H-05, J-06.
#[test]
fn notifications_are_accepted_without_a_body() {
    let (server, id) = with_session();
    let headers = format!("{LEGACY_HEADERS}\nMcp-Session-Id: {id}\nMCP-Protocol-Version: 2025-11-25");
    let answer =
        server.peer().say(post(&headers, r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)).answer();
    assert_eq!((answer.status, &*answer.body, answer.header("content-type")), (202, "", None));
}
