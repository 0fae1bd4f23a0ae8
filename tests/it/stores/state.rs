//! Session state in every engine, as the store has it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mcp_runtime::store::{
    Blob, Commit, Committed, Operation, Owner, Presence, SessionKey, StateStore, StoreError, Write,
    conformance::{self, Fault, FaultyStore},
};
use tokio::time::sleep;

use super::engine::{Durability, Engine, Network, over_each_engine};

/// By then, an engine that is down must have been found down.
const DOWN: Duration = Duration::from_secs(2);
/// By then, an engine that is back must be in use again.
const BACK: Duration = Duration::from_secs(3);

pub(super) const LONG: Duration = Duration::from_secs(300);

over_each_engine! {
    async the_laws_of_session_state_are_obeyed,
    behind_a_bad_network_the_laws_are_obeyed,
    session_state_survives_the_program_and_a_crash_of_the_engine,
    an_engine_that_crashed_is_unavailable_and_in_use_again_when_it_is_back_with_all_that_it_acknowledged,
    an_engine_that_is_frozen_is_unavailable_and_what_it_was_told_meanwhile_happens_once,
    an_engine_without_room_takes_nothing_new_and_gives_what_it_has,
    an_engine_that_takes_no_writes_says_so_and_gives_nothing_that_is_stale,
    abuse_j12_who_drops_what_it_asked_leaves_no_answer_to_others,
}

async fn the_laws_of_session_state_are_obeyed<E: Engine>() {
    let Some(engine) = E::start(Durability::Disk) else { return };
    conformance::check(Arc::new(engine.store())).await;
}

/// Every fault, in an order that no call repeats.
fn faults() -> Vec<Fault> {
    let short = Duration::from_millis(1);
    vec![
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
    ]
}

async fn behind_a_bad_network_the_laws_are_obeyed<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    let store = Arc::new(FaultyStore::new(engine.store(), faults()));
    conformance::check(store.clone()).await;
    conformance::check_event_log(store.clone()).await;
    conformance::check_task_store(store.clone()).await;
    conformance::check_bus(store).await;
}

async fn session_state_survives_the_program_and_a_crash_of_the_engine<E: Engine>() {
    let Some(engine) = E::start(Durability::Disk) else { return };
    let engine = std::sync::Mutex::new(engine);
    conformance::check_survival(async || {
        let mut engine = engine.lock().expect("no test panicked with it");
        engine.process().kill();
        engine.restart();
        engine.store()
    })
    .await;
}

/// A session of its own for each number.
pub(super) fn session(number: u8) -> SessionKey {
    SessionKey([number; 17])
}

pub(super) fn commit(operation: u8, expected: u64, value: &[u8]) -> Commit {
    Commit {
        operation: Operation([operation; 16]),
        owner: Owner([7; 16]),
        idle: LONG,
        writes: vec![Write { key: "a", expected, value: Blob::from_bytes(value.to_vec()) }],
    }
}

