//! The accept loop.
//!
//! Takes: a listener. Gives: a task per connection. Knows: the cap on connections, how to stop. Must not know: requests.

use std::{
    convert::Infallible,
    future::Future,
    io,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::Router;
use http::{Request, Response};
use http_body::Body as _;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, oneshot},
    task::JoinHandle,
};
use tower::Service;

use super::{
    body::Body,
    endpoint::{Endpoint, Gone},
    head,
    housekeeping::{Housekeeping, Limits, Place},
    line::{Line, Order, Phase, Wire},
    refusal::{self, refuse},
};

/// How many connections are open at once; the next ones wait in the kernel's queue.
const CONNECTIONS: u32 = 10_000;
/// How long a running call may take to finish when the server stops.
const DRAIN: Duration = Duration::from_secs(10);
/// How large the head of a request may be, in bytes; larger ones are answered with 431.
const HEAD_LIMIT: usize = 64 << 10;
/// How much of a connection is kept in memory in each direction, in bytes.
const BUFFER: usize = 256 << 10;

/// What every connection shares.
struct Shared {
    endpoint: Arc<Endpoint>,
    app: App,
    house: Arc<Housekeeping>,
    places: Arc<Semaphore>,
}

/// What serves the paths that are not the endpoint's.
enum App {
    /// Nothing.
    None,
    /// The program's router.
    Beside(Router),
    /// The program's layers around everything, the endpoint too.
    Around(Router),
}

/// A server that listens.
#[derive(Debug)]
pub(crate) struct Serving {
    /// Where.
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Starts to accept connections. `layered` says that the router holds the endpoint as well.
    pub(crate) fn start(
        listener: TcpListener,
        endpoint: Arc<Endpoint>,
        app: Option<Router>,
        layered: bool,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let app = match app {
            None => App::None,
            Some(router) if layered => App::Around(router),
            Some(router) => App::Beside(router),
        };
        let shared = Arc::new(Shared {
            endpoint,
            app,
            house: Housekeeping::new(Limits::default()),
            places: Arc::new(Semaphore::new(CONNECTIONS as usize)),
        });
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(run(listener, shared, stopped));
        Ok(Self { address, stop: Some(stop), task })
    }

    /// Stops accepting, ends open streams, and waits for running calls, at most ten seconds.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        let _ = (&mut self.task).await;
    }
}

async fn run(listener: TcpListener, shared: Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let housekeeping = tokio::spawn(shared.house.clone().run());
    tokio::select! {
        () = accept(&listener, &shared) => {}
        _ = stopped => {}
    }
    // From here on the port refuses connections.
    drop(listener);
    shared.endpoint.engine.drain();
    shared.house.order(Order::Finish);
    let all = async {
        let _ = shared.places.acquire_many(CONNECTIONS).await;
        // Calls of older revisions whose client went away go on, and are given the same time.
        shared.endpoint.engine.settle().await;
    };
    if tokio::time::timeout(DRAIN, all).await.is_err() {
        tracing::warn!("calls were still running {} seconds after the stop: they are cut off", DRAIN.as_secs());
        shared.house.order(Order::Abort);
        let _ = tokio::time::timeout(Duration::from_millis(500), shared.places.acquire_many(CONNECTIONS)).await;
    }
    housekeeping.abort();
}

/// Accepts for ever.
async fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut back_off = Duration::ZERO;
    loop {
        let Ok(permit) = shared.places.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                back_off = Duration::ZERO;
                set_options(&stream);
                let line = Arc::new(Line::new(stream));
                let place = shared.house.admit(line.clone());
                let shared = shared.clone();
                tokio::spawn(async move {
                    connection(&shared, &line, peer, place).await;
                    drop(permit);
                });
            }
            // The peer was gone before we looked.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {
            }
            Err(error) => {
                // Out of file descriptors, as a rule: they come back when connections end, and asking at once would only
                // burn the processor.
                back_off = (back_off * 2).clamp(Duration::from_millis(50), Duration::from_secs(1));
                tracing::warn!(%error, "can't accept a connection");
                tokio::time::sleep(back_off).await;
            }
        }
    }
}

fn set_options(stream: &TcpStream) {
    // An option that can't be set makes the connection slower to fail, not wrong.
    let _ = stream.set_nodelay(true);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(Duration::from_secs(30)));
}

async fn connection(shared: &Arc<Shared>, line: &Arc<Line>, peer: SocketAddr, place: Place) {
    let service = service_fn(|request| answer(shared, line, request));
    let connection = http1::Builder::new()
        // A client may finish sending before it has its answer; `departure` tells it from one that is gone.
        .half_close(true)
        .header_read_timeout(None)
        .max_header_size(HEAD_LIMIT)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(Wire(line.clone())), service);
    let mut connection = std::pin::pin!(connection);
    let mut finishing = false;
    let ended = std::future::poll_fn(|cx: &mut Context<'_>| {
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(ended);
            }
            match line.poll_order(cx) {
                Order::Abort => return Poll::Ready(Ok(())),
                Order::Finish if !finishing => {
                    finishing = true;
                    connection.as_mut().graceful_shutdown();
                }
                Order::Finish | Order::None => return Poll::Pending,
            }
        }
    })
    .await;
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended badly");
        line.refuse_rest();
    }
    // From here on no limit but its own applies.
    drop(place);
    line.linger().await;
}

async fn answer(shared: &Shared, line: &Arc<Line>, request: Request<Incoming>) -> Result<Response<Body>, Gone> {
    line.enter(Phase::Busy);
    let has_body = !request.body().is_end_stream();
    let inside = request.uri().path() == &*shared.endpoint.path;
    let response = if inside && !matches!(shared.app, App::Around(_)) {
        shared.endpoint.answer(request, Some(line)).await
    } else {
        let (head, _) = head::read(request.headers());
        match (shared.endpoint.admit(request.uri(), &head), &shared.app) {
            (Err(refusal), _) => Ok(refuse(refusal)),
            (Ok(_), App::Beside(router) | App::Around(router)) => Ok(ask(router, line, request).await),
            (Ok(_), App::None) => Ok(refuse(refusal::NOT_FOUND)),
        }
    };
    line.enter(Phase::Answering);
    if has_body && response.as_ref().is_ok_and(|response| response.status().is_client_error()) {
        line.refuse_rest();
    }
    response
}

async fn ask(router: &Router, line: &Arc<Line>, mut request: Request<Incoming>) -> Response<Body> {
    request.extensions_mut().insert(line.clone());
    // A router is always ready.
    let response: Result<_, Infallible> = router.clone().call(request.map(axum::body::Body::new)).await;
    match response {
        Ok(response) => response.map(Body::app),
    }
}
