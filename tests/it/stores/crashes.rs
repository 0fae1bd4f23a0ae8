//! What was acknowledged is there: while instances are killed, while the store is killed, while many write at once.
//!
//! `FLEET_SECONDS` says for how long instances are killed (30 by default; 180 is the long form), `FLEET_CALLS` how many
//! calls are made by strangers (20,000 by default; 200,000 is the long form).

use std::{
    collections::{BTreeMap, HashMap},
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU16, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use mcp_runtime::{Sessions, SigningKeys, auth::DevelopmentTokens};
use serde_json::{Value, json};

use super::{
    engine::{Durability, Engine, over_each_engine},
    fleet::{ERAS, KEYS},
    setting,
};
use crate::{
    behaviour::Served,
    support::{
        Request,
        client::{Client, Era},
        process::HttpServer,
    },
};

over_each_engine! {
    nothing_that_was_acknowledged_is_lost_while_instances_and_the_engine_are_killed,
    a_hundred_writers_of_one_session_lose_no_update,
    strangers_with_the_same_ids_are_told_nothing_of_each_other,
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Three instances of a server behind a balancer that knows nothing: the next call goes to the next one.
struct Fleet {
    example: &'static str,
    store: String,
    instances: [Mutex<Option<HttpServer>>; 3],
    ports: [AtomicU16; 3],
    next: AtomicUsize,
}

impl Fleet {
    fn start(example: &'static str, engine: &impl Engine) -> Self {
        let fleet = Self {
            example,
            store: engine.url(),
            instances: Default::default(),
            ports: Default::default(),
            next: AtomicUsize::new(0),
        };
        (0..3).for_each(|nth| fleet.replace(nth));
        fleet
    }

    /// Kills an instance and starts another in its place, at another port.
    fn replace(&self, nth: usize) {
        let mut place = self.instances[nth].lock().unwrap();
        if let Some(instance) = place.take() {
            instance.kill();
        }
        let instance = HttpServer::with(self.example, &["--store", &self.store], &KEYS);
        self.ports[nth].store(instance.port, Ordering::SeqCst);
        *place = Some(instance);
    }

    fn port(&self) -> u16 {
        self.ports[self.next.fetch_add(1, Ordering::SeqCst) % 3].load(Ordering::SeqCst)
    }
}

/// Status and message of an answer; `None` where none came, so that what became of the request is not known.
fn exchange(request: &Request, port: u16) -> Option<(u16, Value)> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).ok()?;
    connection.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    connection.write_all(&request.clone().header("Connection", "close").bytes(port)).ok()?;
    let mut bytes = Vec::new();
    connection.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).ok()?))
}

/// A client with its session, and the arguments that name it where nothing else does.
pub(super) fn member(port: u16, nth: usize) -> (Client, Value) {
    let client = Client::new(port, ERAS[nth % 2]);
    let session = if ERAS[nth % 2] == Era::Modern { json!({ "session": client.handle() }) } else { json!({}) };
    (client, session)
}

fn with(mut arguments: Value, session: &Value) -> Value {
    arguments.as_object_mut().unwrap().extend(session.as_object().unwrap().clone());
    arguments
}

/// Appends ids to sessions through all instances while those are killed, and the store too; then counts what is there.
fn nothing_that_was_acknowledged_is_lost_while_instances_and_the_engine_are_killed<E: Engine>() {
    let Some(mut engine) = E::start(Durability::Disk) else { return };
    let duration = Duration::from_secs(setting("FLEET_SECONDS", 30));
    let store_every = duration.min(Duration::from_secs(60)) / 3;
    let fleet = Fleet::start("notebook", &engine);
    let members: Vec<_> = (0..6).map(|nth| member(fleet.port(), nth)).collect();
    let over = AtomicBool::new(false);
    // By member: what was acknowledged, and what may or may not have happened.
    let told: Vec<(Vec<String>, Vec<String>)> = thread::scope(|scope| {
        let writers: Vec<_> = members
            .iter()
            .enumerate()
            .map(|(nth, (client, session))| {
                let (fleet, over) = (&fleet, &over);
                scope.spawn(move || {
                    let (mut acknowledged, mut unknown) = (Vec::new(), Vec::new());
                    for number in 0.. {
                        if over.load(Ordering::SeqCst) {
                            break;
                        }
                        let id = format!("{nth}-{number}");
                        let request =
                            client.call_request(json!(1), "notebook_append", with(json!({ "text": id }), session));
                        match exchange(&request, fleet.port()) {
                            Some((200, answer)) if answer["result"]["structuredContent"]["text"] == *id => {
                                acknowledged.push(id);
                            }
                            None | Some((503, _)) => {
                                unknown.push(id);
                                thread::sleep(Duration::from_millis(20));
                            }
                            Some((status, answer)) => panic!("neither done nor unknown: {status} {answer}"),
                        }
                    }
                    (acknowledged, unknown)
                })
            })
            .collect();
        let begin = Instant::now();
        let mut dice = Dice(88_172_645_463_325_252);
        let mut store_next = store_every;
        while begin.elapsed() < duration {
            thread::sleep(Duration::from_secs(2));
            if begin.elapsed() > store_next {
                store_next += store_every;
                engine.process().kill();
                thread::sleep(Duration::from_millis(300));
                engine.restart();
            }
            fleet.replace(usize::try_from(dice.below(3)).unwrap());
        }
        over.store(true, Ordering::SeqCst);
        writers.into_iter().map(|writer| writer.join().expect("a writer ends")).collect()
    });
    let (mut acknowledged, mut unknown, mut happened) = (0, 0, 0);
    for ((client, session), (done, open)) in members.iter().zip(told) {
        let request = client.call_request(json!(1), "notebook_read", with(json!({}), session));
        let (status, answer) = exchange(&request, fleet.port()).expect("an answer");
        assert_eq!(status, 200, "{answer}");
        let mut there: HashMap<&str, usize> = HashMap::new();
        for note in answer["result"]["structuredContent"]["notes"].as_array().expect("notes") {
            *there.entry(note["text"].as_str().expect("a text")).or_default() += 1;
        }
        assert!(there.values().all(|&times| times == 1), "something happened twice");
        let lost: Vec<_> = done.iter().filter(|id| !there.contains_key(id.as_str())).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        acknowledged += done.len();
        unknown += open.len();
        happened += there.len();
    }
    assert!(acknowledged <= happened && happened <= acknowledged + unknown);
    assert!(acknowledged > 100, "only {acknowledged} calls were acknowledged");
    println!(
        "{}: {acknowledged} acknowledged, {unknown} unknown ({} of them happened), 0 lost",
        E::NAME,
        happened - acknowledged
    );
}

