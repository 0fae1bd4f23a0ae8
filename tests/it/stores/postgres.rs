//! What PostgreSQL alone can do and suffer.

use std::{sync::Arc, time::Duration};

use mcp_runtime::store::{
    Bus, BusLimits, Commit, Committed, EventLimits, EventLog, InstanceId, Owner, PostgresStore, Presence, SessionKey,
    StateStore, StreamId, TaskId, TaskStore, Topic, conformance,
};
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::{
    engine::{Durability, Engine, PostgresServer},
    fleet::{ERAS, KEYS, instance, refusal, sum},
    state::{LONG, commit, in_words, is_down, session, until_back},
};
use crate::support::client::Client;

const SESSION: SessionKey = SessionKey([1; 17]);

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_that_is_told_to_isolate_transactions_obeys_the_laws_of_session_state() {
    let settings = ["default_transaction_isolation=serializable"];
    let Some(server) = PostgresServer::with(Durability::None, &settings) else { return };
    conformance::check(Arc::new(server.store())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_server_ends_costs_no_call() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    let store = server.store();
    for round in 0..5 {
        let written = store.commit(session(1), commit(round, u64::from(round), b"x")).await.expect("it runs");
        assert_eq!(written, Committed::Saved);
        let ended = server.ask(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'mcp-runtime'",
        );
        assert_ne!(ended.as_deref(), Ok("0"), "there is a connection to end");
    }
    let loaded = StateStore::load(&store, session(1), &["a"], LONG).await.expect("it runs");
    assert!(matches!(loaded.parts.as_slice(), [Some((_, 5))]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_that_became_a_standby_gives_nothing_that_may_be_stale() {
    let Some(mut server) = PostgresServer::start(Durability::Disk) else { return };
    let store = server.store();
    store.commit(session(1), commit(1, 0, b"one")).await.expect("it runs");
    server.be_standby(true);
    server.restart();
    let why = is_down(&store).await;
    assert!(why.contains("read-only standby"), "{why}");
    server.be_standby(false);
    server.restart();
    until_back(&store).await;
    assert_eq!(StateStore::touch(&store, session(1), LONG).await.expect("it is the primary again"), Presence::Live);
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
    let other = server.store().identity().await.expect("it runs");
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
    server.store().identity().await.expect("it runs");
    server.ask("INSERT INTO mcp.migrations (number) VALUES (99)").expect("it runs");
    let why = in_words(&server.store().identity().await.expect_err("it is newer"));
    assert!(why.contains("newer version of this program") && why.contains("?schema="), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_leaves_no_row_of_what_expired() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    let store = server.store();
    let short = Duration::from_millis(1);
    for number in 0..20 {
        let commit = Commit { idle: short, ..commit(number, 0, b"x") };
        store.commit(session(number), commit).await.expect("it runs");
    }
    StateStore::remove(&store, session(30), short).await.expect("it runs");
    store.commit(session(31), commit(31, 0, b"x")).await.expect("it runs");
    sleep(Duration::from_millis(50)).await;
    let one = server.store();
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

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_the_bus_goes_on_where_it_was_after_its_topic_was_forgotten() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    let limits = BusLimits { lifetime: Duration::from_millis(100), ..BusLimits::default() };
    let store = server.store().with_bus_limits(limits);
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
    let (one, other) = (server.store(), server.store());
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

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_leaves_no_row_of_streams_and_tasks_that_expired() {
    let Some(server) = PostgresServer::start(Durability::None) else { return };
    let lifetime = Duration::from_millis(1);
    let store = server.store().with_event_limits(EventLimits { lifetime, ..EventLimits::default() });
    for number in 0..5 {
        let lasting = server.store();
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

#[test]
fn a_start_over_postgresql_that_can_not_be_is_explained_to_the_operator() {
    let nobody = refusal("postgres://user:secret@127.0.0.1:1/shop", &KEYS);
    assert!(
        nobody.contains("PostgreSQL at 127.0.0.1:1/shop can't be reached") && !nobody.contains("secret"),
        "{nobody}"
    );
    let secure = refusal("postgresql://user:secret@127.0.0.1:1?sslmode=verify-full", &KEYS);
    assert!(secure.contains("over TLS") && !secure.contains("secret"), "{secure}");
    let Some(engine) = PostgresServer::start(Durability::None) else { return };
    let random = refusal(&engine.url(), &[]);
    assert!(random.contains("MCP_SESSION_KEYS=\"k1:$(openssl rand -base64 32)\""), "{random}");
    let stranger = refusal(&engine.url().replace(":canary", ":wrong"), &KEYS);
    assert!(stranger.contains("does not let in this user") && !stranger.contains("wrong"), "{stranger}");
    let missing = refusal(&engine.url().replace("/postgres", "/nowhere"), &KEYS);
    assert!(missing.contains("has no such database") && !missing.contains("canary"), "{missing}");
}

#[test]
fn a_call_that_reads_and_writes_its_session_is_two_statements_of_postgresql_in_both_eras() {
    let Some(engine) = PostgresServer::talkative() else { return };
    let instance = instance(&engine.url());
    // What instances ask of each other, and what expired, is looked at now and then, whatever is called.
    let of_calls = |run: &dyn Fn()| {
        let all = engine.statements_during(run);
        all.into_iter().filter(|one| !one.contains("topics") && !one.contains("_sweep(")).collect::<Vec<_>>()
    };
    for era in ERAS {
        let client = Client::new(instance.port, era);
        client.call("memory_add", json!({ "number": 1 }));
        let statements = of_calls(&|| {
            assert_eq!(sum(&client.call("memory_add", json!({ "number": 1 }))), "2.0");
        });
        assert_eq!(statements.len(), 2, "one to read, one to write: {statements:#?}");
        assert!(statements.iter().all(|one| one.contains("execute")), "{statements:#?}");
        let statements = of_calls(&|| {
            assert_eq!(sum(&client.call("memory_recall", json!({}))), "2.0");
        });
        assert_eq!(statements.len(), 1, "one to read: {statements:#?}");
    }
}
