//! What Redis alone can do and suffer.

use mcp_runtime::store::{Bus, Presence, RedisStore, StateStore, Topic};
use serde_json::json;

use super::{
    engine::{Durability, Engine, RedisServer},
    fleet::{ERAS, KEYS, instance, refusal, sum},
    state::{LONG, commit, is_down, session},
};
use crate::support::client::Client;

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_became_a_replica_gives_nothing_that_may_be_stale() {
    let Some(server) = RedisServer::start(Durability::None) else { return };
    let store = server.store();
    store.commit(session(1), commit(1, 0, b"one")).await.expect("it runs");
    server.be_read_only(true);
    let why = is_down(&store).await;
    assert!(why.contains("read-only replica"), "{why}");
    server.be_read_only(false);
    assert_eq!(StateStore::touch(&store, session(1), LONG).await.expect("it is the primary again"), Presence::Live);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_forgot_its_scripts_is_told_them_again() {
    let Some(server) = RedisServer::start(Durability::None) else { return };
    let store = server.store();
    store.commit(session(1), commit(1, 0, b"one")).await.expect("it runs");
    server.ask("SCRIPT FLUSH").expect("it runs");
    assert_eq!(store.touch(session(1), LONG).await.expect("it runs"), Presence::Live);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_would_evict_is_refused_with_the_fix() {
    let settings = ["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"];
    let Some(server) = RedisServer::with(Durability::None, &settings) else { return };
    let error = server.store().identity().await.expect_err("it would lose sessions");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_the_bus_goes_on_where_it_was_after_redis_forgot_everything() {
    let Some(server) = RedisServer::start(Durability::None) else { return };
    let store = server.store();
    store.publish(Topic::Everyone, "old".into()).await.expect("it runs");
    let after = store.position(Topic::Everyone).await.expect("it runs");
    server.run(&["FLUSHALL"]);
    assert!(Bus::read_after(&store, Topic::Everyone, after, 9).await.expect("it runs").messages.is_empty());
    store.publish(Topic::Everyone, "new".into()).await.expect("it runs");
    let heard = Bus::read_after(&store, Topic::Everyone, after, 9).await.expect("it runs");
    assert!(matches!(&*heard.messages, [(number, message)] if *number > after && **message == *b"new"), "{heard:?}");
}

#[test]
fn a_start_over_redis_that_can_not_be_is_explained_to_the_operator() {
    let nobody = refusal("redis://:secret@127.0.0.1:1", &KEYS);
    assert!(nobody.contains("Redis at 127.0.0.1:1/0 can't be reached") && !nobody.contains("secret"), "{nobody}");
    let secure = refusal("rediss://127.0.0.1:1", &KEYS);
    assert!(secure.contains("over TLS"), "{secure}");
    let Some(engine) = RedisServer::start(Durability::None) else { return };
    let random = refusal(&engine.url(), &[]);
    assert!(random.contains("MCP_SESSION_KEYS=\"k1:$(openssl rand -base64 32)\""), "{random}");
    engine.run(&["CONFIG", "SET", "maxmemory-policy", "volatile-ttl"]);
    engine.run(&["CONFIG", "SET", "maxmemory", "100mb"]);
    let evicting = refusal(&engine.url(), &KEYS);
    assert!(evicting.contains("volatile-ttl") && evicting.contains("Set it to noeviction"), "{evicting}");
    engine.run(&["CONFIG", "SET", "requirepass", "secret"]);
    let stranger = refusal(&engine.url().replace("//", "//:wrong-secret@"), &KEYS);
    assert!(stranger.contains("does not know this user or password") && !stranger.contains("wrong"), "{stranger}");
}

#[test]
fn a_call_that_reads_and_writes_its_session_is_two_commands_of_redis_in_both_eras() {
    let Some(engine) = RedisServer::start(Durability::None) else { return };
    let instance = instance(&engine.url());
    for era in ERAS {
        let client = Client::new(instance.port, era);
        client.call("memory_add", json!({ "number": 1 }));
        let commands = engine.commands_during(|| {
            assert_eq!(sum(&client.call("memory_add", json!({ "number": 1 }))), "2.0");
        });
        assert_eq!(commands.len(), 2, "one to read, one to write: {commands:#?}");
        let commands = engine.commands_during(|| {
            assert_eq!(sum(&client.call("memory_recall", json!({}))), "2.0");
        });
        assert_eq!(commands.len(), 1, "one to read: {commands:#?}");
    }
}
