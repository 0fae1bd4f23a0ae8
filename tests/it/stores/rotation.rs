//! Keys that rotate while calls go on, and rings that differ between instances.

use std::{
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use mcp_runtime::{
    Running, Server, Sessions, SigningKeys,
    store::{FileStore, MemoryStore, StateStore},
};
use serde_json::json;
use tokio::runtime::Runtime;

use super::engine::{Durability, Engine, over_each_engine};
use crate::{
    changes::start,
    fixture::Fixture,
    support::client::{Client, Era},
};

const LEGACY: Era = Era::Legacy("2025-11-25");
const OLD: &[u8] = b"the old key of these tests, 32 b!";
const NEW: &[u8] = b"this one came later; 32 bytes too";

fn key(kid: &str) -> SigningKeys {
    SigningKeys::new(kid, if kid == "old" { OLD } else { NEW }).unwrap()
}

over_each_engine! {
    abuse_e20_keys_rotate_under_load_over_a_shared_store_and_no_session_is_lost_before_its_key_is,
    an_instance_with_another_key_under_the_same_id_does_not_start_over_a_shared_store,
    an_opaque_session_is_found_at_any_instance_and_ends_for_all,
}

/// An instance that can be replaced.
struct Instance {
    port: u16,
    running: Running,
    runtime: Runtime,
}

impl Instance {
    fn new(store: impl StateStore, keys: SigningKeys) -> Self {
        let server = Server::new(Fixture::default()).store(store).sessions(Sessions::jwt(keys));
        let (port, running, runtime) = start(server);
        Self { port, running, runtime }
    }

    fn stop(self) {
        self.runtime.block_on(self.running.stop());
    }
}

/// The id of the key that made a session id.
fn kid(client: &Client) -> String {
    let header = client.session().and_then(|id| id.split('.').next()).expect("a session has a signed id");
    let header: serde_json::Value = serde_json::from_slice(&BASE64.decode(header).unwrap()).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// Whether a call of this client is done at this port. A session that is unknown is the only other thing that may be.
fn works(client: &Client, port: u16) -> bool {
    let answer = client.call_request(json!(1), "count", json!({ "by": 1 })).send(port);
    match (client.session(), answer.status) {
        (Some(_), 404) => false,
        (_, 200) => answer.json()["result"]["isError"].as_bool() != Some(true),
        (_, status) => panic!("{status}: {}", answer.text()),
    }
}

/// Rotates from the old key to the new one over two instances, each replaced at each step while clients call.
fn rotates<S: StateStore>(store: impl Fn() -> S) {
    let ports = RwLock::new([0; 2]);
    let mut instances: [Option<Instance>; 2] = [(); 2].map(|()| Some(Instance::new(store(), key("old"))));
    *ports.write().unwrap() = instances.each_ref().map(|it| it.as_ref().unwrap().port);
    let (stop, calls, lost) = (AtomicBool::new(false), AtomicUsize::new(0), Mutex::new(Vec::new()));
    let clients: Mutex<Vec<Arc<Client>>> = Mutex::default();
    thread::scope(|scope| {
        for worker in 0..4 {
            let (ports, stop, calls, lost, clients) = (&ports, &stop, &calls, &lost, &clients);
            scope.spawn(move || {
                let mut own: Vec<Arc<Client>> = Vec::new();
                let mut turn = worker;
                while !stop.load(Ordering::Relaxed) {
                    // Held while a request is under way, so that no instance goes before it was answered.
                    let ports = ports.read().unwrap();
                    turn += 1;
                    if turn % 16 == 0 || own.is_empty() {
                        let client = Client::new(ports[turn % 2], if turn % 32 < 16 { LEGACY } else { Era::Modern });
                        if client.session().is_none() {
                            client.handle();
                        }
                        own.push(Arc::new(client));
                        clients.lock().unwrap().push(own[own.len() - 1].clone());
                    }
                    let client = &own[turn % own.len()];
                    if !works(client, ports[(turn / 2) % 2]) {
                        lost.lock().unwrap().push(client.session().map(|_| kid(client)));
                    }
                    calls.fetch_add(1, Ordering::Relaxed);
                    drop(ports);
                    thread::yield_now();
                }
            });
        }
        for ring in [key("old").and_verify("new", NEW).unwrap(), key("new").and_verify("old", OLD).unwrap()] {
            for (number, instance) in instances.iter_mut().enumerate() {
                thread::sleep(Duration::from_millis(250));
                let next = Instance::new(store(), ring.clone());
                ports.write().unwrap()[number] = next.port;
                if let Some(before) = instance.replace(next) {
                    before.stop();
                }
            }
        }
        thread::sleep(Duration::from_millis(250));
        stop.store(true, Ordering::Relaxed);
    });
    let (calls, lost) = (calls.into_inner(), lost.into_inner().unwrap());
    assert!(lost.is_empty(), "{} of {calls} calls lost their session: {lost:?}", lost.len());
    assert!(calls > 100, "only {calls} calls were made");

    // The old key leaves: its sessions are unknown, all others go on.
    instances.into_iter().flatten().for_each(Instance::stop);
    let last = Instance::new(store(), key("new"));
    let clients = clients.into_inner().unwrap();
    let mut of = [0; 2];
    for client in clients.iter().filter(|client| client.session().is_some()) {
        let by_new = kid(client) == "new";
        assert_eq!(works(client, last.port), by_new);
        of[usize::from(by_new)] += 1;
    }
    assert!(of[0] > 0 && of[1] > 0, "sessions of both keys were there: {of:?}");
    assert!(clients.iter().any(|client| client.session().is_none() && !works(client, last.port)));
    last.stop();
}

// P15: a key rotates without one session lost.
#[test]
fn abuse_e20_keys_rotate_under_load_and_no_session_is_lost_before_its_key_is() {
    let memory = Arc::new(MemoryStore::new());
    rotates(|| memory.clone());
    let folder = tempfile::tempdir().unwrap();
    let file = Arc::new(FileStore::open(folder.path().join("sessions.redb")).unwrap());
    rotates(|| file.clone());
}

fn abuse_e20_keys_rotate_under_load_over_a_shared_store_and_no_session_is_lost_before_its_key_is<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    rotates(|| engine.store());
}

fn an_instance_with_another_key_under_the_same_id_does_not_start_over_a_shared_store<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    let store = || engine.store();
    let first = Instance::new(store(), key("old"));
    assert_eq!(first.running.key_fingerprint(), key("old").fingerprint());
    let wrong = SigningKeys::new("old", NEW).unwrap();
    let server = Server::new(Fixture::default()).store(store()).sessions(Sessions::jwt(wrong)).port(0);
    let refused = Runtime::new().unwrap().block_on(server.start()).expect_err("it does not start").to_string();
    assert!(refused.contains("the session key `old`") && refused.contains("an id of its own"), "{refused}");
    first.stop();
}

fn an_opaque_session_is_found_at_any_instance_and_ends_for_all<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    let opaque = || {
        let keys = key("old");
        let store = engine.store();
        let sessions = Sessions::opaque().keys(keys);
        let (port, running, runtime) = start(Server::new(Fixture::default()).store(store).sessions(sessions));
        Instance { port, running, runtime }
    };
    let (one, other) = (opaque(), opaque());
    let client = Client::new(one.port, LEGACY);
    assert_eq!(client.session().map(str::len), Some(43));
    for port in [one.port, other.port, one.port] {
        assert!(works(&client, port));
    }
    assert_eq!(client.headers(crate::support::Request::of("DELETE")).send(other.port).status, 204);
    assert!(!works(&client, one.port) && !works(&client, other.port));
    one.stop();
    other.stop();
}
