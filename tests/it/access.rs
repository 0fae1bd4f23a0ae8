//! Who is told what: completions of what is hidden, methods of what is not offered, credentials that expire.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use mcp_runtime::{
    Item, Server, ToolError,
    auth::{AuthError, Authenticator, DevelopmentTokens, Principal},
    call::ResourceResult,
    middleware::RateLimit,
    prelude::*,
    protocol::Resource,
    provider::{Page, ResourceProvider},
    service::BoxFuture,
};
use serde_json::{Value, json};

use crate::support::{
    Request,
    client::{Client, Era, MODERN},
    http::EventReader,
};

const ERAS: [Era; 2] = [Era::Legacy("2025-11-25"), Era::Modern];

/// Completes.
#[mcp_server(name = "desk")]
mod desk {
    /// Ask about a patient.
    #[prompt]
    pub fn ask_about(patient: String) -> String {
        patient
    }

    /// Patients by name.
    #[complete(prompt = "ask_about", argument = "patient")]
    pub fn patients(value: String) -> Vec<String> {
        vec![format!("{value} Miller")]
    }

    /// The file of a patient.
    #[resource("file://{patient}")]
    pub fn file(patient: String) -> String {
        patient
    }

    /// Files by name.
    #[complete(resource = "file://{patient}", argument = "patient")]
    pub fn files(value: String) -> Vec<String> {
        vec![format!("{value} Smith")]
    }
}

/// Tools and nothing else.
#[mcp_server(name = "plain")]
mod plain {
    /// Add.
    #[tool]
    pub fn add(a: i64, b: i64) -> i64 {
        a + b
    }
}

struct Served {
    port: u16,
    _running: mcp_runtime::Running,
    runtime: tokio::runtime::Runtime,
}

fn served(server: Server) -> Served {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let running = runtime.block_on(server.port(0).start()).unwrap();
    Served { port: running.address().port(), _running: running, runtime }
}

// Proves: PC-04.
#[test]
fn what_is_hidden_is_completed_like_what_is_not_there_and_completions_count_as_calls() {
    let hides = |principal: Option<&Principal>, _: Item<'_>| principal.is_some_and(|one| &*one.subject == "doctor");
    let tokens = DevelopmentTokens::new().with("d", "doctor").with("v", "visitor");
    let server = desk::server().authorize(tokens).visible(hides).wrap(RateLimit::per(Duration::from_secs(3600), 12));
    let served = served(server);
    for era in ERAS {
        let doctor = Client::new_as(served.port, era, Some("d"));
        let visitor = Client::new_as(served.port, era, Some("v"));
        let complete = |client: &Client, reference: Value| {
            let argument = json!({ "name": "patient", "value": "Ann" });
            client.request("completion/complete", json!({ "ref": reference, "argument": argument }))
        };
        let prompt = |name: &str| json!({ "type": "ref/prompt", "name": name });
        let resource = |uri: &str| json!({ "type": "ref/resource", "uri": uri });
        let known = |answer: &Value| answer["result"]["completion"]["values"].clone();
        assert_eq!(known(&complete(&doctor, prompt("ask_about"))), json!(["Ann Miller"]));
        assert_eq!(known(&complete(&doctor, resource("file://{patient}"))), json!(["Ann Smith"]));
        let (hidden, missing) = (complete(&visitor, prompt("ask_about")), complete(&visitor, prompt("zzz")));
        assert_eq!(hidden["error"]["code"], -32602, "{hidden}");
        assert_eq!(hidden.to_string(), missing.to_string().replace("zzz", "ask_about"));
        let (hidden, missing) = (complete(&visitor, resource("file://{patient}")), complete(&visitor, resource("zzz")));
        assert_eq!(hidden.to_string(), missing.to_string().replace("zzz", "file://{patient}"));
    }
    let doctor = Client::new_as(served.port, Era::Modern, Some("d"));
    let reference = json!({ "type": "ref/prompt", "name": "ask_about" });
    let params = json!({ "ref": reference, "argument": { "name": "patient", "value": "" } });
    let refused = (0..20).map(|_| doctor.request("completion/complete", params.clone()));
    assert!(refused.into_iter().any(|answer| answer["error"].is_object()));
}

// Proves: C-04.
#[test]
fn a_method_of_what_is_not_offered_does_not_exist_whatever_its_parameters_are() {
    let served = served(plain::server());
    for era in ERAS {
        let client = Client::new(served.port, era);
        for (method, params) in [
            ("completion/complete", json!({ "ref": 7 })),
            ("completion/complete", json!({})),
            ("prompts/get", json!({ "name": "x", "arguments": 7 })),
            ("prompts/list", json!({ "cursor": 7 })),
            ("resources/templates/list", json!({ "cursor": 7 })),
            ("resources/read", json!({ "uri": "x://1" })),
            ("resources/subscribe", json!({ "uri": 7 })),
            ("tasks/get", json!({ "taskId": 7 })),
        ] {
            let answer = client.request(method, params);
            assert_eq!(answer["error"], json!({ "code": -32601, "message": "Method not found" }), "{method}");
        }
    }
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {} });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "completion/complete", "params": { "_meta": meta } });
    let request = Request::post(body.to_string()).header("MCP-Protocol-Version", MODERN);
    assert_eq!(request.header("Mcp-Method", "completion/complete").send(served.port).status, 404);
}

