//! Sessions that the program ends, on every instance over one store.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mcp_runtime::{
    Revocations, Running, Server, Sessions, SigningKeys,
    auth::{DevelopmentTokens, Principal},
    session::RevocationScope,
    store::{FileStore, MemoryStore, StateStore},
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::engine::{Durability, Engine, over_each_engine};
use crate::{
    changes::start,
    fixture::Fixture,
    support::{
        Request,
        client::{Client, Era},
    },
};

const LEGACY: Era = Era::Legacy("2025-11-25");

over_each_engine! {
    sessions_that_the_program_ends_are_over_at_every_instance,
    abuse_e19_another_instance_takes_a_session_no_longer_than_the_lag,
}

/// One of several instances over this store.
struct Instance {
    port: u16,
    revocations: Revocations,
    running: Running,
    runtime: Runtime,
}

impl Instance {
    fn over(store: impl StateStore, sessions: impl FnOnce(Sessions) -> Sessions) -> Self {
        let keys = SigningKeys::new("k1", b"a fixed key of the tests, 32 bytes!").unwrap();
        let tokens = DevelopmentTokens::new().with("a", "ada").with("b", "bob");
        let server = Server::new(Fixture::default()).store(store).authorize(tokens);
        let server = server.sessions(sessions(Sessions::jwt(keys).cookies()));
        let revocations = server.revocations();
        let (port, running, runtime) = start(server);
        Self { port, revocations, running, runtime }
    }

    fn revoke(&self, session: &str) {
        self.runtime.block_on(self.revocations.revoke(session)).unwrap();
    }

    fn revoke_all<'a>(&self, scope: impl Into<RevocationScope<'a>>) {
        self.runtime.block_on(self.revocations.revoke_all(scope)).unwrap();
    }
}

fn ada() -> Principal {
    Principal::new("development", "ada", "")
}

/// What `who` says of the session of its caller: its public name.
fn public_id(client: &Client) -> String {
    let answer = client.call("who", json!({}));
    let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
    text.split(' ').nth(2).expect("it names the session").to_owned()
}

fn ping(client: &Client, port: u16) -> (u16, Vec<u8>) {
    let answer = client.headers(Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)).send(port);
    (answer.status, answer.body)
}

/// A client of 2026-07-28 with a handle of its own.
fn with_handle(port: u16, bearer: &str) -> Client {
    let client = Client::new_as(port, Era::Modern, Some(bearer));
    client.handle();
    client
}

fn is_error(answer: &Value) -> bool {
    answer["result"]["isError"].as_bool().unwrap_or_else(|| answer["result"].is_null())
}

