//! The builder, and running.
//!
//! Takes: a declaration and the operator's wishes. Gives: a running server. Knows: flags, environment, transports. Must not
//! know: messages.

mod banner;
mod dynamic;
mod error;
mod extensions;
mod health;
mod log;
mod mount;
mod options;
mod run;

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{Router, extract::Request, response::IntoResponse, routing::Route};
use serde_json::{Map, Value};

pub use self::{
    error::{Error, Result},
    run::Running,
};
use crate::{
    auth::Authenticator,
    call::Visible,
    changes::Changes,
    middleware::Middleware,
    provider::Providers,
    service::Service,
    session::{Revocations, Sessions},
    store::{Bus, EventLog, StateStore},
    tasks::Tasks,
};

/// A server to be run.
///
/// What is set here is the default of the program; flags and environment, read by [`run`](Self::run) and
/// [`serve`](Self::serve), win over it.
#[must_use = "a server does nothing until it is run"]
pub struct Server {
    service: Arc<dyn Service>,
    sessions: Sessions,
    store: Option<Arc<dyn StateStore>>,
    events: Option<Arc<dyn EventLog>>,
    bus: Option<Arc<dyn Bus>>,
    changes: OnceLock<Changes>,
    revocations: OnceLock<Revocations>,
    tasks: Tasks,
    authenticator: Option<Arc<dyn Authenticator>>,
    site: SiteOptions,
    app: Option<Router>,
    layers: Vec<Box<dyn FnOnce(Router) -> Router + Send>>,
    providers: Providers,
    visible: Option<Visible>,
    extensions: Map<String, Value>,
    page_size: Option<usize>,
    list_ttl: Option<Duration>,
    middleware: Vec<Arc<dyn Middleware>>,
    mounts: Vec<(String, Server)>,
    answered_within: Option<Duration>,
    stateless: bool,
}

/// How a server is reached over HTTP.
#[derive(Clone, Debug)]
struct SiteOptions {
    host: String,
    port: u16,
    path: String,
    hosts: Vec<String>,
    origins: Vec<String>,
    public: bool,
    health: Option<String>,
}

impl Default for SiteOptions {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 8000,
            path: "/mcp".into(),
            hosts: Vec::new(),
            origins: Vec::new(),
            public: false,
            health: None,
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Server").field("name", &self.service.card().name).field("site", &self.site).finish()
    }
}

impl Server {
    /// A server of this declaration.
    pub fn new(service: impl Service) -> Self {
        Self {
            service: Arc::new(service),
            sessions: Sessions::default(),
            store: None,
            events: None,
            bus: None,
            changes: OnceLock::new(),
            revocations: OnceLock::new(),
            tasks: Tasks::default(),
            authenticator: None,
            site: SiteOptions::default(),
            app: None,
            layers: Vec::new(),
            providers: Providers::default(),
            visible: None,
            extensions: Map::new(),
            page_size: None,
            list_ttl: None,
            middleware: Vec::new(),
            mounts: Vec::new(),
            answered_within: None,
            stateless: false,
        }
    }

    /// How it wants its sessions; by default signed ids with the keys of `MCP_SESSION_KEYS`, or a random one.
    pub fn sessions(mut self, sessions: Sessions) -> Self {
        self.sessions = sessions;
        self
    }