// Proves: SB-11.
#[test]
fn who_listens_to_what_is_not_offered_is_told_so_and_stays_or_finds_no_such_method() {
    let listen = |port: u16| listening(port, None, json!({ "promptsListChanged": true, "toolsListChanged": true }));
    // News of resources are offered, of these lists none.
    let served = served(desk::server());
    let mut stream = listen(served.port).expect("a stream");
    let acknowledged: Value = serde_json::from_str(&stream.next().unwrap()).unwrap();
    assert_eq!(acknowledged["params"]["notifications"], json!({}), "{acknowledged}");
    let (sender, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(stream.next()));
    assert!(ended.recv_timeout(Duration::from_millis(300)).is_err(), "the stream goes on");
    let plain = self::served(plain::server());
    assert_eq!(listen(plain.port).err(), Some(404));
}

/// Opens a subscription; `Err` is the status of a refusal.
fn listening(port: u16, bearer: Option<&str>, filter: Value) -> Result<EventReader, u16> {
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {} });
    let params = json!({ "notifications": filter, "_meta": meta });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params });
    let mut request = Request::post(body.to_string()).header("MCP-Protocol-Version", MODERN);
    request = request.header("Mcp-Method", "subscriptions/listen");
    if let Some(bearer) = bearer {
        request = request.header("Authorization", format!("Bearer {bearer}"));
    }
    let (response, stream) = request.open(port);
    stream.ok_or(response.status)
}

/// Tokens that are good for as many milliseconds from the start as they say.
struct Expiring(SystemTime);

impl Authenticator for Expiring {
    fn authenticate<'a>(
        &'a self,
        authorization: Option<&'a str>,
    ) -> Pin<Box<dyn Future<Output = Result<Principal, AuthError>> + Send + 'a>> {
        let milliseconds = authorization.and_then(|text| text.strip_prefix("Bearer ")?.parse().ok());
        let principal = milliseconds.map(|milliseconds| {
            Principal::new("issuer", "ann", "").until(self.0 + Duration::from_millis(milliseconds))
        });
        Box::pin(std::future::ready(principal.ok_or(AuthError::Unauthorized)))
    }
}

// Proves: SB-08.
#[test]
fn a_stream_ends_when_the_credentials_of_who_opened_it_expire_and_nothing_is_answered_from_then_on() {
    let begun = Instant::now();
    let server = desk::server().authorize(Expiring(SystemTime::now()));
    let changes = server.changes();
    let served = served(server);
    let lists = json!({ "promptsListChanged": true });
    let mut short = listening(served.port, Some("2000"), lists.clone()).expect("a stream");
    let mut long = listening(served.port, Some("60000"), lists.clone()).expect("a stream");
    let client = Client::new_as(served.port, Era::Legacy("2025-11-25"), Some("2000"));
    let (response, own) = client.headers(Request::of("GET")).open(served.port);
    let mut own = own.unwrap_or_else(|| panic!("{}", response.text()));
    assert!(short.next().unwrap().contains("acknowledged") && long.next().unwrap().contains("acknowledged"));
    // The last message is the answer, as when the server goes down.
    let last: Value = serde_json::from_str(&short.next().expect("an answer")).unwrap();
    assert_eq!(last["result"]["resultType"], "complete", "{last}");
    assert_eq!((short.next(), own.next()), (None, None));
    assert!(begun.elapsed() >= Duration::from_millis(1900), "{:?}", begun.elapsed());
    assert_eq!(listening(served.port, Some("2000"), lists).err(), Some(401));
    served.runtime.block_on(async { changes.prompts_changed() });
    assert!(long.next().unwrap().contains("notifications/prompts/list_changed"), "this one goes on");
}

/// A board on which some things are not for everybody.
#[mcp_server(name = "board")]
mod board {
    /// For everybody.
    #[resource("board://open")]
    pub fn open() -> String {
        "open".into()
    }

    /// Not for everybody.
    #[resource("board://secret")]
    pub fn secret() -> String {
        "secret".into()
    }

    /// Not for everybody, all of them.
    #[resource("ward://beds/{bed}")]
    pub fn ward(bed: String) -> String {
        bed
    }
}

fn is_doctor(principal: Option<&Principal>) -> bool {
    principal.is_some_and(|one| &*one.subject == "doctor")
}

/// One resource, which doctors can read.
struct Shelf;

