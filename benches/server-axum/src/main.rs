//! The limit that a framework can reach: axum handlers written by hand, each for exactly one method. They read the body
//! into a struct and write the answer; they check no header, know no session and no other method.
//!
//! `/modern` takes the 2026-07-28 body with its `_meta`, `/legacy` that of 2025-11-25 and older: a call of one tool. Below
//! them, `/list` is asked for fifty tools, whose description is written once, when the server starts.
//!
//! Usage: `server-axum --port PORT`

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::post,
    serve::ListenerExt,
};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use tokio::net::TcpListener;

/// A request; `P` is what its method and its revision take.
#[derive(Deserialize)]
struct Request<P> {
    jsonrpc: String,
    id: u64,
    method: String,
    params: P,
}

/// Of a `tools/call` of `echo`; `M` is the `_meta` of its revision.
#[derive(Deserialize)]
struct Call<M> {
    name: String,
    arguments: Arguments,
    #[serde(rename = "_meta")]
    meta: M,
}

/// Of a `tools/list`.
#[derive(Deserialize)]
struct List<M> {
    #[serde(rename = "_meta")]
    meta: M,
}

#[derive(Deserialize)]
struct Arguments {
    message: String,
}

#[derive(Deserialize)]
struct ModernMeta {
    #[serde(rename = "io.modelcontextprotocol/protocolVersion")]
    protocol_version: String,
    #[serde(rename = "io.modelcontextprotocol/clientInfo")]
    client_info: Implementation,
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities")]
    client_capabilities: Capabilities,
}

#[derive(Deserialize)]
struct Implementation {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct Capabilities {}

#[derive(Serialize)]
struct Answer<R> {
    jsonrpc: &'static str,
    id: u64,
    result: R,
}

#[derive(Serialize)]
struct LegacyResult {
    content: [Text; 1],
}

#[derive(Serialize)]
struct ModernResult {
    #[serde(rename = "resultType")]
    result_type: &'static str,
    content: [Text; 1],
    #[serde(rename = "_meta")]
    meta: ResultMeta,
}

#[derive(Serialize)]
struct Text {
    r#type: &'static str,
    text: String,
}

#[derive(Serialize)]
struct ResultMeta {
    #[serde(rename = "io.modelcontextprotocol/serverInfo")]
    server_info: ServerInfo,
}

#[derive(Serialize)]
struct ServerInfo {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Tool {
    name: String,
    description: &'static str,
    #[serde(rename = "inputSchema")]
    input_schema: InputSchema,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InputSchema {
    r#type: &'static str,
    properties: Properties,
    required: [&'static str; 1],
    additional_properties: bool,
}

#[derive(Serialize)]
struct Properties {
    message: Property,
}

#[derive(Serialize)]
struct Property {
    r#type: &'static str,
    description: &'static str,
}

#[derive(Serialize)]
struct LegacyList {
    tools: Vec<Tool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModernList {
    result_type: &'static str,
    tools: Vec<Tool>,
    ttl_ms: u64,
    cache_scope: &'static str,
    #[serde(rename = "_meta")]
    meta: ResultMeta,
}

/// The results of `tools/list`, written at the start.
struct Lists {
    modern: Box<RawValue>,
    legacy: Box<RawValue>,
}

impl Lists {
    fn new() -> serde_json::Result<Self> {
        let modern = ModernList {
            result_type: "complete",
            tools: tools(),
            ttl_ms: 0,
            cache_scope: "private",
            meta: RESULT_META,
        };
        Ok(Self { modern: to_raw_value(&modern)?, legacy: to_raw_value(&LegacyList { tools: tools() })? })
    }
}

/// The fifty tools of the measured server.
fn tools() -> Vec<Tool> {
    let tool = |name, description| {
        let message = Property { r#type: "string", description: "What to say back." };
        let input_schema = InputSchema {
            r#type: "object",
            properties: Properties { message },
            required: ["message"],
            additional_properties: false,
        };
        Tool { name, description, input_schema }
    };
    let louder = (1..50).map(|number| tool(format!("tool_{number:02}"), "Say it back, louder."));
    std::iter::once(tool("echo".to_owned(), "Say it back.")).chain(louder).collect()
}

/// With the name of the measured server, so that the answers have the same bytes.
const RESULT_META: ResultMeta = ResultMeta { server_info: ServerInfo { name: "server-ours", version: "1.0.0" } };

impl ModernMeta {
    fn is_complete(&self) -> bool {
        let Capabilities {} = self.client_capabilities;
        let Implementation { name, version } = &self.client_info;
        self.protocol_version == "2026-07-28" && !name.is_empty() && !version.is_empty()
    }
}

async fn modern(body: Bytes) -> Response {
    let Ok(request) = serde_json::from_slice::<Request<Call<ModernMeta>>>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if !request.params.meta.is_complete() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let (id, text, meta) = (request.id, echo(request), RESULT_META);
    answer(&Answer { jsonrpc: "2.0", id, result: ModernResult { result_type: "complete", content: [text], meta } })
}

async fn legacy(body: Bytes) -> Response {
    let Ok(request) = serde_json::from_slice::<Request<Call<Option<()>>>>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let (id, text) = (request.id, echo(request));
    answer(&Answer { jsonrpc: "2.0", id, result: LegacyResult { content: [text] } })
}

async fn modern_list(State(lists): State<Arc<Lists>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Request<List<ModernMeta>>>(&body) {
        Ok(request) if request.params.meta.is_complete() => list(&request, &lists.modern),
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn legacy_list(State(lists): State<Arc<Lists>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Request<Option<List<Option<()>>>>>(&body) {
        Ok(request) if request.params.as_ref().is_none_or(|params| params.meta.is_none()) => {
            list(&request, &lists.legacy)
        }
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn list<P>(request: &Request<P>, result: &RawValue) -> Response {
    assert!(request.jsonrpc == "2.0" && request.method == "tools/list");
    answer(&Answer { jsonrpc: "2.0", id: request.id, result })
}

fn echo<M>(request: Request<Call<M>>) -> Text {
    assert!(request.jsonrpc == "2.0" && request.method == "tools/call" && request.params.name == "echo");
    Text { r#type: "text", text: request.params.arguments.message }
}

fn answer(answer: &impl Serialize) -> Response {
    match serde_json::to_vec(answer) {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn main() {
    let port = port();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("TCP_NODELAY"));
        let router = Router::new()
            .route("/modern", post(modern))
            .route("/legacy", post(legacy))
            .route("/modern/list", post(modern_list))
            .route("/legacy/list", post(legacy_list))
            .with_state(Arc::new(Lists::new().expect("lists")));
        axum::serve(listener, router).await.expect("an accept loop");
    });
}

fn port() -> u16 {
    let mut words = std::env::args().skip(1);
    match (words.next().as_deref(), words.next().and_then(|port| port.parse().ok())) {
        (Some("--port"), Some(port)) => port,
        _ => {
            eprintln!("usage: server-axum --port PORT");
            std::process::exit(2)
        }
    }
}
