//! Stores that come back with something older: whoever saw the newer is told, and nobody's dead session rises.

use std::{
    fs,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use mcp_runtime::{
    Running, Server, Sessions, SigningKeys,
    prelude::*,
    store::{
        Blob, Commit, Committed, FileStore, MemoryStore, Operation, Owner, Presence, RedisStore, SessionKey,
        StateStore, Write,
    },
};
use serde_json::{Value, json};
use tokio::{runtime::Runtime, task::JoinSet};

use super::{
    engine::{Durability, Engine, RedisServer},
    fleet::ERAS,
};
use crate::{
    changes::start,
    support::client::{Client, Era},
};

/// What one session notes.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Notes(Vec<String>);

/// What one session counts.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Counter(u64);

#[mcp_server]
mod two_parts {
    use super::*;

    /// Note something.
    #[tool]
    pub fn note(notes: &mut Notes, text: String) -> usize {
        notes.0.push(text);
        notes.0.len()
    }

    /// How many notes there are.
    #[tool]
    pub fn noted(notes: &Notes) -> usize {
        notes.0.len()
    }

    /// Say how many notes there are, and fail.
    #[tool]
    pub fn complain(notes: &Notes) -> Result<String, ToolError> {
        Err(ToolError::new(format!("{} notes are too many", notes.0.len())))
    }

    /// Count one up.
    #[tool]
    pub fn tally(counter: &mut Counter) -> u64 {
        counter.0 += 1;
        counter.0
    }

    /// Say nothing of the session.
    #[tool]
    pub fn ping() -> String {
        "pong".into()
    }
}

/// One instance.
struct Instance {
    port: u16,
    running: Running,
    runtime: Runtime,
}

impl Instance {
    fn over(store: impl StateStore, sessions: impl FnOnce(Sessions) -> Sessions) -> Self {
        let keys = SigningKeys::new("k1", b"a fixed key of the tests, 32 bytes!").unwrap();
        let server: Server = two_parts::server().store(store).sessions(sessions(Sessions::jwt(keys).cookies()));
        let (port, running, runtime) = start(server);
        Self { port, running, runtime }
    }

    fn stop(self) {
        self.runtime.block_on(self.running.stop());
    }
}

/// A client that sends its cookie back as it came, as clients do.
struct Keeper {
    client: Client,
    cookie: Value,
}

impl Keeper {
    fn new(port: u16, era: Era) -> Self {
        let client = Client::new(port, era);
        let made = client.request("session/create", json!({}));
        let cookie = made["result"]["_meta"]["mcp/session"].clone();
        assert!(cookie["seen"].is_string(), "{made}");
        assert_eq!(made["result"]["seen"], Value::Null, "it is the cookie's alone");
        Self { client, cookie }
    }

    /// The same client with this cookie, at an instance where it begins with a handshake of its own.
    fn with(port: u16, era: Era, cookie: &Value) -> Self {
        Self { client: Client::new(port, era), cookie: cookie.clone() }
    }

    fn call(&mut self, tool: &str) -> Value {
        let arguments = if tool == "note" { json!({ "text": "milk" }) } else { json!({}) };
        let meta = json!({ "mcp/session": self.cookie });
        let answer = self.client.call_request_with_meta(json!(1), tool, arguments, meta).send(self.client.port).json();
        match &answer["result"]["_meta"]["mcp/session"] {
            Value::Null => {}
            cookie => self.cookie = cookie.clone(),
        }
        answer
    }

    /// What a tool that works says.
    fn says(&mut self, tool: &str) -> String {
        let answer = self.call(tool);
        answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Why a call is refused, with the code.
    fn refusal(&mut self, tool: &str) -> (i64, String) {
        let answer = self.call(tool);
        let error = &answer["error"];
        let reason = error["data"]["reason"].as_str().unwrap_or_else(|| panic!("{answer}"));
        (error["code"].as_i64().unwrap(), reason.to_owned())
    }

    /// Forgets what it saw.
    fn forget(&mut self) {
        self.cookie = json!({ "id": self.cookie["id"] });
    }
}

fn refused(era: Era, reason: &str) -> (i64, String) {
    (if era == Era::Modern { -31002 } else { -32002 }, reason.to_owned())
}

/// A store goes back to what it was at a moment in the past.
///
/// `back` is given the instance before, and gives one after.
fn goes_back(first: Instance, save: impl FnOnce(), back: impl FnOnce(Instance) -> Instance) {
    let mut before = Vec::new();
    for era in ERAS {
        let mut client = Keeper::new(first.port, era);
        assert_eq!((client.says("note"), client.says("tally")), ("1".into(), "1".into()));
        before.push(client);
    }
    save();
    let mut after = Vec::new();
    for (mut client, era) in before.into_iter().zip(ERAS) {
        let old = client.cookie.clone();
        assert_eq!(client.says("note"), "2");
        assert_eq!(client.says("ping"), "pong");
        // Another one, which reads what the first one wrote and says so in an error.
        let mut reader = Keeper::with(first.port, era, &old);
        assert_eq!(reader.says("complain"), "2 notes are too many");
        let mut late = Keeper::new(first.port, era);
        assert_eq!(late.says("tally"), "1");
        after.push((old, client.cookie, reader.cookie, late.cookie));
    }
    let second = back(first);
    for ((old, newest, read, late), era) in after.into_iter().zip(ERAS) {
        for newer in [&newest, &read] {
            let mut client = Keeper::with(second.port, era, newer);
            for tool in ["noted", "note", "complain", "note"] {
                assert_eq!(client.refusal(tool), refused(era, "session_rolled_back"), "{tool}");
            }
            assert_eq!(client.says("ping"), "pong", "what borrows nothing is not concerned");
        }
        let mut client = Keeper::with(second.port, era, &newest);
        assert_eq!(client.says("tally"), "2", "nor is what went back by nothing");
        assert_eq!(client.refusal("noted"), refused(era, "session_rolled_back"), "and nothing is forgotten by that");
        assert_eq!(Keeper::with(second.port, era, &old).says("noted"), "1", "who saw no more is served");
        client.forget();
        assert_eq!(client.says("noted"), "1", "and who asks for what is there");
        assert_eq!((client.says("note"), client.says("noted")), ("2".into(), "2".into()));
        let mut client = Keeper::with(second.port, era, &late);
        assert_eq!(client.refusal("tally"), refused(era, "session_rolled_back"));
        client.forget();
        assert_eq!(client.refusal("tally"), refused(era, "session_unknown"), "what is not there can't be served");
    }
    second.stop();
}

fn same(sessions: Sessions) -> Sessions {
    sessions
}

// P6: an old RDB file.
#[test]
fn who_saw_more_than_a_redis_that_was_restored_is_told() {
    let Some(engine) = RedisServer::start(Durability::None) else { return };
    let first = Instance::over(RedisStore::open(&engine.url()).unwrap(), same);
    let engine = std::cell::RefCell::new(engine);
    let save = || assert_eq!(engine.borrow().run(&["SAVE"]), "OK");
    goes_back(first, save, |instance| {
        // What it was asked to write since is in memory alone.
        engine.borrow_mut().restart();
        // The instance finds its store again by itself.
        let begun = Instant::now();
        while Client::new(instance.port, Era::Modern).request("session/create", json!({}))["error"].is_object() {
            assert!(begun.elapsed() < Duration::from_secs(5), "it never came back");
            thread::sleep(Duration::from_millis(50));
        }
        instance
    });
}

// P6: a replica that lagged.
#[test]
fn who_saw_more_than_a_replica_that_was_promoted_is_told() {
    let Some(primary) = RedisServer::start(Durability::None) else { return };
    let port = primary.url().rsplit(':').next().unwrap().to_owned();
    let replica = RedisServer::with(Durability::None, &["--replicaof", "127.0.0.1", &port]).unwrap();
    let first = Instance::over(RedisStore::open(&primary.url()).unwrap(), same);
    let save = || {
        assert_eq!(primary.run(&["WAIT", "1", "10000"]), "1");
        // What is written from now on does not reach it.
        assert_eq!(replica.run(&["REPLICAOF", "NO", "ONE"]), "OK");
    };
    goes_back(first, save, |instance| {
        instance.stop();
        Instance::over(RedisStore::open(&replica.url()).unwrap(), same)
    });
}

// P6: a backup of a file.
#[test]
fn who_saw_more_than_a_file_that_was_restored_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (path, backup) = (folder.path().join("sessions.redb"), folder.path().join("backup.redb"));
    let first = Instance::over(FileStore::open(&path).unwrap(), same);
    let save = || assert!(fs::copy(&path, &backup).unwrap() > 0);
    goes_back(first, save, |instance| {
        instance.stop();
        let second = FileStore::open(&backup).unwrap();
        Instance::over(second, same)
    });
}

#[test]
fn a_call_that_would_begin_a_session_does_not_hide_that_one_was_lost() {
    let Some(engine) = RedisServer::start(Durability::None) else { return };
    let instance = Instance::over(RedisStore::open(&engine.url()).unwrap(), Sessions::cookies_on_demand);
    for era in ERAS {
        let mut client = Keeper { client: Client::new(instance.port, era), cookie: Value::Null };
        assert_eq!((client.says("tally"), client.says("tally")), ("1".into(), "2".into()));
        // All is lost but the tombstones' time.
        assert_eq!(engine.run(&["FLUSHALL"]), "OK");
        assert_eq!(client.refusal("tally"), refused(era, "session_rolled_back"));
        client.forget();
        assert_eq!(client.says("tally"), "1", "who does not say what it saw begins anew");
        let deleted =
            client.client.message_with_meta("session/delete", json!({}), json!({ "mcp/session": client.cookie }));
        assert_eq!(deleted.send(instance.port).json()["result"]["deleted"], true);
        assert_eq!(client.says("tally"), "1", "who ended its session lost nothing");
    }
}

#[test]
fn many_calls_at_once_raise_no_false_alarm() {
    let Some(engine) = RedisServer::start(Durability::None) else { return };
    let instances = [(); 2].map(|()| Instance::over(RedisStore::open(&engine.url()).unwrap(), same));
    let made = Keeper::new(instances[0].port, Era::Modern);
    thread::scope(|scope| {
        for worker in 0..6 {
            let (instances, cookie) = (&instances, made.cookie.clone());
            scope.spawn(move || {
                let mut clients = [0, 1].map(|at: usize| Keeper::with(instances[at].port, Era::Modern, &cookie));
                for round in 0..40_usize {
                    let [here, there] = [round % 2, (round + 1) % 2];
                    // What one instance said is shown to the other at once.
                    clients[here].cookie = clients[there].cookie.clone();
                    let tool = ["note", "noted", "tally", "complain"][(round + worker) % 4];
                    let answer = clients[here].call(tool);
                    let kind = &answer["error"]["data"]["kind"];
                    assert!(answer["error"].is_null() || kind == "conflict", "{answer}");
                }
            });
        }
    });
    let mut last = Keeper { client: Client::new(instances[1].port, Era::Modern), cookie: made.cookie };
    assert_eq!((last.says("noted"), last.says("tally")), ("60".into(), "61".into()));
}

fn session(number: u64) -> SessionKey {
    let mut key = [6; 17];
    // A store may spread sessions by their last bytes.
    key[9..].copy_from_slice(&number.to_be_bytes());
    SessionKey(key)
}

fn commit(idle: Duration, writes: &[(&'static str, u64)]) -> Commit {
    let operation = Operation(uuid());
    let value = || Blob::from_bytes(b"a value".to_vec());
    let writes = writes.iter().map(|&(key, expected)| Write { key, expected, value: value() }).collect();
    Commit { operation, owner: Owner([1; 16]), idle, writes }
}

fn uuid() -> [u8; 16] {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes
}

const LONG: Duration = Duration::from_secs(600);

/// Removes a session while it is written, as often as this; nothing of it may be there afterwards, whoever was first.
async fn removals_win<S: StateStore>(store: Arc<S>, rounds: u64) {
    let mut saved = 0;
    for from in (0..rounds).step_by(200) {
        let mut races = JoinSet::new();
        for number in from..(from + 200).min(rounds) {
            let store = store.clone();
            races.spawn(async move {
                let key = session(number);
                assert_eq!(store.commit(key, commit(LONG, &[("a", 0)])).await.unwrap(), Committed::Saved);
                let (writing, removing) = (store.clone(), store.clone());
                let write = commit(LONG, &[("a", 1), ("b", 0)]);
                let writer = async move { writing.commit(key, write).await.unwrap() };
                let remover = async move { removing.remove(key, LONG).await.unwrap() };
                // What is spawned last runs first, unless the other thread takes it.
                let (writer, remover) = if number % 2 == 0 {
                    let writer = tokio::spawn(writer);
                    (writer, tokio::spawn(remover))
                } else {
                    let remover = tokio::spawn(remover);
                    (tokio::spawn(writer), remover)
                };
                remover.await.unwrap();
                let written = writer.await.unwrap();
                assert!(matches!(written, Committed::Saved | Committed::Gone), "{written:?}");
                let loaded = store.load(key, &["a", "b"], LONG).await.unwrap();
                assert!(loaded.presence == Presence::Gone && loaded.parts.iter().all(Option::is_none), "{loaded:?}");
                assert_eq!(store.commit(key, commit(LONG, &[("a", 0)])).await.unwrap(), Committed::Gone);
                written == Committed::Saved
            });
        }
        while let Some(first) = races.join_next().await {
            saved += u64::from(first.unwrap());
        }
    }
    assert!(saved > 0 && saved < rounds, "of {rounds} races the writer was first in {saved}: that is no race");
}

// P6: delete against update.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_removed_while_it_is_written_never_rises() {
    removals_win(Arc::new(MemoryStore::new()), 100_000).await;
    let folder = tempfile::tempdir().unwrap();
    removals_win(Arc::new(FileStore::open(folder.path().join("sessions.redb")).unwrap()), 10_000).await;
}

// P6: the end of a lifetime against update.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_expires_while_it_is_written_is_whole_or_new() {
    const SHORT: Duration = Duration::from_millis(2);
    let store = Arc::new(MemoryStore::new());
    let mut races = JoinSet::new();
    for number in 0..10_000 {
        let store = store.clone();
        races.spawn(async move {
            let key = session(number);
            store.commit(key, commit(SHORT, &[("a", 0), ("b", 0)])).await.unwrap();
            tokio::time::sleep(Duration::from_micros(number % 5_000)).await;
            let written = store.commit(key, commit(LONG, &[("a", 1)])).await.unwrap();
            let parts = store.load(key, &["a", "b"], LONG).await.unwrap().parts;
            let revisions: Vec<_> = parts.iter().map(|part| part.as_ref().map(|(_, revision)| *revision)).collect();
            match written {
                Committed::Saved => assert_eq!(revisions, [Some(2), Some(1)]),
                Committed::Conflict => assert_eq!(revisions, [None, None], "what has expired does not come back"),
                other => panic!("{other:?}"),
            }
            written == Committed::Saved
        });
    }
    let mut saved = 0;
    while let Some(first) = races.join_next().await {
        saved += u32::from(first.unwrap());
    }
    assert!(saved > 0 && saved < 10_000, "the writer was first in {saved}: that is no race");
}