/// A hundred writers of one session over all instances.
fn a_hundred_writers_of_one_session_lose_no_update<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    let fleet = Fleet::start("counter", &engine);
    let (client, session) = member(fleet.port(), 0);
    let acknowledged = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let request = client.call_request(json!(1), "count_up", with(json!({ "by": 1 }), &session));
                    let (status, answer) = exchange(&request, fleet.port()).expect("an answer");
                    assert_eq!(status, 200, "{answer}");
                    // A call that lost every race says that it wrote nothing.
                    match &answer["error"]["data"]["kind"] {
                        Value::Null => _ = acknowledged.fetch_add(1, Ordering::SeqCst),
                        kind => assert_eq!(kind, "conflict", "{answer}"),
                    }
                }
            });
        }
    });
    let acknowledged = acknowledged.into_inner();
    let request = client.call_request(json!(1), "count_so_far", session);
    let (_, answer) = exchange(&request, fleet.port()).expect("an answer");
    assert_eq!(answer["result"]["content"][0]["text"], acknowledged.to_string(), "{answer}");
    assert!(acknowledged > 500, "only {acknowledged} of 1000 calls were acknowledged");
    println!("{}: {acknowledged} of 1000 acknowledged, and so many counted", E::NAME);
}

/// Everybody calls with the same id, through all instances, and leaves in the middle at times: nobody is told what is
/// another's.
fn strangers_with_the_same_ids_are_told_nothing_of_each_other<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    let calls = setting("FLEET_CALLS", 20_000);
    let people = ["ann", "bob", "cid", "dan"];
    let instances: Vec<Served> = (0..3)
        .map(|_| {
            let tokens =
                people.iter().fold(DevelopmentTokens::new(), |all, name| all.with(&format!("token-of-{name}"), name));
            let keys = SigningKeys::from_secret(b"a secret of at least 32 bytes, as asked").expect("a key");
            let store = engine.store();
            Served::new(|server| server.authorize(tokens).sessions(Sessions::jwt(keys)).store(store))
        })
        .collect();
    let (foreign, cut) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for (nth, name) in people.iter().enumerate() {
            let (instances, foreign, cut) = (&instances, &foreign, &cut);
            scope.spawn(move || {
                let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ nth as u64);
                let bearer = format!("token-of-{name}");
                let sessions: Vec<(u64, Client)> = (0..8)
                    .map(|session| {
                        let port = instances[session % 3].port;
                        (nth as u64 * 100 + session as u64, Client::new_as(port, ERAS[0], Some(&bearer)))
                    })
                    .collect();
                let mut names: BTreeMap<u64, String> = BTreeMap::new();
                for call in 0..calls / 4 {
                    let (canary, client) = &sessions[usize::try_from(dice.below(8)).unwrap()];
                    let port = instances[usize::try_from(dice.below(3)).unwrap()].port;
                    let (tool, arguments) = match dice.below(16) {
                        0 => ("count", json!({ "by": canary })),
                        1 | 2 => ("counted", json!({})),
                        3..=6 => ("who", json!({})),
                        _ => ("echo", json!({ "text": format!("{canary} in {call}") })),
                    };
                    let request = client.call_request(json!(1), tool, arguments);
                    if dice.below(20) == 0 {
                        // Sent, and not waited for.
                        let mut connection = TcpStream::connect(("127.0.0.1", port)).expect("the server accepts");
                        connection.write_all(&request.bytes(port)).expect("the server reads");
                        cut.fetch_add(1, Ordering::Relaxed);
                        continue;
                    }
                    let (status, answer) = exchange(&request, port).expect("an answer");
                    assert_eq!((status, &answer["id"]), (200, &json!(1)), "{answer}");
                    let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
                    let own = match tool {
                        "echo" => text == format!("{canary} in {call}"),
                        "counted" => {
                            let seen: Vec<u64> = serde_json::from_str(text).unwrap_or_else(|_| panic!("{answer}"));
                            seen.iter().all(|seen| seen == canary)
                        }
                        "who" => {
                            let (who, _) = text.split_once(" after ").unwrap_or_else(|| panic!("{answer}"));
                            let known = names.entry(*canary).or_insert_with(|| who.to_owned());
                            who == known && who.starts_with(name)
                        }
                        _ => true,
                    };
                    foreign.fetch_add(u64::from(!own), Ordering::Relaxed);
                }
                // No two sessions have one name.
                let mut all: Vec<_> = names.values().collect();
                all.sort();
                all.dedup();
                assert_eq!(all.len(), names.len());
            });
        }
    });
    assert_eq!(foreign.into_inner(), 0, "foreign values");
    println!("{}: {calls} calls, {} of them cut, 0 foreign values", E::NAME, cut.into_inner());
}