impl ResourceProvider for Shelf {
    fn list<'a>(&'a self, _: &'a Context, _: Option<&'a str>) -> BoxFuture<'a, Result<Page<Resource>, ToolError>> {
        Box::pin(async { Ok(Page::last([])) })
    }

    fn read<'a>(&'a self, cx: &'a Context, uri: &'a str) -> BoxFuture<'a, Result<ResourceResult, ToolError>> {
        let found = uri == "shelf://1" && is_doctor(cx.principal());
        Box::pin(async move { Ok(if found { ResourceResult::Text("1".into()) } else { ResourceResult::NotFound }) })
    }

    fn shows(&self, principal: Option<&Principal>, uri: &str) -> bool {
        uri != "shelf://1" || is_doctor(principal)
    }
}

/// What can be subscribed to by everybody, and what each of it holds is announced; the last one is nobody's secret.
const SUBSCRIBED: [&str; 6] =
    ["board://", "board://secret", "ward://beds", "shelf://1", "board://missing", "board://open"];
const HIDDEN: [&str; 3] = ["board://secret", "ward://beds/7", "shelf://1"];

/// The URI that a message has news of.
fn uri(message: &str) -> String {
    let message: Value = serde_json::from_str(message).unwrap();
    assert_eq!(message["method"], "notifications/resources/updated", "{message}");
    message["params"]["uri"].as_str().unwrap().to_owned()
}

// Proves: SB-08, RS-05, RS-06, RS-07.
#[test]
fn what_is_hidden_is_subscribed_to_like_what_is_not_there_and_is_no_news() {
    let off_duty = Arc::new(AtomicBool::new(false));
    let hides = {
        let off_duty = off_duty.clone();
        move |principal: Option<&Principal>, item: Item<'_>| match item {
            Item::Resource("board://secret") | Item::Template(_) => {
                is_doctor(principal) && !off_duty.load(Ordering::SeqCst)
            }
            _ => true,
        }
    };
    let tokens = DevelopmentTokens::new().with("d", "doctor").with("v", "visitor");
    let server = board::server().resources(Shelf).authorize(tokens).visible(hides);
    let changes = server.changes();
    let served = served(server);
    let announce = || {
        HIDDEN.iter().for_each(|uri| changes.resource_updated(uri));
        // More than wait one by one: what stands for many of them is no news of them either.
        (0..300).for_each(|bed| changes.resource_updated(format!("ward://beds/{bed}")));
        changes.resource_updated("board://open");
    };

    // By subscriptions: both are told that all is heard, and the visitor of what it may know alone.
    let filter = json!({ "resourceSubscriptions": SUBSCRIBED });
    let mut streams = ["d", "v"].map(|bearer| listening(served.port, Some(bearer), filter.clone()).expect("a stream"));
    let acknowledged = streams.each_mut().map(|stream| stream.next().unwrap());
    assert_eq!(acknowledged[0], acknowledged[1]);
    let acknowledged: Value = serde_json::from_str(&acknowledged[1]).unwrap();
    assert_eq!(acknowledged["params"]["notifications"], filter);
    // Byte for byte: what is hidden is acknowledged like what is not there.
    let acknowledged = ["board://secret", "board://nobody"].map(|uri| {
        let filter = json!({ "resourceSubscriptions": [uri] });
        let mut stream = listening(served.port, Some("v"), filter).expect("a stream");
        stream.next().unwrap().replace(uri, "…")
    });
    assert_eq!(acknowledged[0], acknowledged[1]);
    announce();
    let [doctor, visitor] = &mut streams;
    let told: Vec<String> = (0..3).map(|_| uri(&doctor.next().unwrap())).collect();
    assert_eq!(told, HIDDEN);
    assert_eq!(uri(&visitor.next().unwrap()), "board://open");

    // By sessions: the answers are the same bytes, and what waits for a stream is what may be known when it is told.
    let [doctor, visitor] =
        ["d", "v"].map(|bearer| Client::new_as(served.port, Era::Legacy("2025-11-25"), Some(bearer)));
    for client in [&doctor, &visitor] {
        for uri in SUBSCRIBED {
            let answer = client.request("resources/subscribe", json!({ "uri": uri }));
            assert_eq!(answer["result"], json!({}), "{uri}");
        }
    }
    let stream = |client: &Client| client.headers(Request::of("GET")).open(served.port).1.expect("a stream");
    announce();
    // The first event of a stream has no data.
    let next = |stream: &mut EventReader| loop {
        let data = stream.next().expect("news");
        if !data.is_empty() {
            return uri(&data);
        }
    };
    assert_eq!(next(&mut stream(&visitor)), "board://open");
    off_duty.store(true, Ordering::SeqCst);
    let mut doctors = stream(&doctor);
    // What stands for more than can wait was put there while the doctor could know of it, and names none.
    let told: Vec<String> = (0..3).map(|_| next(&mut doctors)).collect();
    assert_eq!(told, ["shelf://1", "ward://beds", "board://"]);
}
