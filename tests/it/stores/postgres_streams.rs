//! The messages of streams, tasks, and the messages between instances, in PostgreSQL.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mcp_runtime::store::{
    Bus, BusLimits, EventLimits, EventLog, InstanceId, Owner, PostgresStore, Replay, SessionKey, StoreError, StreamId,
    TaskId, TaskStore, Topic, conformance,
};
use tokio::time::{sleep, timeout};

use super::engine::{Durability, Engine, PostgresServer};

const LONG: Duration = Duration::from_secs(300);

const SESSION: SessionKey = SessionKey([1; 17]);

fn open(server: &PostgresServer) -> PostgresStore {
    PostgresStore::open(&server.url()).expect("a store")
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_obeys_the_laws_of_streams() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    conformance::check_event_log(Arc::new(open(&server))).await;
    let lifetime = Duration::from_secs(2);
    let limits = EventLimits { lifetime, ..EventLimits::default() };
    conformance::check_event_log_lifetime(Arc::new(open(&server).with_event_limits(limits)), lifetime).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_obeys_the_laws_of_tasks() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    conformance::check_task_store(Arc::new(open(&server))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_and_tasks_in_postgresql_survive_the_program_and_a_crash_of_postgresql() {
    let Some(server) = PostgresServer::start(Durability::Disk) else { return };
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
async fn postgresql_obeys_the_laws_of_the_bus() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    conformance::check_bus(Arc::new(open(&server))).await;
    let limits = BusLimits { messages: 5, message_bytes: 10, ..BusLimits::default() };
    let store = open(&server).with_bus_limits(limits);
    conformance::check_bus_bounds(Arc::new(store.clone()), 5).await;
    let refused = store.publish(Topic::Everyone, vec![0; 11].into()).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { bytes: 11, limit: 10 })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_the_bus_goes_on_where_it_was_after_its_topic_was_forgotten() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    let limits = BusLimits { lifetime: Duration::from_millis(100), ..BusLimits::default() };
    let store = open(&server).with_bus_limits(limits);
    let inbox = Topic::Instance(InstanceId([7; 16]));
    for topic in [Topic::Everyone, inbox] {
        store.publish(topic, "old".into()).await.expect("it runs");
        let after = store.position(topic).await.expect("it runs");
        for sweeps in [false, true] {
            sleep(Duration::from_millis(200)).await;
            let late = Bus::read_after(&store, topic, 0, 9).await.expect("it runs");
            assert!(late.messages.is_empty() && late.gap, "who never read it is told: {late:?}");
            let heard = Bus::read_after(&store, topic, after, 9).await.expect("it runs");
            assert!(heard.messages.is_empty() && !heard.gap, "who has read it misses nothing: {heard:?}");
            if sweeps {
                EventLog::sweep(&store).await.expect("it runs");
            }
        }
        assert_eq!(server.ask("SELECT count(*) FROM mcp.messages").as_deref(), Ok("0"));
        store.publish(topic, "new".into()).await.expect("it runs");
        let heard = Bus::read_after(&store, topic, after, 9).await.expect("it runs");
        assert!(
            matches!(&*heard.messages, [(number, message)] if *number > after && **message == *b"new"),
            "{heard:?}"
        );
        server.ask("DELETE FROM mcp.messages; DELETE FROM mcp.topics").expect("it runs");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_hear_each_other_again_after_postgresql_was_restarted() {
    let Some(mut server) = PostgresServer::start(Durability::Disk) else { return };
    let (one, other) = (open(&server), open(&server));
    let position = Bus::position(&one, Topic::Everyone).await.expect("it runs");
    let waiting = tokio::spawn({
        let other = other.clone();
        async move {
            // The engine is away in between, and then there is no answer.
            while Bus::changed(&other, Topic::Everyone, position).await.is_err() {
                sleep(Duration::from_millis(50)).await;
            }
        }
    });
    sleep(Duration::from_millis(300)).await;
    server.restart();
    sleep(Duration::from_secs(1)).await;
    one.publish(Topic::Everyone, "x".into()).await.expect("it runs");
    timeout(Duration::from_secs(6), waiting).await.expect("a change is heard").expect("no panic");
}

/// Two stores in one PostgreSQL, as two instances have them, and how long each change took to be heard at the other.
async fn hear_each_other(one: &PostgresStore, other: &PostgresStore, within: Duration) {
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
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    hear_each_other(&open(&server), &open(&server), Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_publishing_it_is_heard_later() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    let url = server.quiet_url();
    let quiet = || PostgresStore::open(&url).expect("a store");
    hear_each_other(&quiet(), &quiet(), Duration::from_secs(6)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_in_postgresql_keeps_what_its_limits_say_and_tells_of_the_gap() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
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

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_leaves_no_row_of_streams_and_tasks_that_expired() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    let lifetime = Duration::from_millis(1);
    let store = open(&server).with_event_limits(EventLimits { lifetime, ..EventLimits::default() });
    for number in 0..5 {
        let lasting = open(&server);
        lasting.open(SESSION, StreamId([number; 16])).await.expect("it runs");
        lasting.append(SESSION, StreamId([number; 16]), "x".into(), false).await.expect("it runs");
        assert!(EventLog::touch(&store, SESSION, StreamId([number; 16])).await.expect("it runs"));
        let made = TaskStore::create(&store, TaskId([number; 16]), Owner([7; 16]), "x".into(), lifetime).await;
        made.expect("it runs");
    }
    sleep(Duration::from_millis(50)).await;
    assert_eq!(EventLog::sweep(&store).await.expect("it runs"), 5);
    assert_eq!(TaskStore::sweep(&store).await.expect("it runs"), 5);
    let left = "SELECT (SELECT count(*) FROM mcp.streams), (SELECT count(*) FROM mcp.events), \
                (SELECT count(*) FROM mcp.tasks)";
    assert_eq!(server.ask(left).as_deref(), Ok("0|0|0"));
}
