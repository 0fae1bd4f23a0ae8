//! What an instance tells of its health: beside its endpoint, and while its store is away.

use std::{
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use mcp_runtime::{Running, Server, Sessions, SigningKeys};
use serde_json::{Value, json};

use super::engine::{Durability, Engine, over_each_engine};
use crate::{
    changes::start,
    fixture::Fixture,
    support::{
        Request,
        client::{Client, Era},
        process::HttpServer,
    },
};

const LEGACY: Era = Era::Legacy("2025-11-25");

over_each_engine! {
    while_the_store_is_away_an_instance_is_unavailable_and_afterwards_it_is_not,
}

fn server() -> Server {
    let keys = SigningKeys::new("k1", b"a fixed key of the tests, 32 bytes!").unwrap();
    Server::new(Fixture::default()).sessions(Sessions::jwt(keys)).health("127.0.0.1:0")
}

fn health_port(running: &Running) -> u16 {
    let url = running.health_url().expect("it was told to tell");
    let address = url.strip_prefix("http://").and_then(|url| url.strip_suffix("/health")).expect("a URL of that path");
    address.parse::<std::net::SocketAddr>().unwrap().port()
}

fn ask(port: u16) -> (u16, Value) {
    let answer = get("/health").send(port);
    (answer.status, answer.json())
}

fn get(path: &str) -> Request {
    Request { path: path.into(), ..Request::of("GET") }
}

// Hostile input, K7.
#[test]
fn health_is_told_beside_the_endpoint_and_nothing_of_a_session_is_in_it() {
    let (port, running, _runtime) = start(server());
    let client = Client::new(port, LEGACY);
    client.call("count", json!({ "by": 1 }));
    let beside = health_port(&running);
    assert_ne!(beside, port);
    let told = json!({
        "status": "ok", "name": "fixture", "version": "9.8.7", "store": "ok", "keys": running.key_fingerprint(),
    });
    assert_eq!(ask(beside), (200, told));
    let head = Request { path: "/health".into(), ..Request::of("HEAD") }.bytes(beside);
    let mut stream = crate::support::http::connect(beside);
    std::io::Write::write_all(&mut stream, &head).unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut stream, &mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 200") && said.ends_with("\r\n\r\n"), "{said}");

    assert_eq!(get("/health").send(port).status, 404, "clients do not reach it");
    assert_eq!(get("/mcp").send(beside).status, 404, "nor the endpoint there");
    let posted = Request { path: "/health".into(), ..Request::post("{}") }.send(beside);
    assert_eq!((posted.status, posted.header("allow")), (405, Some("GET, HEAD")));
}

#[test]
fn an_instance_that_stops_says_so_until_its_last_call_has_ended() {
    let (port, running, runtime) = start(server());
    let beside = health_port(&running);
    let client = Client::new(port, LEGACY);
    let call = client.call_request(json!(1), "wait", json!({ "milliseconds": 1500, "text": "done" }));
    let calling = thread::spawn(move || call.send(port));
    thread::sleep(Duration::from_millis(300));
    let stopping = runtime.spawn(running.stop());
    let until = Instant::now() + Duration::from_secs(1);
    let (status, told) = loop {
        let answered = ask(beside);
        if answered.0 != 200 || Instant::now() > until {
            break answered;
        }
    };
    assert_eq!((status, &told["status"]), (503, &json!("stopping")), "{told}");
    assert!(calling.join().unwrap().text().contains("done"));
    runtime.block_on(stopping).unwrap();
    assert!(TcpStream::connect(("127.0.0.1", beside)).is_err(), "it ends with the server");
}

#[test]
fn peers_that_ask_nothing_hold_nobody_up_for_long() {
    let (_port, running, _runtime) = start(server());
    let beside = health_port(&running);
    let _silent: Vec<_> = (0..64).map(|_| TcpStream::connect(("127.0.0.1", beside)).unwrap()).collect();
    thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    assert_eq!(ask(beside).0, 200);
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
}

#[test]
fn the_flag_is_enough_and_where_it_is_told_is_in_the_log() {
    let server = HttpServer::with("calculator", &["--health", "127.0.0.1:0"], &[]);
    let until = Instant::now() + Duration::from_secs(10);
    let port = loop {
        let left = until.saturating_duration_since(Instant::now());
        let line = server.stderr.recv_timeout(left).expect("a line with the URL");
        if let Some((_, rest)) = line.split_once("http://127.0.0.1:")
            && let Some((port, _)) = rest.split_once("/health")
        {
            break port.parse().unwrap();
        }
    };
    let (status, told) = ask(port);
    assert_eq!((status, &told["keys"]), (200, &json!("random")), "{told}");
}

fn while_the_store_is_away_an_instance_is_unavailable_and_afterwards_it_is_not<E: Engine>() {
    let Some(mut engine) = E::start(Durability::None) else { return };
    let (_port, running, _runtime) = start(server().store(engine.store()));
    let beside = health_port(&running);
    assert_eq!(ask(beside).0, 200);
    engine.process().freeze();
    let begun = Instant::now();
    let (status, told) = ask(beside);
    assert_eq!((status, &told["store"]), (503, &json!("unavailable")), "{told}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    engine.process().thaw();
    let until = Instant::now() + Duration::from_secs(3);
    while ask(beside).0 != 200 {
        assert!(Instant::now() < until, "the store is back, and it does not say so");
        thread::sleep(Duration::from_millis(100));
    }
}
