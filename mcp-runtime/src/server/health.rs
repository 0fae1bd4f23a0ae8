//! Whether this instance can serve, told to whatever starts and stops instances.
//!
//! Takes: a listener of its own, so that what clients reach says nothing of it. Gives: `GET /health` there. Knows: the store's
//! word, the fingerprint of the keys, that a stop has begun. Must not know: sessions, calls.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinHandle,
};

use super::{Error, Result};
use crate::engine::Engine;

/// The path at which it is told.
const PATH: &str = "/health";
/// So many ask at once; the next ones wait in the kernel's queue.
const CONNECTIONS: usize = 64;
/// A connection lives so long, whatever its peer does: each asks one question.
const CONNECTION: Duration = Duration::from_secs(5);

/// The listener. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Health {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

/// What is told.
#[derive(Serialize)]
struct Told<'a> {
    status: &'static str,
    name: &'a str,
    version: &'a str,
    store: &'static str,
    keys: &'a str,
}

impl Health {
    /// Listens on this address, `HOST:PORT`.
    pub(super) async fn start(address: &str, engine: Arc<Engine>) -> Result<Self> {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Error::new(format!(
                "can't tell of this instance's health on `{address}`: {error}; an address is HOST:PORT, such as \
                 127.0.0.1:9000 (port 0 takes a free one)"
            ))
        })?;
        let (address, stopping) = (listener.local_addr()?, Arc::<AtomicBool>::default());
        let task = tokio::spawn(accept(listener, engine, stopping.clone()));
        Ok(Self { address, stopping, task })
    }

    /// Where it is told.
    pub(super) fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// From now on it tells that this instance stops, so that nobody is sent here any more.
    pub(super) fn stops(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

impl Drop for Health {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts for ever.
async fn accept(listener: TcpListener, engine: Arc<Engine>, stopping: Arc<AtomicBool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, as a rule: they come back when connections end.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (engine, stopping) = (engine.clone(), stopping.clone());
        tokio::spawn(async move {
            // A peer that is slow, or goes away, has no answer to lose.
            let _ = tokio::time::timeout(CONNECTION, serve(stream, &engine, &stopping)).await;
            drop(place);
        });
    }
}

async fn serve(stream: TcpStream, engine: &Engine, stopping: &AtomicBool) -> hyper::Result<()> {
    let service = service_fn(async |request| Ok::<_, Infallible>(answer(&request, engine, stopping).await));
    http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service).await
}

async fn answer(request: &Request<Incoming>, engine: &Engine, stopping: &AtomicBool) -> Response<Full<bytes::Bytes>> {
    if request.uri().path() != PATH {
        return with(StatusCode::NOT_FOUND, Vec::new());
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = with(StatusCode::METHOD_NOT_ALLOWED, Vec::new());
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let answers = engine.store_answers().await;
    let (status, code) = match (stopping.load(Ordering::Relaxed), answers) {
        (true, _) => ("stopping", StatusCode::SERVICE_UNAVAILABLE),
        (false, false) => ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
        (false, true) => ("ok", StatusCode::OK),
    };
    let (name, version) = engine.name_and_version();
    let store = if answers { "ok" } else { "unavailable" };
    let told = Told { status, name, version, store, keys: engine.key_fingerprint() };
    with(code, serde_json::to_vec(&told).unwrap_or_default())
}

fn with(status: StatusCode, body: Vec<u8>) -> Response<Full<bytes::Bytes>> {
    let has_body = !body.is_empty();
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    if has_body {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
