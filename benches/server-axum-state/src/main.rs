//! The limit that a framework can reach with state outside the process: a handler for one method and two tools, which reads
//! the session's value, runs the tool and writes the value back if nobody else did meanwhile; otherwise it begins anew.
//!
//! `same` sends the commands of this library's stores. `own` is a store as one would write it for this server alone: one
//! value for each session, with a revision, the names of the last writes and a lifetime.
//!
//! Usage: `BENCH_SERVER=same|own server-axum-state --port PORT --store redis://…|postgres://…`

mod postgres;
mod redis;

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::post,
    serve::ListenerExt,
};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// How long a session lives without being used.
const IDLE: Duration = Duration::from_secs(30 * 60);
/// A call that got no answer from its store by then is 503.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a call that lost to another writer is tried again.
const ATTEMPTS: usize = 8;

/// What can go wrong with a store; who reads the log wants it in words.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// The name of one write, by which a repeated one is recognised.
type Operation = [u8; 16];

/// A value and its revision; 0 for what is not there.
type Found = (Option<Vec<u8>>, i64);

/// Where the sessions are.
trait Store: Send + Sync + 'static {
    fn load(&self, session: &str) -> impl Future<Output = Result<Found, Trouble>> + Send;
    /// Writes the value if the revision is still this one; `false` if it is not.
    fn save(
        &self,
        session: &str,
        value: &[u8],
        revision: i64,
        operation: Operation,
    ) -> impl Future<Output = Result<bool, Trouble>> + Send;
}

#[derive(Deserialize)]
struct Request {
    jsonrpc: String,
    id: u64,
    method: String,
    params: Call,
}

#[derive(Deserialize)]
struct Call {
    name: String,
    arguments: Arguments,
}

#[derive(Deserialize)]
struct Arguments {
    message: Option<String>,
}

#[derive(Serialize)]
struct Answer {
    jsonrpc: &'static str,
    id: u64,
    result: CallResult,
}

#[derive(Serialize)]
struct CallResult {
    content: [Text; 1],
    #[serde(rename = "isError", skip_serializing_if = "std::ops::Not::not")]
    is_error: bool,
}

#[derive(Serialize)]
struct Text {
    r#type: &'static str,
    text: String,
}

/// How often one session was served.
#[derive(Default, Serialize, Deserialize)]
struct Served {
    calls: u64,
}

/// What all requests share.
struct Server<S> {
    store: S,
    process: [u8; 8],
    writes: AtomicU64,
}

impl<S: Store> Server<S> {
    fn new(store: S) -> Self {
        Self {
            store,
            process: std::process::id().to_be_bytes().repeat(2).try_into().expect("eight"),
            writes: AtomicU64::new(0),
        }
    }

    fn operation(&self) -> Operation {
        let mut operation = [0; 16];
        operation[..8].copy_from_slice(&self.process);
        operation[8..].copy_from_slice(&self.writes.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        operation
    }

    async fn served(&self, session: &str) -> Result<(Served, i64), Trouble> {
        let (value, revision) = self.store.load(session).await?;
        let served = value.map_or_else(|| Ok(Served::default()), |value| serde_json::from_slice(&value))?;
        Ok((served, revision))
    }

    /// The text of the answer; `None` if others wrote each time.
    async fn run(&self, session: &str, call: Call) -> Result<Option<String>, Trouble> {
        if call.name == "calls" {
            return Ok(Some(self.served(session).await?.0.calls.to_string()));
        }
        for _ in 0..ATTEMPTS {
            let (mut served, revision) = self.served(session).await?;
            served.calls += 1;
            let (value, operation) = (serde_json::to_vec(&served)?, self.operation());
            let saved = match self.store.save(session, &value, revision, operation).await {
                // What became of it is unknown: it is recognised if it happened.
                Err(_) => self.store.save(session, &value, revision, operation).await?,
                Ok(saved) => saved,
            };
            if saved {
                return Ok(Some(call.arguments.message.unwrap_or_default()));
            }
        }
        Ok(None)
    }
}

async fn call<S: Store>(State(server): State<Arc<Server<S>>>, headers: HeaderMap, body: Bytes) -> Response {
    let Ok(Request { jsonrpc, id, method, params }) = serde_json::from_slice(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let session = headers.get("mcp-session-id").and_then(|id| id.to_str().ok()).filter(|id| id.len() == 22);
    let Some(session) = session.filter(|_| jsonrpc == "2.0" && method == "tools/call") else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Ok(Ok(ran)) = tokio::time::timeout(PATIENCE, server.run(session, params)).await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let is_error = ran.is_none();
    let text = ran.unwrap_or_else(|| "others wrote at the same time: try again".to_owned());
    let result = CallResult { content: [Text { r#type: "text", text }], is_error };
    match serde_json::to_vec(&Answer { jsonrpc: "2.0", id, result }) {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn serve<S: Store>(store: S, port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("TCP_NODELAY"));
    let router = Router::new().route("/legacy", post(call::<S>)).with_state(Arc::new(Server::new(store)));
    axum::serve(listener, router).await.expect("an accept loop");
}

fn main() {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let after = |name: &str| words.iter().skip_while(|word| *word != name).nth(1);
    let same = match std::env::var("BENCH_SERVER").as_deref() {
        Ok("same") => true,
        Ok("own") => false,
        _ => usage(),
    };
    let (Some(port), Some(url)) = (after("--port").and_then(|port| port.parse().ok()), after("--store")) else {
        usage()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        match (url.starts_with("redis://"), same) {
            (true, true) => serve(redis::Same::open(url).await.expect("Redis"), port).await,
            (true, false) => serve(redis::Own::open(url).await.expect("Redis"), port).await,
            (false, true) => serve(postgres::Same::open(url).await.expect("PostgreSQL"), port).await,
            (false, false) => serve(postgres::Own::open(url).await.expect("PostgreSQL"), port).await,
        }
    });
}

fn usage() -> ! {
    eprintln!("usage: BENCH_SERVER=same|own server-axum-state --port PORT --store redis://…|postgres://…");
    std::process::exit(2)
}
