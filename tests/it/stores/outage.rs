//! A store that goes down, stands still, is slow, full, read-only or replaced under the instances of a server: what clients
//! see of it, and when it is over.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mcp_runtime::{
    Sessions, SigningKeys,
    auth::DevelopmentTokens,
    store::conformance::{Fault, FaultyStore},
};
use serde_json::{Value, json};

use super::{
    engine::{Durability, Engine, Network, over_each_engine},
    fleet::{ERAS, instance, sum},
};
use crate::{
    behaviour::Served,
    support::{Request, Response, client::Client, process::HttpServer},
};

over_each_engine! {
    an_engine_that_crashes_is_503_and_all_that_was_acknowledged_is_there_afterwards,
    an_engine_that_freezes_is_503_within_two_seconds,
    an_engine_that_is_slow_is_used_and_one_that_is_too_slow_is_503,
    an_engine_without_room_is_503_for_what_writes_and_serves_what_reads,
    an_engine_that_takes_no_writes_is_503_and_what_is_read_is_not_stale,
    an_engine_that_fails_over_to_its_standby_is_503_until_that_is_promoted,
    while_the_store_is_away_no_session_is_unknown_and_no_caller_a_stranger,
    a_write_whose_answer_was_lost_is_done_once_and_acknowledged,
    a_network_that_loses_answers_makes_nothing_happen_twice_and_ends_no_session,
}

/// Two seconds, and what a busy machine takes.
const SOON: Duration = Duration::from_millis(2500);
/// By then, a store that is back must be in use again.
const BACK: Duration = Duration::from_secs(3);

/// One instance with a client of each era, each of which adds up: one at a time, and hundreds whose outcome is unknown.
struct Shop {
    instance: HttpServer,
    clients: [Client; 2],
    /// How often each has added one.
    ones: u32,
    /// How often each has tried to add a hundred.
    hundreds: u32,
}

impl Shop {
    fn at(place: &str) -> Self {
        let instance = instance(place);
        let clients = ERAS.map(|era| Client::new(instance.port, era));
        let mut shop = Self { instance, clients, ones: 0, hundreds: 0 };
        shop.add();
        shop
    }

    /// All ones are there, each once, and of the hundreds no more than were tried.
    fn check(&self, answer: &Value) {
        let value: f64 = sum(answer).parse().expect("a number");
        let hundreds = (value - f64::from(self.ones)) / 100.0;
        assert_eq!(hundreds.fract(), 0.0, "{value} after {} ones", self.ones);
        assert!((0.0..=f64::from(self.hundreds)).contains(&hundreds), "{value} after {} hundreds", self.hundreds);
    }

    fn add(&mut self) {
        self.ones += 1;
        for client in &self.clients {
            self.check(&client.call("memory_add", json!({ "number": 1 })));
        }
    }

    fn recall(&self, client: &Client) -> Response {
        client.call_request(json!(7), "memory_recall", json!({})).send(self.instance.port)
    }

    /// Everything that needs the store is 503 in time: no lost session, no stranger, and no success.
    fn is_out(&mut self) {
        self.hundreds += 1;
        for client in &self.clients {
            let add = client.call_request(json!(7), "memory_add", json!({ "number": 100 }));
            for request in [client.call_request(json!(7), "memory_recall", json!({})), add] {
                self.is_503(&request);
            }
        }
        // What does not need it may go on, and is never told that its session is gone.
        let legacy = &self.clients[0];
        let ping = legacy.headers(Request::post(r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#));
        for request in [ping, legacy.call_request(json!(7), "add", json!({ "numbers": [1, 2] }))] {
            let begin = Instant::now();
            let response = request.send(self.instance.port);
            assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
            assert!([200, 503].contains(&response.status), "{response:?}");
        }
    }

    fn is_503(&self, request: &Request) {
        let begin = Instant::now();
        let response = request.send(self.instance.port);
        assert!(begin.elapsed() < SOON, "an outage is told soon: {:?}", begin.elapsed());
        assert_eq!(response.status, 503, "an outage is neither a lost session nor a success: {}", response.text());
        assert!(response.header("retry-after").is_some(), "a client is told to come back");
        assert_eq!((&response.json()["error"]["code"], &response.json()["id"]), (&json!(-32603), &json!(7)));
        assert!(!response.text().contains("127.0.0.1"), "nobody is told where the store is");
    }

    /// The store is back: it is in use again in time, with all that was acknowledged and nothing else.
    fn is_back(&mut self) {
        let back = Instant::now();
        for client in &self.clients {
            let recalled = loop {
                let response = self.recall(client);
                if response.status == 200 {
                    break response.json();
                }
                assert_eq!(response.status, 503, "{}", response.text());
                assert!(back.elapsed() < BACK, "a store that is back is in use within three seconds");
            };
            self.check(&recalled);
        }
        self.add();
    }
}

fn an_engine_that_crashes_is_503_and_all_that_was_acknowledged_is_there_afterwards<E: Engine>() {
    let Some(mut engine) = E::start(Durability::Disk) else { return };
    let mut shop = Shop::at(&engine.url());
    for _ in 0..2 {
        engine.process().kill();
        shop.is_out();
        engine.restart();
        shop.is_back();
    }
}

fn an_engine_that_freezes_is_503_within_two_seconds<E: Engine>() {
    let Some(mut engine) = E::start(Durability::None) else { return };
    let mut shop = Shop::at(&engine.url());
    for _ in 0..2 {
        engine.process().freeze();
        shop.is_out();
        engine.process().thaw();
        shop.is_back();
    }
}

fn an_engine_that_is_slow_is_used_and_one_that_is_too_slow_is_503<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    let network = Network::to(engine.port());
    let mut shop = Shop::at(&engine.url_at(network.port()));
    network.be_late(Duration::from_millis(200));
    shop.add();
    network.be_late(Duration::from_secs(4));
    shop.is_out();
    network.be_late(Duration::ZERO);
    shop.is_back();
}

fn an_engine_without_room_is_503_for_what_writes_and_serves_what_reads<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    let mut shop = Shop::at(&engine.url());
    engine.be_full(true);
    for client in &shop.clients {
        shop.is_503(&client.call_request(json!(7), "memory_add", json!({ "number": 100 })));
        assert_eq!(sum(&shop.recall(client).json()), "1.0", "nothing was written");
    }
    engine.be_full(false);
    shop.add();
}

