//! Several instances of one server over one PostgreSQL.

use std::time::Duration;

use serde_json::json;

use super::{
    engine::{Durability, Engine, PostgresServer},
    fleet::{Boards, ERAS, KEYS, instance, outage, refusal, sum},
};
use crate::support::{
    Request,
    client::{Client, Era},
};

#[test]
fn any_instance_over_postgresql_serves_any_session_and_one_that_ended_has_ended_everywhere() {
    let Some(engine) = PostgresServer::start(Durability::None) else { return };
    let instances = [instance(&engine), instance(&engine), instance(&engine)];
    for era in ERAS {
        let mut client = Client::new(instances[0].port, era);
        for turn in 0..9 {
            client = client.moved(instances[turn % 3].port);
            assert_eq!(sum(&client.call("memory_add", json!({ "number": 1 }))), format!("{}.0", turn + 1));
        }
        if era == Era::Modern {
            continue;
        }
        let ping = || client.headers(Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#));
        assert!(instances.iter().all(|instance| ping().send(instance.port).status == 200));
        assert_eq!(client.headers(Request::of("DELETE")).send(instances[1].port).status, 204);
        assert!(instances.iter().all(|instance| ping().send(instance.port).status == 404));
    }
}

#[test]
fn an_instance_over_postgresql_that_is_killed_takes_no_session_with_it() {
    let Some(engine) = PostgresServer::start(Durability::None) else { return };
    for era in ERAS {
        let (first, second) = (instance(&engine), instance(&engine));
        let client = Client::new(first.port, era);
        assert_eq!(sum(&client.call("memory_add", json!({ "number": 1 }))), "1.0");
        first.kill();
        assert_eq!(sum(&client.moved(second.port).call("memory_add", json!({ "number": 1 }))), "2.0");
    }
}

#[test]
fn a_postgresql_that_crashes_is_503_and_all_that_was_acknowledged_is_there_afterwards() {
    let Some(mut engine) = PostgresServer::start(Durability::Disk) else { return };
    outage(&mut engine, |engine| engine.process().kill(), Engine::restart);
}

#[test]
fn a_postgresql_that_freezes_is_503_within_two_seconds() {
    let Some(mut engine) = PostgresServer::start(Durability::None) else { return };
    outage(&mut engine, |engine| engine.process().freeze(), |engine| engine.process().thaw());
}

#[test]
fn what_is_announced_at_one_instance_is_told_to_the_listeners_of_all_over_postgresql() {
    let Some(engine) = PostgresServer::start(Durability::None) else { return };
    let mut boards = Boards::over(&engine.url());
    for topic in ["rust", "postgres", "streams"] {
        boards.say(topic);
        let took = boards.hear(topic);
        assert!(took < Duration::from_secs(3), "{took:?}");
    }
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
