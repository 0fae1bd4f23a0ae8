//! Starting and stopping.

use std::{
    io::IsTerminal,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::Router;
use tokio::net::TcpListener;

use super::{
    Error, Result, Server, SiteOptions, banner, extensions,
    health::Health,
    log,
    options::{Options, Store, Transport},
};
#[cfg(feature = "testing")]
use crate::auth::Authenticator;
use crate::{
    engine::{Engine, Setup},
    store::{MemoryEventLog, MemoryStore, MemoryTaskStore},
    transport::{
        http::{self, Serving, Site},
        stdio,
    },
};

/// A server that listens. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Running {
    url: String,
    keys: String,
    serving: Serving,
    health: Option<Health>,
}

impl Running {
    /// The URL of the endpoint, with the port that was taken.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.serving.address
    }

    /// What tells the session keys of this instance from those of others, for operators to compare:
    /// [`SigningKeys::fingerprint`](crate::SigningKeys::fingerprint).
    #[must_use]
    pub fn key_fingerprint(&self) -> &str {
        &self.keys
    }

    /// The URL at which it tells of its health, if it was told to ([`Server::health`]).
    #[must_use]
    pub fn health_url(&self) -> Option<String> {
        self.health.as_ref().map(Health::url)
    }

    /// Stops: refuses new connections, ends open streams and waits for running calls, at most ten seconds.
    pub async fn stop(self) {
        if let Some(health) = &self.health {
            health.stops();
        }
        self.serving.stop().await;
    }
}

impl Server {
    /// Runs as flags and environment say, until the client goes away (stdio) or the process is told to stop (SIGTERM,
    /// Ctrl-C); then lets running calls finish.
    ///
    /// # Errors
    /// [`Error`], for the operator: a wrong variable, an address that can't be listened on or may not be without
    /// authorization, a store that can't be opened, a declaration that can't be served, over HTTP sessions by identity
    /// without [`authorize`](Self::authorize).
    pub async fn run(mut self) -> Result {
        let options = Options::read(self.service.card().version)?;
        log::start(options.json_logs);
        let transport = options.transport.unwrap_or(Transport::Stdio);
        self.apply(options)?;
        match transport {
            Transport::Http => self.run_http().await,
            Transport::Stdio => self.run_stdio().await,
        }
    }

    /// As [`run`](Self::run), without an async `main`: starts a multi-threaded tokio runtime of its own.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn serve(self) -> Result {
        if tokio::runtime::Handle::try_current().is_ok() {
            return Err(Error::new(
                "`serve` starts a tokio runtime of its own, but one is already running here: in an async function, write \
                 `server.run().await`",
            ));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let result = runtime.block_on(self.run());
        // A blocking tool that does not end must not keep the process from ending.
        runtime.shutdown_background();
        result
    }