/// Asks until it answers.
pub(super) async fn until_back(store: &impl StateStore) {
    let begin = Instant::now();
    while store.touch(session(1), LONG).await.is_err() {
        assert!(begin.elapsed() < BACK, "a store that is back must be in use again within {BACK:?}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// An error and its causes.
pub(super) fn in_words(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// Whatever it is asked, it says within two seconds that it can't answer; gives why.
pub(super) async fn is_down(store: &impl StateStore) -> String {
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
    in_words(&load)
}

async fn an_engine_that_crashed_is_unavailable_and_in_use_again_when_it_is_back_with_all_that_it_acknowledged<
    E: Engine,
>() {
    let Some(mut engine) = E::start(Durability::Disk) else { return };
    let store = engine.store();
    for round in 0..3 {
        let written = store.commit(session(1), commit(round, u64::from(round), &[round])).await.expect("it runs");
        assert_eq!(written, Committed::Saved);
        engine.process().kill();
        let why = is_down(&store).await;
        assert!(why.contains("can't be reached"), "{why}");
        sleep(Duration::from_millis(300)).await;
        is_down(&store).await;
        engine.restart();
        until_back(&store).await;
        let repeated = store.commit(session(1), commit(round, u64::from(round), &[round])).await.expect("it runs");
        assert_eq!(repeated, Committed::Duplicate, "what was acknowledged is there, and its name is known");
    }
}

async fn an_engine_that_is_frozen_is_unavailable_and_what_it_was_told_meanwhile_happens_once<E: Engine>() {
    let Some(mut engine) = E::start(Durability::None) else { return };
    let store = engine.store();
    store.commit(session(1), commit(1, 0, b"one")).await.expect("it runs");
    for round in 1..3 {
        engine.process().freeze();
        is_down(&store).await;
        let unknown = store.commit(session(1), commit(round + 1, u64::from(round), b"next")).await;
        assert!(matches!(unknown, Err(StoreError::Unavailable(_))), "{unknown:?}");
        engine.process().thaw();
        until_back(&store).await;
        let resolved = store.commit(session(1), commit(round + 1, u64::from(round), b"next")).await.expect("it runs");
        assert!(matches!(resolved, Committed::Saved | Committed::Duplicate), "{resolved:?}");
        let loaded = store.load(session(1), &["a"], LONG).await.expect("it runs");
        assert!(matches!(loaded.parts.as_slice(), [Some((_, revision))] if *revision == u64::from(round) + 1));
    }
}

async fn an_engine_without_room_takes_nothing_new_and_gives_what_it_has<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    let store = engine.store();
    store.commit(session(1), commit(1, 0, b"one")).await.expect("it runs");
    engine.be_full(true);
    let refused = store.commit(session(1), commit(2, 1, b"two")).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    let loaded = store.load(session(1), &["a"], LONG).await.expect("reading needs no room");
    assert!(matches!(loaded.parts.as_slice(), [Some((value, 1))] if value.bytes() == b"one"));
    store.remove(session(1), LONG).await.expect("removing makes room");
    assert_eq!(store.touch(session(1), LONG).await.expect("it runs"), Presence::Gone);
    engine.be_full(false);
    assert_eq!(store.commit(session(2), commit(2, 0, b"two")).await.expect("there is room"), Committed::Saved);
}

async fn an_engine_that_takes_no_writes_says_so_and_gives_nothing_that_is_stale<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    let store = engine.store();
    store.commit(session(1), commit(1, 0, b"one")).await.expect("it runs");
    engine.be_read_only(true);
    let refused = store.commit(session(1), commit(2, 1, b"two")).await.expect_err("it takes no writes");
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert!(in_words(&refused).contains("read-only"), "{}", in_words(&refused));
    match StateStore::load(&store, session(1), &["a"], LONG).await {
        Ok(loaded) => assert!(matches!(loaded.parts.as_slice(), [Some((value, 1))] if value.bytes() == b"one")),
        Err(error) => assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}"),
    }
    engine.be_read_only(false);
    until_back(&store).await;
    let written = store.commit(session(1), commit(2, 1, b"two")).await.expect("it takes writes again");
    assert_eq!(written, Committed::Saved);
}

/// Many ask at once over few connections, and most don't wait for the answer: whoever is given a connection next reads the
/// answer to its own question. `FLEET_CANCELS` says how many ask (3,200 by default; 100,000 is the long form).
async fn abuse_j12_who_drops_what_it_asked_leaves_no_answer_to_others<E: Engine>() {
    const SESSIONS: u8 = 16;
    let Some(engine) = E::start(Durability::None) else { return };
    let asked = super::setting("FLEET_CANCELS", 3200);
    let network = Network::to(engine.port());
    let store = E::open(&engine.narrow_url_at(network.port()));
    for number in 0..SESSIONS {
        store.commit(session(number), commit(number, 0, &[number; 2000])).await.expect("it runs");
    }
    // As many at once as there can be connections, which are made by those who wait long enough.
    let mut all = tokio::task::JoinSet::new();
    for number in 0..8 {
        let store = store.clone();
        all.spawn(async move { store.load(session(number), &["a"], LONG).await.map(drop).expect("it runs") });
    }
    all.join_all().await;
    let connected = network.connections();
    // So that many an answer is half read when nobody wants it any more.
    network.cut_into_pieces(700);
    let mut asking = tokio::task::JoinSet::new();
    for asker in 0..8_u64 {
        let store = store.clone();
        asking.spawn(async move {
            let (mut read, mut dropped) = (0_u64, 0_u64);
            for round in 0..asked / 8 {
                let number = u8::try_from((asker * 5 + round * 3) % u64::from(SESSIONS)).expect("it is small");
                // Some are dropped before they are sent, some under way, some with the answer half read.
                let short = Duration::from_micros((round * 37 + asker * 101) % 10_000);
                let patience = if round % 4 == 3 { Duration::from_secs(1) } else { short };
                let own = |loaded: mcp_runtime::store::Loaded| {
                    let all = matches!(loaded.parts.as_slice(), [Some((value, _))] if value.bytes() == [number; 2000]);
                    assert!(all, "every caller gets the answer to what it asked");
                };
                let done = if round % 8 == 0 {
                    // A write of what is there; one in a race with another conflicts, one whose name is known is one.
                    let revision = 1 + round / 8 / 2;
                    let name = Operation(((u128::from(asker) << 64) + u128::from(round)).to_be_bytes());
                    let commit = Commit { operation: name, ..commit(0, revision, &[number; 2000]) };
                    tokio::time::timeout(patience, store.commit(session(number), commit)).await.map(|done| {
                        done.expect("it runs");
                    })
                } else {
                    let asked = store.load(session(number), &["a"], LONG);
                    tokio::time::timeout(patience, asked).await.map(|loaded| own(loaded.expect("it runs")))
                };
                match done {
                    Ok(()) => read += 1,
                    Err(_) => dropped += 1,
                }
            }
            (read, dropped)
        });
    }
    let (read, dropped) =
        asking.join_all().await.into_iter().fold((0, 0), |all, (read, dropped)| (all.0 + read, all.1 + dropped));
    assert!(read > asked / 50 && dropped > asked / 50, "some were answered ({read}), some were not ({dropped})");
    for number in 0..SESSIONS {
        let loaded = store.load(session(number), &["a"], LONG).await.expect("every connection is in use again");
        assert!(matches!(loaded.parts.as_slice(), [Some((value, _))] if value.bytes() == [number; 2000]));
    }
    let new = network.connections() - connected;
    assert!(new < 10, "who does not wait costs no connection: there were {new} new ones");
    println!("{}: {read} answered, {dropped} not waited for, 0 answers to others, {new} new connections", E::NAME);
}
