//! Redis.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mcp_runtime::store::{
    Blob, Commit, Committed, Operation, Owner, Presence, RedisStore, SessionKey, StateStore, StoreError, Write,
    conformance::{self, Fault, FaultyStore},
};
use tokio::time::sleep;

use super::engine::{Durability, Engine, RedisServer};

/// By then, an engine that is down must have been found down.
const DOWN: Duration = Duration::from_secs(2);
/// By then, an engine that is back must be in use again.
const BACK: Duration = Duration::from_secs(3);

const LONG: Duration = Duration::from_secs(300);

fn open(server: &RedisServer) -> RedisStore {
    RedisStore::open(&server.url()).expect("a store")
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_obeys_the_laws_of_session_state() {
    let Some(server) = RedisServer::start(Durability::None) else { return };
    conformance::check(Arc::new(open(&server))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_behind_a_bad_network_obeys_the_laws_of_session_state() {
    let Some(server) = RedisServer::start(Durability::None) else { return };
    let short = Duration::from_millis(1);
    let faults = vec![
        Fault::None,
        Fault::Before,
        Fault::After,
        Fault::Twice,
        Fault::None,
        Fault::Delay(short),
        Fault::Before,
        Fault::SlowAnswer(short),
        Fault::Twice,
        Fault::After,
        Fault::After,
    ];
    conformance::check(Arc::new(FaultyStore::new(open(&server), faults))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn session_state_in_redis_survives_the_program_and_a_crash_of_redis() {
    let Some(server) = RedisServer::start(Durability::Disk) else { return };
    let server = std::sync::Mutex::new(server);
    conformance::check_survival(async || {
        let mut server = server.lock().expect("no test panicked with it");
        server.process().kill();
        server.restart();
        open(&server)
    })
    .await;
}

/// A session of its own for each number.
fn session(number: u8) -> SessionKey {
    SessionKey([number; 17])
}

fn commit(operation: u8, expected: u64, value: &[u8]) -> Commit {
    Commit {
        operation: Operation([operation; 16]),
        owner: Owner([7; 16]),
        idle: LONG,
        writes: vec![Write { key: "a", expected, value: Blob::from_bytes(value.to_vec()) }],
    }
}

/// Asks until it answers; how long that took.
async fn until_back(store: &RedisStore) -> Duration {
    let begin = Instant::now();
    while store.touch(session(1), LONG).await.is_err() {
        assert!(begin.elapsed() < BACK, "a store that is back must be in use again within {BACK:?}");
        sleep(Duration::from_millis(10)).await;
    }
    begin.elapsed()
}

async fn is_down(store: &RedisStore) -> String {
    let begin = Instant::now();
    let answers = tokio::join!(
        store.load(session(1), &["a"], LONG),
        store.touch(session(1), LONG),
        store.commit(session(2), commit(9, 0, b"x")),
        store.list(Owner([7; 16]), None, 9),
    );
    assert!(begin.elapsed() < DOWN, "that a store is down must be known within {DOWN:?}: {:?}", begin.elapsed());
    let (Err(load), Err(touch), Err(commit), Err(list)) = answers else {
        panic!("nothing can be answered: {answers:?}")
    };
    for error in [&load, &touch, &commit, &list] {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    }
    let mut text = load.to_string();
    let mut source = std::error::Error::source(&load);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_crashed_is_unavailable_and_in_use_again_when_it_is_back_with_all_that_it_acknowledged() {
    let Some(mut server) = RedisServer::start(Durability::Disk) else { return };
    let store = open(&server);
    for round in 0..3 {
        let written = store.commit(session(1), commit(round, u64::from(round), &[round])).await.expect("it runs");
        assert_eq!(written, Committed::Saved);
        server.process().kill();
        let why = is_down(&store).await;
        assert!(why.contains("can't be reached"), "{why}");
        sleep(Duration::from_millis(300)).await;
        is_down(&store).await;
        server.restart();
        until_back(&store).await;
        let repeated = store.commit(session(1), commit(round, u64::from(round), &[round])).await.expect("it runs");
        assert_eq!(repeated, Committed::Duplicate, "what was acknowledged is there, and its name is known");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_frozen_is_unavailable_and_what_it_was_told_meanwhile_happens_once() {
    let Some(mut server) = RedisServer::start(Durability::None) else { return };
    let store = open(&server);
    store.commit(session(1), commit(1, 0, b"one")).await.expect("it runs");
    for round in 1..3 {
        server.process().freeze();
        is_down(&store).await;
        let unknown = store.commit(session(1), commit(round + 1, u64::from(round), b"next")).await;
        assert!(matches!(unknown, Err(StoreError::Unavailable(_))), "{unknown:?}");
        server.process().thaw();
        until_back(&store).await;
        let resolved = store.commit(session(1), commit(round + 1, u64::from(round), b"next")).await.expect("it runs");
        assert!(matches!(resolved, Committed::Saved | Committed::Duplicate), "{resolved:?}");
        let loaded = store.load(session(1), &["a"], LONG).await.expect("it runs");
        assert!(matches!(loaded.parts.as_slice(), [Some((_, revision))] if *revision == u64::from(round) + 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_without_room_takes_nothing_new_and_gives_what_it_has() {
    let Some(server) = RedisServer::start(Durability::None) else { return };
    let store = open(&server);
    store.commit(session(1), commit(1, 0, b"one")).await.expect("it runs");
    server.ask("CONFIG SET maxmemory 1").expect("it runs");
    let refused = store.commit(session(1), commit(2, 1, b"two")).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    let loaded = store.load(session(1), &["a"], LONG).await.expect("reading needs no room");
    assert!(matches!(loaded.parts.as_slice(), [Some((value, 1))] if value.bytes() == b"one"));
    store.remove(session(1), LONG).await.expect("removing makes room");
    assert_eq!(store.touch(session(1), LONG).await.expect("it runs"), Presence::Gone);
    server.ask("CONFIG SET maxmemory 0").expect("it runs");
    assert_eq!(store.commit(session(2), commit(3, 0, b"x")).await.expect("there is room"), Committed::Saved);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_became_a_replica_gives_nothing_that_may_be_stale() {
    let Some(server) = RedisServer::start(Durability::None) else { return };
    let store = open(&server);
    store.commit(session(1), commit(1, 0, b"one")).await.expect("it runs");
    server.ask("REPLICAOF 127.0.0.1 1").expect("it runs");
    let why = is_down(&store).await;
    assert!(why.contains("read-only replica"), "{why}");
    server.ask("REPLICAOF NO ONE").expect("it runs");
    assert_eq!(store.touch(session(1), LONG).await.expect("it is the primary again"), Presence::Live);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_forgot_its_scripts_is_told_them_again() {
    let Some(server) = RedisServer::start(Durability::None) else { return };
    let store = open(&server);
    store.commit(session(1), commit(1, 0, b"one")).await.expect("it runs");
    server.ask("SCRIPT FLUSH").expect("it runs");
    assert_eq!(store.touch(session(1), LONG).await.expect("it runs"), Presence::Live);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_would_evict_is_refused_with_the_fix() {
    let settings = ["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"];
    let Some(server) = RedisServer::with(Durability::None, &settings) else { return };
    let error = open(&server).identity().await.expect_err("it would lose sessions");
    let why = format!("{:?}", error);
    assert!(why.contains("allkeys-lru") && why.contains("noeviction"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_in_redis_has_the_prefix_and_a_lifetime() {
    let Some(server) = RedisServer::start(Durability::None) else { return };
    let store = RedisStore::open(&format!("{}/3?prefix=shop:mcp", server.url())).expect("a store");
    store.identity().await.expect("it runs");
    store.commit(session(1), commit(1, 0, b"one")).await.expect("it runs");
    store.remove(session(2), LONG).await.expect("it runs");
    let script = "for _, key in ipairs(redis.call('KEYS', '*')) do \
                  if string.sub(key, 1, 9) ~= 'shop:mcp:' or redis.call('PTTL', key) < 0 then return key end end";
    let odd = server.run(&["-n", "3", "EVAL", script, "0"]);
    assert_eq!(odd, "shop:mcp:identity", "only the identity stays");
    assert_eq!(server.run(&["DBSIZE"]), "0", "the database of the URL is the one that is used");
}

#[test]
fn an_url_that_is_none_is_refused_and_no_password_is_shown() {
    for (url, part) in [
        ("redis://:secret@ho st", "redis://host[:port][/database]"),
        ("rediss://:secret@host", "over TLS"),
        ("redis://host?prefix={secret}", "is no prefix"),
        ("redis://host?timeout=1", "is no parameter"),
    ] {
        let error = format!("{:?}", RedisStore::open(url).expect_err(url));
        assert!(error.contains(part), "{error}");
        assert!(!error.contains(":secret"), "{error}");
    }
}
