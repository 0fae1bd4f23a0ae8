//! PostgreSQL.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mcp_runtime::store::{
    Blob, Commit, Committed, Operation, Owner, PostgresStore, Presence, SessionKey, StateStore, StoreError, Write,
    conformance::{self, Fault, FaultyStore},
};
use tokio::time::sleep;

use super::engine::{Durability, Engine, PostgresServer};

/// By then, an engine that is down must have been found down.
const DOWN: Duration = Duration::from_secs(2);
/// By then, an engine that is back must be in use again.
const BACK: Duration = Duration::from_secs(3);

const LONG: Duration = Duration::from_secs(300);

fn open(server: &PostgresServer) -> PostgresStore {
    PostgresStore::open(&server.url()).expect("a store")
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_obeys_the_laws_of_session_state() {
    let Some(server) = PostgresServer::start(Durability::Disk) else { return };
    conformance::check(Arc::new(open(&server))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_behind_a_bad_network_obeys_the_laws_of_session_state() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
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
async fn postgresql_that_is_told_to_isolate_transactions_obeys_the_laws_of_session_state() {
    let settings = ["default_transaction_isolation=serializable"];
    let Some(server) = PostgresServer::with(Durability::None, &settings) else { return };
    conformance::check(Arc::new(open(&server))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn session_state_in_postgresql_survives_the_program_and_a_crash_of_postgresql() {
    let Some(server) = PostgresServer::start(Durability::Disk) else { return };
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

/// Asks until it answers.
async fn until_back(store: &PostgresStore) {
    let begin = Instant::now();
    while store.touch(session(1), LONG).await.is_err() {
        assert!(begin.elapsed() < BACK, "a store that is back must be in use again within {BACK:?}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// An error and its causes.
fn in_words(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

async fn is_down(store: &PostgresStore) -> String {
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

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_that_crashed_is_unavailable_and_in_use_again_when_it_is_back_with_all_that_it_acknowledged() {
    let Some(mut server) = PostgresServer::start(Durability::Disk) else { return };
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
async fn a_postgresql_that_is_frozen_is_unavailable_and_what_it_was_told_meanwhile_happens_once() {
    let Some(mut server) = PostgresServer::start(Durability::None) else { return };
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
async fn a_connection_that_the_server_ends_costs_no_call() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    let store = open(&server);
    for round in 0..5 {
        let written = store.commit(session(1), commit(round, u64::from(round), b"x")).await.expect("it runs");
        assert_eq!(written, Committed::Saved);
        let ended = server.ask(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'mcp-runtime'",
        );
        assert_ne!(ended.as_deref(), Ok("0"), "there is a connection to end");
    }
    let loaded = store.load(session(1), &["a"], LONG).await.expect("it runs");
    assert!(matches!(loaded.parts.as_slice(), [Some((_, 5))]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_drops_what_it_asked_leaves_no_answer_to_others() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    let store = PostgresStore::open(&format!("{}?connections=3", server.url())).expect("a store");
    for number in 0..16 {
        store.commit(session(number), commit(number, 0, &[number; 2000])).await.expect("it runs");
    }
    let mut asking = tokio::task::JoinSet::new();
    for reader in 0..8_u64 {
        let store = store.clone();
        asking.spawn(async move {
            let mut read = 0;
            for round in 0..400_u64 {
                let number = ((reader * 5 + round * 3) % 16) as u8;
                // Some are dropped before they are sent, some under way, some with the answer half read.
                let patience = Duration::from_micros((round * 37 + reader * 101) % 3000);
                let asked = store.load(session(number), &["a"], LONG);
                if let Ok(loaded) = tokio::time::timeout(patience, asked).await {
                    let parts = loaded.expect("it runs").parts;
                    let own = matches!(parts.as_slice(), [Some((value, 1))] if value.bytes() == [number; 2000]);
                    assert!(own, "every caller gets the answer to what it asked");
                    read += 1;
                }
            }
            read
        });
    }
    let read: u32 = asking.join_all().await.into_iter().sum();
    assert!((100..3100).contains(&read), "some were dropped and some answered: {read} of 3200");
    store.load(session(1), &["a"], LONG).await.expect("every connection is back or was replaced");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_whose_disk_is_full_takes_nothing_new_and_gives_what_it_has() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    let store = open(&server);
    store.commit(session(1), commit(1, 0, b"one")).await.expect("it runs");
    // The error of a full disk, raised where one would raise it: a disk that is full takes root to make.
    let full = "CREATE FUNCTION mcp.full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$; \
                CREATE TRIGGER full_disk BEFORE INSERT ON mcp.parts EXECUTE FUNCTION mcp.full_disk()";
    server.ask(full).expect("it runs");
    let refused = store.commit(session(1), commit(2, 1, b"two")).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    let loaded = store.load(session(1), &["a"], LONG).await.expect("reading needs no room");
    assert!(matches!(loaded.parts.as_slice(), [Some((value, 1))] if value.bytes() == b"one"));
    server.ask("DROP TRIGGER full_disk ON mcp.parts").expect("it runs");
    assert_eq!(store.commit(session(1), commit(2, 1, b"two")).await.expect("there is room"), Committed::Saved);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_that_became_a_standby_gives_nothing_that_may_be_stale() {
    let Some(mut server) = PostgresServer::start(Durability::Disk) else { return };
    let store = open(&server);
    store.commit(session(1), commit(1, 0, b"one")).await.expect("it runs");
    server.be_standby(true);
    server.restart();
    let why = is_down(&store).await;
    assert!(why.contains("read-only standby"), "{why}");
    server.be_standby(false);
    server.restart();
    until_back(&store).await;
    assert_eq!(store.touch(session(1), LONG).await.expect("it is the primary again"), Presence::Live);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_programs_that_start_at_once_make_one_schema_of_the_name_that_they_are_told() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    let url = format!("{}?schema=shop_mcp&connections=2", server.url());
    let mut starting = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let store = PostgresStore::open(&url).expect("a store");
        starting.spawn(async move { store.identity().await.expect("it starts") });
    }
    let identities = starting.join_all().await;
    assert!(identities.windows(2).all(|pair| pair[0] == pair[1]), "they use one store: {identities:?}");
    let others = "SELECT count(*) FROM pg_class WHERE relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN \
                  ('shop_mcp', 'pg_catalog', 'information_schema', 'pg_toast'))";
    assert_eq!(server.ask(others).as_deref(), Ok("0"), "nothing is outside the schema");
    let other = open(&server).identity().await.expect("it runs");
    assert_ne!(other, identities[0], "another schema is another store");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_not_make_the_schema_can_use_one_that_is_there() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    server.ask("CREATE ROLE guest LOGIN PASSWORD 'guest-password'").expect("it runs");
    let (_, place) =
        server.url().split_once('@').map(|(user, place)| (user.to_owned(), place.to_owned())).expect("one");
    let guest = PostgresStore::open(&format!("postgres://guest:guest-password@{place}")).expect("a store");
    let why = in_words(&guest.identity().await.expect_err("it may not"));
    assert!(why.contains("GRANT CREATE ON DATABASE") && !why.contains("guest-password"), "{why}");
    server.ask("CREATE SCHEMA mcp AUTHORIZATION guest").expect("it runs");
    let written = guest.commit(session(1), commit(1, 0, b"one")).await.expect("the same store tries again");
    assert_eq!(written, Committed::Saved);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_a_newer_program_is_left_alone() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    open(&server).identity().await.expect("it runs");
    server.ask("INSERT INTO mcp.migrations (number) VALUES (99)").expect("it runs");
    let why = in_words(&open(&server).identity().await.expect_err("it is newer"));
    assert!(why.contains("newer version of this program") && why.contains("?schema="), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_leaves_no_row_of_what_expired() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    let store = open(&server);
    let short = Duration::from_millis(1);
    for number in 0..20 {
        let commit = Commit { idle: short, ..commit(number, 0, b"x") };
        store.commit(session(number), commit).await.expect("it runs");
    }
    store.remove(session(30), short).await.expect("it runs");
    store.commit(session(31), commit(31, 0, b"x")).await.expect("it runs");
    sleep(Duration::from_millis(50)).await;
    let one = open(&server);
    let (some, others) = tokio::join!(StateStore::sweep(&store), StateStore::sweep(&one));
    assert_eq!(some.expect("it runs") + others.expect("it runs"), 21, "each is swept once, also by two at once");
    let left = "SELECT (SELECT count(*) FROM mcp.sessions), (SELECT count(*) FROM mcp.parts)";
    assert_eq!(server.ask(left).as_deref(), Ok("1|1"));
}

#[test]
fn an_url_that_is_none_is_refused_and_no_password_is_shown() {
    for (url, part) in [
        ("postgres://user:secret@ho st:port", "postgres://host[:port][/database]"),
        ("postgres://user:secret@host?sslmode=require", "over TLS"),
        ("postgres://user:secret@host?schema={x}", "is no schema"),
        ("postgres://user:secret@host?schema=pg_mcp", "is no schema"),
        ("postgres://user:secret@host?connections=0", "from 1 to 1000"),
        ("postgres://user:secret@host?timeout=1", "no URL of PostgreSQL"),
    ] {
        let error = format!("{:?}", PostgresStore::open(url).expect_err(url));
        assert!(error.contains(part), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
    let store = PostgresStore::open("postgresql://user:secret@one,two:5433/shop?connect_timeout=1").expect("a store");
    assert_eq!(format!("{store:?}"), "PostgresStore { at: \"one:5432,two:5433/shop\", .. }");
}
