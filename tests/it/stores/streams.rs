//! The messages of streams, tasks, and the messages between instances, in every engine.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mcp_runtime::store::{
    Bus, BusLimits, EventLimits, EventLog, Owner, Replay, SessionKey, StoreError, StreamId, TaskId, TaskStore, Topic,
    conformance,
};
use tokio::time::{sleep, timeout};

use super::{
    engine::{Doorbell, Durability, Engine, over_each_engine},
    state::LONG,
};

const SESSION: SessionKey = SessionKey([1; 17]);

over_each_engine! {
    async the_laws_of_streams_are_obeyed,
    the_laws_of_tasks_are_obeyed,
    the_laws_of_the_bus_are_obeyed,
    streams_and_tasks_survive_the_program_and_a_crash_of_the_engine,
    what_one_instance_changes_another_hears_at_once,
    without_a_doorbell_it_is_heard_later,
    a_stream_keeps_what_its_limits_say_and_tells_of_the_gap,
}

async fn the_laws_of_streams_are_obeyed<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    conformance::check_event_log(Arc::new(engine.store())).await;
    let lifetime = Duration::from_secs(2);
    let limits = EventLimits { lifetime, ..EventLimits::default() };
    conformance::check_event_log_lifetime(Arc::new(E::limit(engine.store(), limits, BusLimits::default())), lifetime)
        .await;
}

async fn the_laws_of_tasks_are_obeyed<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    conformance::check_task_store(Arc::new(engine.store())).await;
}

async fn the_laws_of_the_bus_are_obeyed<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    conformance::check_bus(Arc::new(engine.store())).await;
    let limits = BusLimits { messages: 5, message_bytes: 10, ..BusLimits::default() };
    let store = E::limit(engine.store(), EventLimits::default(), limits);
    conformance::check_bus_bounds(Arc::new(store.clone()), 5).await;
    let refused = store.publish(Topic::Everyone, vec![0; 11].into()).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { bytes: 11, limit: 10 })), "{refused:?}");
}

async fn streams_and_tasks_survive_the_program_and_a_crash_of_the_engine<E: Engine>() {
    let Some(engine) = E::start(Durability::Disk) else { return };
    let engine = std::sync::Mutex::new(engine);
    let reopen = async || {
        let mut engine = engine.lock().expect("no test panicked with it");
        engine.process().kill();
        engine.restart();
        engine.store()
    };
    conformance::check_event_log_survival(reopen).await;
    conformance::check_task_store_survival(reopen).await;
}

/// Two stores in one place, as two instances have them: each change is heard at the other within this time.
async fn hear_each_other<E: Engine>(place: &str, within: Duration) {
    let (one, other) = (&E::open(place), E::open(place));
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

async fn what_one_instance_changes_another_hears_at_once<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    hear_each_other::<E>(&engine.url(), Duration::from_secs(1)).await;
}

async fn without_a_doorbell_it_is_heard_later<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    hear_each_other::<E>(&engine.silent_url(), Doorbell::Silent.patience()).await;
}

async fn a_stream_keeps_what_its_limits_say_and_tells_of_the_gap<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    let limits = EventLimits { stream_bytes: 1000, stream_events: 5, ..EventLimits::default() };
    let store = E::limit(engine.store(), limits, BusLimits::default());
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