fn an_engine_that_takes_no_writes_is_503_and_what_is_read_is_not_stale<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    let mut shop = Shop::at(&engine.url());
    engine.be_read_only(true);
    for client in &shop.clients {
        shop.is_503(&client.call_request(json!(7), "memory_add", json!({ "number": 100 })));
        // A primary that is told to take no writes still has what was written last; a replica may not.
        let recalled = shop.recall(client);
        match recalled.status {
            200 if E::NAME == "PostgreSQL" => assert_eq!(sum(&recalled.json()), "1.0"),
            _ => shop.is_503(&client.call_request(json!(7), "memory_recall", json!({}))),
        }
    }
    engine.be_read_only(false);
    shop.is_back();
}

fn an_engine_that_fails_over_to_its_standby_is_503_until_that_is_promoted<E: Engine>() {
    let Some(mut engine) = E::start(Durability::Disk) else { return };
    let network = Network::to(engine.port());
    let mut shop = Shop::at(&engine.url_at(network.port()));
    let standby = engine.standby();
    shop.add();
    engine.wait_for(&standby);
    engine.process().kill();
    shop.is_out();
    // The address leads to the other one, which follows still: it has everything, and may be told nothing.
    network.lead_to(standby.port());
    shop.is_out();
    standby.promote();
    shop.is_back();
}

/// Sessions that are in the store alone, of somebody whose sessions could have been ended.
fn while_the_store_is_away_no_session_is_unknown_and_no_caller_a_stranger<E: Engine>() {
    let Some(mut engine) = E::start(Durability::None) else { return };
    let keys = SigningKeys::from_secret(b"a secret of at least 32 bytes, as asked").expect("a key");
    let sessions = Sessions::opaque().keys(keys).cookies();
    let store = Arc::new(engine.store());
    let served = Served::new(|server| {
        let server = server.authorize(DevelopmentTokens::new().with("a", "ada")).sessions(sessions);
        server.store(store.clone()).events(store.clone()).bus(store)
    });
    let legacy = Client::new_as(served.port, ERAS[0], Some("a"));
    let modern = Client::new_as(served.port, ERAS[1], Some("a"));
    modern.handle();
    let made = modern.request("session/create", json!({}));
    let cookie = json!({ "mcp/session": { "id": made["result"]["id"] } });
    let params =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    let initialize = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }).to_string();
    let all = || {
        [
            legacy.call_request(json!(1), "counted", json!({})),
            legacy.call_request(json!(1), "count", json!({ "by": 1 })),
            legacy.headers(Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)),
            legacy.headers(Request::of("GET")).header("Accept", "text/event-stream"),
            legacy.headers(Request::of("DELETE")),
            Request::post(initialize.clone()).header("Authorization", "Bearer a"),
            modern.call_request(json!(1), "counted", json!({})),
            modern.call_request_with_meta(json!(1), "who", json!({}), cookie.clone()),
        ]
    };
    engine.process().freeze();
    std::thread::scope(|scope| {
        for request in all() {
            let port = served.port;
            scope.spawn(move || {
                let begin = Instant::now();
                let response = request.send(port);
                assert!(begin.elapsed() < SOON, "{:?}: {request:?}", begin.elapsed());
                assert_eq!(response.status, 503, "{request:?}: {response:?}");
                assert!(response.header("retry-after").is_some(), "{request:?}");
            });
        }
    });
    engine.process().thaw();
    // What was asked of the store meanwhile may be done late, and the session may have been ended by whom it belongs to.
    let back = Instant::now();
    let again = loop {
        let response = Request::post(initialize.clone()).header("Authorization", "Bearer a").send(served.port);
        if response.status == 200 {
            break response;
        }
        assert_eq!(response.status, 503);
        assert!(back.elapsed() < BACK);
    };
    assert!(again.header("mcp-session-id").is_some());
    let who = modern.call_request_with_meta(json!(1), "who", json!({}), cookie.clone()).send(served.port).json();
    let id = made["result"]["id"].as_str().unwrap_or_else(|| panic!("{made}"));
    assert!(who["result"]["content"][0]["text"].as_str().is_some_and(|text| text.contains(id)), "{who}");
}