    /// Where session state is kept; by default in memory, gone with the process.
    pub fn store(mut self, store: impl StateStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Where the messages of streams are kept for clients whose connection broke; by default in memory, gone with the
    /// process. A store that is an [`EventLog`] too, such as `FileStore`, can be both: share it by an `Arc`.
    pub fn events(mut self, log: impl EventLog) -> Self {
        self.events = Some(Arc::new(log));
        self
    }

    /// What carries messages between the instances of this server; by default nothing, and then each tells its own clients
    /// alone what changed at it.
    pub fn bus(mut self, bus: impl Bus) -> Self {
        self.bus = Some(Arc::new(bus));
        self
    }

    /// The handle by which the program announces that a list or a resource changed, while the server runs. Taking it is a
    /// declaration: clients are promised news of the lists, as with `#[mcp_server(changes)]`.
    pub fn changes(&self) -> Changes {
        self.changes.get_or_init(Changes::default).clone()
    }

    /// The handle by which the program ends sessions, while the server runs: one, or all of somebody. Taking it is a
    /// declaration: the store is then asked which sessions are over, and ids are worth nothing without it.
    pub fn revocations(&self) -> Revocations {
        self.revocations.get_or_init(Revocations::default).clone()
    }

    /// How calls that become tasks are run: where they are kept, how many, for how long; by default in memory.
    pub fn tasks(mut self, tasks: Tasks) -> Self {
        self.tasks = tasks;
        self
    }

    /// Keeps nothing between two requests and answers each with one JSON document: no sessions, no streams, no news, for
    /// places where a process lives as long as a request (serverless, edge). Tools that borrow session state are an error
    /// at the start, unless clients carry it ([`Sessions::sealed_cookies`]). Progress and log messages are dropped over HTTP; questions work on 2026-07-28, whose answers carry
    /// what the call knew, if all instances have the same `MCP_SESSION_KEYS`.
    ///
    /// Of what [`sessions`](Self::sessions) says only the keys count, and sealed cookies.
    ///
    /// # Source
    /// Our choice, because a stream that is cut off by its host is worse than none.
    pub fn stateless(mut self) -> Self {
        self.stateless = true;
        self
    }

    /// How long the answer to a question of a call is waited for, by default 10 minutes; then the question is taken back, and
    /// the function gets [`AskError::Unanswered`](crate::call::AskError::Unanswered). Nothing that the client says meanwhile
    /// makes it longer. 2026-07-28 waits for no answer.
    ///
    /// # Source
    /// 2025-11-25 basic/lifecycle §Timeouts; the default is our choice, because a person needs minutes.
    pub fn answered_within(mut self, time: Duration) -> Self {
        self.answered_within = Some(time);
        self
    }

    /// Who checks the credentials of HTTP requests; by default nobody, and then only this machine is listened to.
    pub fn authorize(mut self, authenticator: impl Authenticator) -> Self {
        self.authenticator = Some(Arc::new(authenticator));
        self
    }

    /// The address to listen on: an IP address or a name of this machine. By default `127.0.0.1`.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.site.host = host.into();
        self
    }

    /// The TCP port to listen on, by default 8000; 0 takes any free one.
    pub fn port(mut self, port: u16) -> Self {
        self.site.port = port;
        self
    }

    /// The path of the MCP endpoint, by default `/mcp`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.site.path = path.into();
        self
    }

    /// Answers requests to one more host: `name` or `name:port`, as clients write it in the URL.
    ///
    /// Without it, a server bound to loopback answers to `localhost`, `127.0.0.1` and `[::1]` alone, one bound to an
    /// address to that address too, one bound to all addresses to every address, but to no other name: a web page could
    /// otherwise reach it under a name of its own.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.site.hosts.push(host.into());
        self
    }

    /// Lets the pages of one more web origin call the server and read its answers (CORS): `https://app.example`, or `*`
    /// for all.
    ///
    /// Without it, requests of pages of this machine pass, and only when the server listens for this machine alone, but
    /// no browser lets even them read an answer. Cookies are never asked for, with `*` no browser sends any. The opaque
    /// origin `null` is refused always: any page can take it.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.site.origins.push(origin.into());
        self
    }

    /// Lets everyone who reaches the port call the tools: without it, a server without authorization refuses to listen on
    /// anything but loopback.
    pub fn allow_unauthenticated_public(mut self) -> Self {
        self.site.public = true;
        self
    }

    /// Tells of this instance's health at `http://ADDRESS/health`, for whatever starts and stops instances: `HOST:PORT`, a
    /// listener of its own that need not be reached by clients.
    ///
    /// # Shape
    /// `{"status", "name", "version", "store", "keys"}`: `status` is `ok` (200), `unavailable` where the store of session
    /// state does not answer within two seconds, or `stopping` (both 503); `keys` is [`Running::key_fingerprint`]. Nothing in
    /// it is of a session or a client.
    ///
    /// # Source
    /// Our choice, because what tells of a server's inside does not belong where the world calls its tools.
    pub fn health(mut self, address: impl Into<String>) -> Self {
        self.site.health = Some(address.into());
        self
    }

    /// Serves the routes of this router beside the endpoint, behind the same Host and Origin guard.
    pub fn merge(mut self, app: Router) -> Self {
        self.app = Some(match self.app {
            Some(before) => before.merge(app),
            None => app,
        });
        self
    }

    /// Puts a tower layer around everything that is served over HTTP; the one added last sees a request first. Requests
    /// then go through axum's router, which costs a tenth of the speed.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: tower::Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: tower::Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as tower::Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as tower::Service<Request>>::Error: Into<std::convert::Infallible> + 'static,
        <L::Service as tower::Service<Request>>::Future: Send + 'static,
    {
        self.layers.push(Box::new(move |router| router.layer(layer)));
        self
    }
}