/// What is ended is over at both instances, and is what any dead id is.
fn ends_everywhere(one: &Instance, other: &Instance) {
    let (hers, stays) = (Client::new_as(one.port, LEGACY, Some("a")), Client::new_as(one.port, LEGACY, Some("a")));
    let his = Client::new_as(one.port, LEGACY, Some("b"));
    assert_eq!(hers.call("count", json!({ "by": 1 }))["result"]["isError"], Value::Null);
    let unknown = Client::new_as(one.port, LEGACY, Some("a"));
    let dead = unknown.headers(Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#));
    let dead = dead.header("Mcp-Session-Id", "no-session").send(other.port);

    other.revoke(&public_id(&hers));
    for port in [one.port, other.port] {
        assert_eq!(ping(&hers, port), (404, dead.body.clone()));
        assert_eq!(ping(&stays, port).0, 200, "ending one session ends no other");
    }
    let handle = with_handle(one.port, "a");
    let name = public_id(&handle);
    one.revoke(&name);
    let forged = with_handle(one.port, "a");
    let forged = forged.call("who", json!({ "session": "A".repeat(38) }));
    assert_eq!(handle.call("who", json!({})), forged, "an ended handle is what a forged one is");

    let (handle, of_bob) = (with_handle(one.port, "a"), with_handle(one.port, "b"));
    other.revoke_all(&ada());
    for client in [&stays, &unknown] {
        assert_eq!(ping(client, other.port), (404, dead.body.clone()));
    }
    let handle = handle.moved(other.port);
    assert!(is_error(&handle.call("who", json!({}))));
    assert!(!is_error(&of_bob.call("who", json!({}))));
    assert_eq!(ping(&his, other.port).0, 200);
    let again = Client::new_as(other.port, LEGACY, Some("a"));
    assert_eq!(ping(&again, other.port).0, 200, "who may still come in begins anew, in the same second");
    assert!(!is_error(&with_handle(other.port, "a").call("who", json!({}))));

    let cookies = ["a", "b"].map(|bearer| Client::new_as(one.port, Era::Modern, Some(bearer)));
    let made = cookies.each_ref().map(|client| {
        let made = client.request("session/create", json!({}));
        made["result"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    });
    let taken = |client: &Client, id: &str| {
        let request = client.call_request_with_meta(json!(1), "who", json!({}), json!({ "mcp/session": { "id": id } }));
        let answer = request.send(other.port).json();
        answer["result"]["content"][0]["text"].as_str().is_some_and(|text| text.contains(id))
    };
    assert!(taken(&cookies[0], &made[0]) && taken(&cookies[1], &made[1]));
    other.revoke_all(&ada());
    assert!(!taken(&cookies[0], &made[0]) && taken(&cookies[1], &made[1]));
    let listed = cookies[0].request("session/list", json!({}));
    assert_eq!(listed["result"]["sessions"], json!([]), "{listed}");
    one.revoke(&made[1]);
    assert!(!taken(&cookies[1], &made[1]), "what `cx.session_id()` gives can be ended");

    other.revoke_all(RevocationScope::Issuer("development"));
    assert_eq!((ping(&again, other.port).0, ping(&his, other.port).0), (404, 404));
}

#[test]
fn sessions_that_the_program_ends_are_over_with_the_stores_of_one_process() {
    let memory = Arc::new(MemoryStore::new());
    ends_everywhere(&Instance::over(memory.clone(), |it| it), &Instance::over(memory, |it| it));
    let folder = tempfile::tempdir().unwrap();
    let file = Arc::new(FileStore::open(folder.path().join("sessions.redb")).unwrap());
    ends_everywhere(&Instance::over(file.clone(), |it| it), &Instance::over(file, |it| it));
}

fn sessions_that_the_program_ends_are_over_at_every_instance<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    ends_everywhere(&Instance::over(engine.store(), |it| it), &Instance::over(engine.store(), |it| it));
}

async fn log_out_everywhere(server: Server, principal: Principal) -> mcp_runtime::Result<Running> {
    // ANCHOR: revocations
    let revocations = server.revocations();
    let running = server.start().await?;
    // Whenever the program learns that somebody logged out:
    revocations.revoke_all(&principal).await?;
    // ANCHOR_END: revocations
    Ok(running)
}

#[tokio::test]
async fn a_handle_that_is_taken_from_a_mounted_server_ends_the_sessions_of_the_one_that_runs() {
    let mounted = Server::new(Fixture::default());
    let revocations = mounted.revocations();
    let unstarted = revocations.revoke_all(&ada()).await.unwrap_err();
    assert!(unstarted.to_string().contains("start it first"), "{unstarted}");
    let tokens = DevelopmentTokens::new().with("a", "ada");
    let server = Server::named("outer", "1").mount("in", mounted).authorize(tokens).port(0);
    let running = log_out_everywhere(server, ada()).await.unwrap();
    let port = running.address().port();
    let hers = tokio::task::spawn_blocking(move || Client::new_as(port, LEGACY, Some("a"))).await.unwrap();
    revocations.revoke_all(&ada()).await.unwrap();
    assert_eq!(tokio::task::spawn_blocking(move || ping(&hers, port).0).await.unwrap(), 404);
}

#[test]
fn sessions_of_somebody_end_with_the_server_that_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.redb");
    let hers = {
        let first = Instance::over(FileStore::open(&path).unwrap(), |it| it);
        let hers = Client::new_as(first.port, LEGACY, Some("a"));
        first.revoke_all(&ada());
        let Instance { running, runtime, revocations, .. } = first;
        runtime.block_on(running.stop());
        drop(runtime);
        let late = Runtime::new().unwrap().block_on(revocations.revoke_all(&ada())).unwrap_err();
        assert!(late.to_string().contains("does not run"), "{late}");
        hers
    };
    let second = Instance::over(FileStore::open(&path).unwrap(), |it| it);
    assert_eq!(ping(&hers, second.port).0, 404);
}

// P16: what one instance was told, the others obey within the lag that is promised.
fn abuse_e19_another_instance_takes_a_session_no_longer_than_the_lag<E: Engine>() {
    let Some(engine) = E::start(Durability::None) else { return };
    for (lag, most) in [(Duration::ZERO, Duration::from_millis(100)), (Duration::from_secs(1), Duration::from_secs(1))]
    {
        let sessions = |it: Sessions| it.revocation_lag(lag);
        let one = Instance::over(engine.store(), sessions);
        let other = Instance::over(engine.store(), sessions);
        for _ in 0..3 {
            let hers = Client::new_as(other.port, LEGACY, Some("a"));
            assert_eq!(ping(&hers, other.port).0, 200);
            one.revoke_all(&ada());
            let told = Instant::now();
            let mut accepted = Duration::ZERO;
            while told.elapsed() < most + Duration::from_millis(300) {
                let began = told.elapsed();
                if ping(&hers, other.port).0 == 200 {
                    accepted = began;
                }
            }
            assert!(accepted <= most, "taken {accepted:?} after it was ended, with a lag of {lag:?}");
            assert_eq!(ping(&hers, one.port).0, 404);
        }
    }
}
