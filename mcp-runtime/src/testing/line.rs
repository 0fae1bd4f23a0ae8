//! One client's way to the server: messages into the corridor, and what comes back.

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    answer::Notification,
    error::RequestError,
    headers::{field, mirror},
};
use crate::{
    auth::{AuthError, Authenticator, Principal},
    engine::Engine,
    exchange::{Field, Headers, Inbound, Outbound, Source, Step},
    protocol::Version,
    session::Process,
};

/// A server that runs in memory.
pub(super) struct Host {
    pub(super) engine: Arc<Engine>,
    pub(super) authenticator: Option<Arc<dyn Authenticator>>,
}

/// Who a client is.
#[derive(Clone)]
pub(super) enum Caller {
    /// Whoever the server's authenticator takes for the owner of these credentials, or of none.
    Bearer(Option<String>),
    /// This one, whatever the authenticator would say.
    Principal(Principal),
}

/// How a client's messages go.
#[derive(Clone)]
pub(super) enum Door {
    /// By POST; the id of the session once there is one.
    Http(Option<String>),
    /// On a line.
    Stdio(Arc<Process>),
}

/// One client's way to the server.
pub(super) struct Line {
    pub(super) host: Arc<Host>,
    pub(super) version: Version,
    pub(super) caller: Caller,
    pub(super) door: Door,
    pub(super) capabilities: Map<String, Value>,
    ids: AtomicI64,
    heard: Mutex<Vec<Notification>>,
}

impl Line {
    pub(super) fn new(
        host: Arc<Host>,
        version: Version,
        caller: Caller,
        door: Door,
        capabilities: Map<String, Value>,
    ) -> Self {
        Self { host, version, caller, door, capabilities, ids: AtomicI64::new(1), heard: Mutex::default() }
    }

    /// The same client's way in the newest revision, which shows things as they are declared.
    pub(super) fn newest(&self) -> Self {
        let (host, caller) = (self.host.clone(), self.caller.clone());
        Self::new(host, Version::NEWEST, caller, Door::Http(None), self.capabilities.clone())
    }

    /// Sends a request and gives its result.
    pub(super) async fn request(
        &self,
        method: &str,
        params: Value,
        parameters: Vec<(Box<str>, Field)>,
    ) -> Result<Value, RequestError> {
        RequestError::or_result(&self.answer(method, params, parameters).await?)
    }

    /// Sends a request and gives its answer, whatever it is.
    pub(super) async fn answer(
        &self,
        method: &str,
        params: Value,
        parameters: Vec<(Box<str>, Field)>,
    ) -> Result<Outbound, RequestError> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        let mut params = self.enveloped(params);
        if method != "initialize" {
            // Wanted always: whoever does not look at it loses nothing.
            set_meta(&mut params, "progressToken", json!(id));
        }
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }), parameters).await
    }

    /// Sends a notification, which nothing answers.
    pub(super) async fn notify(&self, method: &str, params: Value) -> Result<(), RequestError> {
        let params = self.enveloped(params);
        let outbound = self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }), Vec::new()).await?;
        match outbound.status {
            StatusCode::ACCEPTED => Ok(()),
            _ => RequestError::or_result(&outbound).map(drop),
        }
    }

    /// What came beside answers, oldest first; it is taken out.
    pub(super) fn heard(&self) -> Vec<Notification> {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The headers that go with every message of a session.
    pub(super) fn headers(&self) -> Headers {
        let session_id = match &self.door {
            Door::Http(Some(id)) => field(id),
            _ => Field::Absent,
        };
        // Revisions before the header have clients that send it all the same; it is then what their session agreed on.
        Headers { protocol_version: field(self.version.as_str()), session_id, ..Headers::default() }
    }

    /// Who the server takes this client for.
    pub(super) async fn principal(&self) -> Result<Option<Principal>, RequestError> {
        let bearer = match &self.caller {
            Caller::Principal(principal) => return Ok(Some(principal.clone())),
            Caller::Bearer(bearer) => bearer.as_ref().map(|bearer| format!("Bearer {bearer}")),
        };
        // Over stdio nobody is asked: whoever started the process is its client.
        let (Some(authenticator), Door::Http(_)) = (&self.host.authenticator, &self.door) else { return Ok(None) };
        match authenticator.authenticate(bearer.as_deref()).await {
            Ok(principal) => Ok(Some(principal)),
            Err(error) => {
                let status = match error {
                    AuthError::Unauthorized => StatusCode::UNAUTHORIZED,
                    AuthError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
                };
                Err(RequestError::refused(status, error.to_string()))
            }
        }
    }

    /// Params with what the revision wants in every message.
    fn enveloped(&self, mut params: Value) -> Value {
        if params.is_null() {
            params = json!({});
        }
        if !self.version.has_handshake() {
            set_meta(&mut params, "io.modelcontextprotocol/protocolVersion", json!(self.version.as_str()));
            set_meta(&mut params, "io.modelcontextprotocol/clientInfo", client_info());
            set_meta(&mut params, "io.modelcontextprotocol/clientCapabilities", json!(self.capabilities));
        }
        params
    }

    async fn send(&self, message: &Value, parameters: Vec<(Box<str>, Field)>) -> Result<Outbound, RequestError> {
        let source = match &self.door {
            Door::Stdio(process) => Source::Stdio(process.clone()),
            Door::Http(_) => {
                let mut headers = Headers { parameters, ..self.headers() };
                if !self.version.has_handshake() {
                    mirror(&mut headers, message);
                }
                Source::Http { headers: Box::new(headers), streams: true }
            }
        };
        let inbound = Inbound { body: message.to_string().into(), principal: self.principal().await?, source };
        let mut exchange = self.host.engine.exchange(inbound);
        loop {
            match poll_fn(|cx| exchange.poll_step(cx)).await {
                Step::Message(message) => self.hear(&message)?,
                Step::Done(outbound) => return Ok(outbound),
            }
        }
    }

    /// Takes what came before the answer.
    fn hear(&self, message: &[u8]) -> Result<(), RequestError> {
        let heard = serde_json::from_slice(message).map_err(|error| RequestError::unreadable("a message", &error))?;
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
        Ok(())
    }
}

/// What this client says it is.
pub(super) fn client_info() -> Value {
    json!({ "name": "mcp-runtime-testing", "version": env!("CARGO_PKG_VERSION") })
}

/// Sets a member of `_meta`, unless the test did.
fn set_meta(params: &mut Value, key: &str, value: Value) {
    let Some(params) = params.as_object_mut() else { return };
    if let Some(meta) = params.entry("_meta").or_insert_with(|| json!({})).as_object_mut() {
        meta.entry(key).or_insert(value);
    }
}
