//! The messages of streams, tasks, and the messages between instances, in Redis.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mcp_runtime::store::{
    Bus, BusLimits, EventLimits, EventLog, Owner, RedisStore, Replay, SessionKey, StoreError, StreamId, TaskId,
    TaskStore, Topic, conformance,
};
use tokio::time::{sleep, timeout};

use super::engine::{Durability, Engine, RedisServer};

const LONG: Duration = Duration::from_secs(300);

const SESSION: SessionKey = SessionKey([1; 17]);

fn open(server: &RedisServer) -> RedisStore {
    RedisStore::open(&server.url()).expect("a store")
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_obeys_the_laws_of_streams() {
    let Some(server) = RedisServer::start(Durability::None) else { return };
    conformance::check_event_log(Arc::new(open(&server))).await;
    let lifetime = Duration::from_secs(2);
    let limits = EventLimits { lifetime, ..EventLimits::default() };
    conformance::check_event_log_lifetime(Arc::new(open(&server).with_event_limits(limits)), lifetime).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_obeys_the_laws_of_tasks() {
    let Some(server) = RedisServer::start(Durability::None) else { return };
    conformance::check_task_store(Arc::new(open(&server))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_and_tasks_in_redis_survive_the_program_and_a_crash_of_redis() {
    let Some(server) = RedisServer::start(Durability::Disk) else { return };
    let server = std::sync::Mutex::new(server);
    let reopen = async || {
        let mut server = server.lock().expect("no test panicked with it");
        server.process().kill();
        server.restart();
        open(&server)
    };
    conformance::check_event_log_survival(reopen).await;
    conformance::check_task_store_survival(reopen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_obeys_the_laws_of_the_bus() {
    let Some(server) = RedisServer::start(Durability::None) else { return };
    conformance::check_bus(Arc::new(open(&server))).await;
    let limits = BusLimits { messages: 5, message_bytes: 10, ..BusLimits::default() };
    let store = open(&server).with_bus_limits(limits);
    conformance::check_bus_bounds(Arc::new(store.clone()), 5).await;
    let refused = store.publish(Topic::Everyone, vec![0; 11].into()).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { bytes: 11, limit: 10 })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_the_bus_goes_on_where_it_was_after_redis_forgot_everything() {
    let Some(server) = RedisServer::start(Durability::None) else { return };
    let store = open(&server);
    store.publish(Topic::Everyone, "old".into()).await.expect("it runs");
    let after = store.position(Topic::Everyone).await.expect("it runs");
    server.run(&["FLUSHALL"]);
    assert!(Bus::read_after(&store, Topic::Everyone, after, 9).await.expect("it runs").messages.is_empty());
    store.publish(Topic::Everyone, "new".into()).await.expect("it runs");
    let heard = Bus::read_after(&store, Topic::Everyone, after, 9).await.expect("it runs");
    assert!(matches!(&*heard.messages, [(number, message)] if *number > after && **message == *b"new"), "{heard:?}");
}

/// Two stores in one Redis, as two instances have them, and how long each change took to be heard at the other.
async fn hear_each_other(one: &RedisStore, other: &RedisStore, within: Duration) {
    let (stream, task) = (StreamId([1; 16]), TaskId([2; 16]));
    one.open(SESSION, stream).await.expect("it runs");
    TaskStore::create(one, task, Owner([7; 16]), "one".into(), LONG).await.expect("it runs");
    for round in 0..2 {
        let position = Bus::position(one, Topic::Everyone).await.expect("it runs");
        let waiting = [
            tokio::spawn({
                let other = other.clone();
                async move { Bus::changed(&other, Topic::Everyone, position).await }
            }),
            tokio::spawn({
                let other = other.clone();
                async move { EventLog::changed(&other, SESSION, stream, round).await }
            }),
            tokio::spawn({
                let other = other.clone();
                async move { TaskStore::changed(&other, task, round + 1).await }
            }),
        ];
        sleep(Duration::from_millis(500)).await;
        assert!(waiting.iter().all(|waiting| !waiting.is_finished()), "nothing has changed");
        one.append(SESSION, stream, "x".into(), false).await.expect("it runs");
        TaskStore::update(one, task, round + 1, "two".into()).await.expect("it runs");
        one.publish(Topic::Everyone, "x".into()).await.expect("it runs");
        let changed = Instant::now();
        for waiting in waiting {
            timeout(within, waiting).await.expect("a change is heard").expect("no panic").expect("it runs");
        }
        assert!(changed.elapsed() < within, "{:?}", changed.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_instance_changes_another_hears_at_once() {
    let Some(server) = RedisServer::start(Durability::None) else { return };
    hear_each_other(&open(&server), &open(&server), Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_publishing_it_is_heard_later() {
    let Some(server) = RedisServer::start(Durability::None) else { return };
    server.run(&["ACL", "SETUSER", "quiet", "on", ">pw", "~*", "+@all", "resetchannels"]);
    let quiet = || RedisStore::open(&server.url().replace("//", "//quiet:pw@")).expect("a store");
    hear_each_other(&quiet(), &quiet(), Duration::from_secs(6)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_in_redis_keeps_what_its_limits_say_and_tells_of_the_gap() {
    let Some(server) = RedisServer::start(Durability::None) else { return };
    let limits = EventLimits { stream_bytes: 1000, stream_events: 5, ..EventLimits::default() };
    let store = open(&server).with_event_limits(limits);
    let read =
        async |stream, after| match EventLog::read_after(&store, SESSION, stream, after, 99).await.expect("it runs") {
            Replay::Events { events, gap, finished } => {
                (events.into_iter().map(|(number, _)| number).collect(), gap, finished)
            }
            Replay::Unknown => (Vec::new(), false, false),
        };
    let (many, large) = (StreamId([1; 16]), StreamId([2; 16]));
    for (stream, bytes, count) in [(many, 1, 7), (large, 400, 3)] {
        store.open(SESSION, stream).await.expect("it runs");
        for _ in 0..count {
            store.append(SESSION, stream, vec![7; bytes].into(), false).await.expect("it runs");
        }
    }
    assert_eq!(read(many, 0).await, (vec![3, 4, 5, 6, 7], true, false), "the oldest events go first");
    assert_eq!(read(many, 2).await, (vec![3, 4, 5, 6, 7], false, false), "who has seen them misses nothing");
    assert_eq!(read(large, 0).await, (vec![2, 3], true, false));
    let refused = store.append(SESSION, large, vec![0; 937].into(), true).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { bytes: 937, limit: 936 })), "{refused:?}");
    assert_eq!(store.append(SESSION, large, vec![0; 936].into(), true).await.expect("it runs"), Some(4));
    assert_eq!(read(large, 0).await, (vec![4], true, true));
}