    /// Listens over HTTP as the program says, without flags and environment, and comes back: for tests, and for programs
    /// with more to do.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn start(self) -> Result<Running> {
        self.listen().await.map(|(running, _)| running)
    }

    /// The endpoint as an axum router with one route, for an application that listens by itself.
    ///
    /// Time limits and the cap on connections are then the application's; Host and Origin are checked as for a server
    /// bound to [`host`](Self::host), so an application with a public name must say [`allow_host`](Self::allow_host).
    ///
    /// # Errors
    /// [`Error`], for the operator: a declaration that can't be served, a store that can't be opened, sessions by
    /// identity without [`authorize`](Self::authorize).
    pub async fn into_router(mut self) -> Result<Router> {
        self.check_identities()?;
        let bound = resolve(&self.site).await?.ip();
        let (app, layers) = (self.app.take(), std::mem::take(&mut self.layers));
        let engine = self.engine().await?;
        let endpoint = self.site(bound).endpoint(engine)?;
        let router = http::router(endpoint);
        let router = match app {
            Some(app) => router.merge(app),
            None => router,
        };
        Ok(layers.into_iter().fold(router, |router, layer| layer(router)))
    }

    /// Lets the operator's wishes win.
    fn apply(&mut self, options: Options) -> Result {
        let site = &mut self.site;
        site.host = options.host.unwrap_or(std::mem::take(&mut site.host));
        site.port = options.port.unwrap_or(site.port);
        site.path = options.path.unwrap_or(std::mem::take(&mut site.path));
        site.hosts.extend(options.allow_host);
        site.origins.extend(options.allow_origin);
        site.public |= options.allow_unauthenticated_public;
        site.health = options.health.or(site.health.take());
        if let Some(store) = options.store {
            self.open(store)?;
        }
        if let Some(idle) = options.session_ttl {
            self.sessions = std::mem::take(&mut self.sessions).ttl(idle);
        }
        Ok(())
    }

    async fn run_http(self) -> Result {
        let mut signal = Signal::new()?;
        let (running, engine) = self.listen().await?;
        let (name, version) = engine.name_and_version();
        banner::print(&banner::http(name, version, running.url()));
        if let Some(url) = running.health_url() {
            tracing::info!(%url, "tells of its health");
        }
        tracing::info!(keys = running.key_fingerprint(), "session ids are signed");
        signal.recv().await;
        tracing::info!("stopping");
        tokio::select! {
            () = running.stop() => {}
            // Whoever asks twice does not want to wait.
            () = signal.recv() => {}
        }
        Ok(())
    }

    async fn run_stdio(mut self) -> Result {
        let mut signal = Signal::new()?;
        let engine = self.engine().await?;
        let (name, version) = engine.name_and_version();
        let terminal = std::io::stdin().is_terminal();
        banner::print(&banner::stdio(name, version, &banner::Command::current(), terminal));
        stdio::serve(engine, std::io::stdin(), std::io::stdout(), signal.recv()).await?;
        Ok(())
    }

    async fn listen(mut self) -> Result<(Running, Arc<Engine>)> {
        self.check_identities()?;
        let address = resolve(&self.site).await?;
        if !address.ip().is_loopback() && self.authenticator.is_none() && !self.site.public {
            return Err(Error::new(format!(
                "refusing to listen on {} without authorization: everyone who reaches the port could call the tools. Add \
                 `.authorize(…)` to the server, listen on 127.0.0.1, or, if everyone shall, say \
                 --allow-unauthenticated-public",
                address.ip()
            )));
        }
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| Error::new(format!("can't listen on {address}: {error} (--port 0 takes a free port)")))?;
        let address = listener.local_addr()?;
        let (app, layers) = (self.app.take(), std::mem::take(&mut self.layers));
        let engine = self.engine().await?;
        let health = match self.site.health.take() {
            Some(address) => Some(Health::start(&address, engine.clone()).await?),
            None => None,
        };
        let url = format!("http://{address}{}", self.site.path);
        let endpoint = self.site(address.ip()).endpoint(engine.clone())?;
        let layered = !layers.is_empty();
        let app = if layered {
            let router = http::router(endpoint.clone());
            let router = match app {
                Some(app) => router.merge(app),
                None => router,
            };
            Some(layers.into_iter().fold(router, |router, layer| layer(router)))
        } else {
            app
        };
        let serving = Serving::start(listener, endpoint, app, layered)?;
        Ok((Running { url, keys: engine.key_fingerprint().to_owned(), serving, health }, engine))
    }

    /// Over HTTP, a session for each principal needs somebody who says who the principal is. Stdio has one peer, and
    /// sessions of its own.
    fn check_identities(&self) -> Result {
        if self.sessions.by_identity && self.authenticator.is_none() {
            return Err(Error::new(
                "the sessions are by identity, but over HTTP nobody says who calls: without authorization there is no \
                 identity that state could hang on. Add `.authorize(…)` to the server, or leave `.by_identity()` out: \
                 state then hangs on session ids and handles",
            ));
        }
        Ok(())
    }

    /// Keeps everything there: session state, the messages of streams, tasks, and those between instances.
    fn open(&mut self, store: Store) -> Result {
        match store {
            Store::Memory => {
                self.store = Some(Arc::new(MemoryStore::new()));
                self.events = Some(Arc::new(MemoryEventLog::new()));
                self.bus = None;
                self.tasks = std::mem::take(&mut self.tasks).store(MemoryTaskStore::new());
            }
            #[cfg(feature = "file")]
            Store::File(path) => {
                let file = Arc::new(crate::store::FileStore::open(path)?);
                self.store = Some(file.clone());
                self.events = Some(file.clone());
                self.bus = None;
                self.tasks = std::mem::take(&mut self.tasks).shared_store(file);
            }
            #[cfg(feature = "redis")]
            Store::Redis(url) => {
                let redis = Arc::new(crate::store::RedisStore::open(&url)?);
                self.store = Some(redis.clone());
                self.events = Some(redis.clone());
                self.bus = Some(redis.clone());
                self.tasks = std::mem::take(&mut self.tasks).shared_store(redis);
            }
            #[cfg(feature = "postgres")]
            Store::Postgres(url) => {
                let postgres = Arc::new(crate::store::PostgresStore::open(&url)?);
                self.store = Some(postgres.clone());
                self.events = Some(postgres.clone());
                self.bus = Some(postgres.clone());
                self.tasks = std::mem::take(&mut self.tasks).shared_store(postgres);
            }
            #[cfg(not(feature = "postgres"))]
            Store::Postgres(_) => {
                return Err(Error::new(
                    "can't keep state in PostgreSQL: this program was built without the feature `postgres` of mcp-runtime",
                ));
            }
            #[cfg(not(feature = "redis"))]
            Store::Redis(_) => {
                return Err(Error::new(
                    "can't keep state in Redis: this program was built without the feature `redis` of mcp-runtime",
                ));
            }
            #[cfg(not(feature = "file"))]
            Store::File(path) => {
                return Err(Error::new(format!(
                    "can't keep state in the file {path}: this program was built without the feature `file` of mcp-runtime"
                )));
            }
        }
        Ok(())
    }

    /// The running server alone, and who checks its credentials: for whoever brings the messages another way.
    #[cfg(feature = "testing")]
    pub(crate) async fn into_engine(mut self) -> Result<(Arc<Engine>, Option<Arc<dyn Authenticator>>)> {
        Ok((self.engine().await?, self.authenticator))
    }

    async fn engine(&mut self) -> Result<Arc<Engine>> {
        let store = self.store.take().unwrap_or_else(|| Arc::new(MemoryStore::new()));
        let mut sessions = std::mem::take(&mut self.sessions);
        if self.stateless {
            sessions = sessions.turned_off();
        }
        let mut setup = Setup::new(self.compose()?, sessions, store);
        setup.events = self.events.take().unwrap_or(setup.events);
        setup.bus = self.bus.take();
        setup.changes = self.changes.take();
        setup.revocations = self.revocations.take();
        setup.tasks = std::mem::take(&mut self.tasks);
        setup.providers = std::mem::take(&mut self.providers);
        setup.visible = self.visible.take();
        extensions::check(&self.extensions)?;
        setup.extensions = std::mem::take(&mut self.extensions);
        setup.middleware = std::mem::take(&mut self.middleware);
        setup.answered_within = self.answered_within;
        setup.streams = !self.stateless;
        setup.page_size = self.page_size.unwrap_or(setup.page_size);
        setup.list_ttl = self.list_ttl;
        Ok(Engine::start(setup).await?)
    }

    fn site(self, bound: IpAddr) -> Site {
        Site {
            bound,
            path: self.site.path,
            hosts: self.site.hosts,
            origins: self.site.origins,
            authenticator: self.authenticator,
            streams: !self.stateless,
        }
    }
}

/// The address to listen on, after a look at the path.
async fn resolve(site: &SiteOptions) -> Result<SocketAddr> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    if !site.path.starts_with('/') || !site.path.bytes().all(plain) {
        return Err(Error::new(format!(
            "`{}` is no path for the endpoint: it starts with `/` and has only letters, digits and `-._~/`, such as `/mcp`",
            site.path
        )));
    }
    let host = site.host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok((address, site.port).into());
    }
    let unknown = |error: &dyn std::fmt::Display| {
        Error::new(format!("can't listen on `{host}`: {error}; a host is an address or name of this machine"))
    };
    let mut addresses = tokio::net::lookup_host((host, site.port)).await.map_err(|error| unknown(&error))?;
    addresses.next().ok_or_else(|| unknown(&"it has no address"))
}

/// SIGTERM and Ctrl-C.
struct Signal {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signal {
    #[cfg(unix)]
    fn new() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    #[cfg(unix)]
    async fn recv(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    fn new() -> Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn recv(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