/// A server in this process, over a store whose calls fail as they are told to.
fn a_write_whose_answer_was_lost_is_done_once_and_acknowledged<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    let store = Arc::new(FaultyStore::new(engine.store(), []));
    let keys = SigningKeys::from_secret(b"a secret of at least 32 bytes, as asked").expect("a key");
    let served = Served::new(|server| server.sessions(Sessions::jwt(keys)).store(store.clone()));
    for era in ERAS {
        let client = Client::new(served.port, era);
        assert_eq!(*client.structured(&client.call("count", json!({ "by": 1 }))), json!(1));
        for (number, fault) in [(2, Fault::After), (3, Fault::Before), (4, Fault::Twice)] {
            // The first one reads, the second one writes.
            store.inject(Fault::None);
            store.inject(fault);
            assert_eq!(*client.structured(&client.call("count", json!({ "by": number }))), json!(number), "{fault:?}");
        }
        // Lost twice: it is not known to whoever asked, and happened once all the same.
        for fault in [Fault::None, Fault::After, Fault::After] {
            store.inject(fault);
        }
        let response = client.call_request(json!(7), "count", json!({ "by": 5 })).send(served.port);
        assert_eq!((response.status, &response.json()["error"]["code"]), (503, &json!(-32603)));
        let counted = client.call("counted", json!({}));
        assert_eq!(*client.structured(&counted), json!([1, 2, 3, 4, 5]), "each happened once");
    }
}

fn a_network_that_loses_answers_makes_nothing_happen_twice_and_ends_no_session<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    let network = Network::to(engine.port());
    let instance = HttpServer::with("notebook", &["--store", &engine.url_at(network.port())], &super::fleet::KEYS);
    let members: Vec<_> = (0..4).map(|nth| super::crashes::member(instance.port, nth)).collect();
    // No divisor of what a call takes, so that it is another one each time.
    network.lose_one_of(7);
    let told: Vec<(Vec<String>, usize)> = std::thread::scope(|scope| {
        let writing = members.iter().enumerate().map(|(nth, (client, session))| {
            scope.spawn(move || {
                let (mut acknowledged, mut unknown) = (Vec::new(), 0);
                for number in 0..50 {
                    let id = format!("{nth}-{number}");
                    let mut arguments = json!({ "text": id });
                    arguments.as_object_mut().unwrap().extend(session.as_object().unwrap().clone());
                    let response = client.call_request(json!(7), "notebook_append", arguments).send(client.port);
                    match response.status {
                        200 if response.json()["result"]["structuredContent"]["text"] == *id => acknowledged.push(id),
                        503 => unknown += 1,
                        status => panic!("{status}: {}", response.text()),
                    }
                }
                (acknowledged, unknown)
            })
        });
        let writing: Vec<_> = writing.collect();
        writing.into_iter().map(|writer| writer.join().expect("a writer ends")).collect()
    });
    network.lose_one_of(0);
    let (mut done, mut open) = (0, 0);
    for ((client, session), (acknowledged, unknown)) in members.iter().zip(told) {
        let answer = client.call("notebook_read", session.clone());
        let notes = answer["result"]["structuredContent"]["notes"].as_array().unwrap_or_else(|| panic!("{answer}"));
        let mut there: Vec<&Value> = notes.iter().map(|note| &note["text"]).collect();
        let all = there.len();
        there.sort_by_key(|text| text.to_string());
        there.dedup();
        assert_eq!(there.len(), all, "something happened twice");
        assert!(acknowledged.iter().all(|id| there.contains(&&json!(id))), "acknowledged and lost");
        assert!(all <= acknowledged.len() + unknown);
        done += acknowledged.len();
        open += unknown;
    }
    let lost = network.lost();
    println!("{}: {lost} answers of the store lost, {done} calls acknowledged, {open} unknown", E::NAME);
    assert!(lost > 20 && done > 100, "{lost} answers were lost, and {done} calls were done");
}
