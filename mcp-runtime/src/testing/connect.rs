//! How a client comes to its server.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
};

use serde_json::{Map, Value, json};

use super::{
    answers::Answers,
    client::Client,
    error::RequestError,
    line::{Caller, Door, Host, Line, client_info},
};
use crate::{
    auth::Principal,
    exchange::Outbound,
    protocol::{
        Version,
        ask::{ElicitRequest, ElicitResult, Root, SamplingRequest, SamplingResult},
    },
    server::{Error, Result, Server},
};

/// A client that is about to connect: what it speaks, who it is, what it can do. `.await` connects it.
#[must_use = "a client connects when this is awaited"]
pub struct Connecting {
    to: To,
    version: Version,
    stdio: bool,
    caller: Caller,
    capabilities: Map<String, Value>,
    answers: Answers,
}

enum To {
    Declared(Box<Server>),
    Running(Arc<Host>),
}

impl Connecting {
    pub(super) fn declared(server: Server) -> Self {
        Self::to(To::Declared(Box::new(server)))
    }

    pub(super) fn running(host: Arc<Host>) -> Self {
        Self::to(To::Running(host))
    }

    fn to(to: To) -> Self {
        let (version, caller) = (Version::NEWEST, Caller::Bearer(None));
        Self { to, version, stdio: false, caller, capabilities: Map::new(), answers: Answers::default() }
    }

    /// It speaks this revision; without it, the newest.
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// It comes by stdio; without it, by HTTP.
    pub fn stdio(mut self) -> Self {
        self.stdio = true;
        self
    }

    /// It is this principal, whatever the server's authenticator says.
    pub fn as_principal(mut self, principal: Principal) -> Self {
        self.caller = Caller::Principal(principal);
        self
    }

    /// It shows this bearer token with each request, and the server's authenticator says who that is.
    pub fn with_bearer(mut self, token: impl Into<String>) -> Self {
        self.caller = Caller::Bearer(Some(token.into()));
        self
    }

    /// It can ask the person, who answers this: forms, and pages to open.
    ///
    /// Where a revision has no such question, the tool is told that it can't be asked.
    pub fn on_elicit(mut self, answer: impl Fn(ElicitRequest) -> ElicitResult + Send + Sync + 'static) -> Self {
        self.answers.elicit = Some(Arc::new(answer));
        self.with_capabilities(json!({ "elicitation": { "form": {}, "url": {} } }))
    }

    /// It has a model, which says this.
    pub fn on_sample(mut self, answer: impl Fn(SamplingRequest) -> SamplingResult + Send + Sync + 'static) -> Self {
        self.answers.sample = Some(Arc::new(answer));
        self.with_capabilities(json!({ "sampling": { "tools": {}, "context": {} } }))
    }

    /// It has these roots.
    pub fn with_roots(mut self, roots: impl IntoIterator<Item = Root>) -> Self {
        self.answers.roots = Some(roots.into_iter().collect());
        self.with_capabilities(json!({ "roots": {} }))
    }

    /// It says that it can do this too: an object such as `{"elicitation": {"form": {}}}`.
    pub fn with_capabilities(mut self, capabilities: Value) -> Self {
        if let Value::Object(capabilities) = capabilities {
            self.capabilities.extend(capabilities);
        }
        self
    }

    async fn connect(self) -> Result<Client> {
        let host = match self.to {
            To::Running(host) => host,
            To::Declared(server) => {
                let (engine, authenticator) = server.into_engine().await?;
                Arc::new(Host { engine, authenticator })
            }
        };
        let door = if self.stdio { Door::Stdio(host.engine.process()) } else { Door::Http(None) };
        let mut line = Line::new(host, self.version, self.caller, door, self.capabilities, self.answers);
        let greeting = if self.version.has_handshake() {
            shake_hands(&mut line).await?
        } else {
            line.request("server/discover", json!({}), Vec::new()).await?
        };
        Ok(Client::new(line, greeting))
    }
}

/// The handshake of revisions that begin with one.
async fn shake_hands(line: &mut Line) -> Result<Value> {
    let params = json!({
        "protocolVersion": line.version.as_str(), "capabilities": line.capabilities, "clientInfo": client_info(),
    });
    let answer: Outbound = line.answer("initialize", params, Vec::new()).await?;
    let greeting = RequestError::or_result(&answer)?;
    if greeting["protocolVersion"] != line.version.as_str() {
        return Err(Error::new(format!("the server wants to speak {}", greeting["protocolVersion"])));
    }
    if let Door::Http(session) = &mut line.door {
        *session = answer.session_id;
    }
    line.notify("notifications/initialized", json!({})).await?;
    Ok(greeting)
}

impl IntoFuture for Connecting {
    type Output = Result<Client>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Client>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.connect())
    }
}

impl fmt::Debug for Connecting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connecting").field("version", &self.version).finish_non_exhaustive()
    }
}
