//! The limit that a framework can reach: an axum handler written by hand for exactly one method and one tool. It reads
//! the body into a struct and writes the answer; it checks no header, knows no session and no other method.
//!
//! `/modern` takes the 2026-07-28 body with its `_meta`, `/legacy` that of 2025-11-25 and older.
//!
//! Usage: `server-axum --port PORT`

use axum::{
    Router,
    body::Bytes,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::post,
    serve::ListenerExt,
};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// A `tools/call` of `echo`; `M` is the `_meta` of its revision.
#[derive(Deserialize)]
struct Request<M> {
    jsonrpc: String,
    id: u64,
    method: String,
    params: Params<M>,
}

#[derive(Deserialize)]
struct Params<M> {
    name: String,
    arguments: Arguments,
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

async fn modern(body: Bytes) -> Response {
    let Ok(request) = serde_json::from_slice::<Request<ModernMeta>>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let meta = &request.params.meta;
    let Capabilities {} = meta.client_capabilities;
    if meta.protocol_version != "2026-07-28" || meta.client_info.name.is_empty() || meta.client_info.version.is_empty()
    {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let (id, text) = (request.id, echo(request));
    // The name of the measured server, so that the answers have the same bytes.
    let meta = ResultMeta { server_info: ServerInfo { name: "server-ours", version: "1.0.0" } };
    answer(&Answer { jsonrpc: "2.0", id, result: ModernResult { result_type: "complete", content: [text], meta } })
}

async fn legacy(body: Bytes) -> Response {
    let Ok(request) = serde_json::from_slice::<Request<Option<()>>>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let (id, text) = (request.id, echo(request));
    answer(&Answer { jsonrpc: "2.0", id, result: LegacyResult { content: [text] } })
}

fn echo<M>(request: Request<M>) -> Text {
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
        let router = Router::new().route("/modern", post(modern)).route("/legacy", post(legacy));
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
