//! One client's way to the server: messages into the corridor, and what comes back.

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    answer::Notification,
    answers::Answers,
    error::RequestError,
    headers::{field, mirror},
};
use crate::{
    auth::{AuthError, Authenticator, Principal},
    engine::Engine,
    exchange::{Event, Exchange, Field, Headers, Inbound, Outbound, Source, Step},
    protocol::Version,
    session::Process,
    wire::Code,
};

/// A request is sent again with answers at most so often: a server that asks for ever would hang its test.
const ROUNDS: usize = 100;

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
    answers: Answers,
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
        answers: Answers,
    ) -> Self {
        Self { host, version, caller, door, capabilities, answers, ids: AtomicI64::new(1), heard: Mutex::default() }
    }

    /// The same client's way in the newest revision, which shows things as they are declared.
    pub(super) fn newest(&self) -> Self {
        let (host, caller) = (self.host.clone(), self.caller.clone());
        Self::new(host, Version::NEWEST, caller, Door::Http(None), self.capabilities.clone(), self.answers.clone())
    }

    /// Sends a request and gives its result. Where the result asks, the request is sent again with the answers.
    pub(super) async fn request(
        &self,
        method: &str,
        mut params: Value,
        parameters: Vec<(Box<str>, Field)>,
    ) -> Result<Value, RequestError> {
        for _ in 0..ROUNDS {
            let answer = self.answer(method, params.clone(), parameters.clone()).await?;
            let mut result = RequestError::or_result(&answer)?;
            if result["resultType"] != "input_required" {
                return Ok(result);
            }
            let mut responses = Map::new();
            for (key, question) in result["inputRequests"].as_object_mut().into_iter().flatten() {
                let asked = question["method"].as_str().unwrap_or_default().to_owned();
                let response = self.answers.answer(&asked, question["params"].take());
                responses
                    .insert(key.clone(), response.map_err(|reason| RequestError::refused(StatusCode::OK, reason))?);
            }
            params["inputResponses"] = responses.into();
            if let Value::String(state) = result["requestState"].take() {
                params["requestState"] = state.into();
            }
        }
        Err(RequestError::refused(StatusCode::OK, format!("the server asks on after {ROUNDS} answers")))
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
        let mut exchange = self.begin(message, parameters).await?;
        let (mut answer, mut last) = (None, None);
        let outbound = loop {
            match poll_fn(|cx| exchange.poll_step(cx)).await {
                Step::Message(event) => self.take(event, &mut answer, &mut last).await?,
                Step::Done(outbound) => break outbound,
            }
        };
        // With it goes the connection: a call that is not over goes on without it.
        drop(exchange);
        if answer.is_none() && outbound.body.is_empty() && outbound.status == StatusCode::OK {
            // The server let go of the connection: the answer is fetched.
            while let (None, Some(from)) = (&answer, last.take()) {
                self.resume(from, &mut answer, &mut last).await?;
            }
        }
        Ok(Outbound { body: answer.unwrap_or(outbound.body.clone()), ..outbound })
    }

    async fn begin(&self, message: &Value, parameters: Vec<(Box<str>, Field)>) -> Result<Exchange, RequestError> {
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
        Ok(self.host.engine.exchange(inbound))
    }

    /// Comes back for what followed an event, after the time that the server wants.
    async fn resume(
        &self,
        from: Seen,
        answer: &mut Option<Bytes>,
        last: &mut Option<Seen>,
    ) -> Result<(), RequestError> {
        tokio::time::sleep(from.retry).await;
        let headers = Headers { last_event_id: field(&from.id), ..self.headers() };
        let principal = self.principal().await?;
        let mut events = match self.host.engine.listen(&headers, principal.as_ref()).await {
            Ok(events) => events,
            Err(refusal) => return RequestError::or_result(&refusal).map(drop),
        };
        *last = Some(from);
        while answer.is_none()
            && let Some(event) = poll_fn(|cx| events.poll_next(cx)).await
        {
            self.take(event, answer, last).await?;
        }
        Ok(())
    }

    /// Takes an event: an answer, something that the server asks, or something that it says.
    async fn take(
        &self,
        event: Event,
        answer: &mut Option<Bytes>,
        last: &mut Option<Seen>,
    ) -> Result<(), RequestError> {
        if let Some(id) = event.id {
            let retry = last.as_ref().map_or(Duration::ZERO, |last| last.retry);
            *last = Some(Seen { id, retry });
        }
        if let (Some(last), Some(retry)) = (last, event.retry) {
            last.retry = retry;
        }
        if event.data.is_empty() {
            return Ok(());
        }
        let mut message: Value =
            serde_json::from_slice(&event.data).map_err(|error| RequestError::unreadable("a message", &error))?;
        match (message["method"].as_str().map(ToOwned::to_owned), message["id"].take()) {
            (None, _) => *answer = Some(event.data),
            (Some(_), Value::Null) => {
                let notification = serde_json::from_value(message);
                let notification = notification.map_err(|error| RequestError::unreadable("a notification", &error))?;
                self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(notification);
            }
            (Some(method), id) => self.respond(id, &method, message["params"].take()).await?,
        }
        Ok(())
    }

    /// Answers a request of the server.
    async fn respond(&self, id: Value, method: &str, params: Value) -> Result<(), RequestError> {
        let response = match self.answers.answer(method, params) {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err(reason) => {
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": Code::METHOD_NOT_FOUND.0, "message": reason } })
            }
        };
        let mut exchange = self.begin(&response, Vec::new()).await?;
        loop {
            match poll_fn(|cx| exchange.poll_step(cx)).await {
                // Nothing is said about a response.
                Step::Message(_) => {}
                Step::Done(outbound) if outbound.status == StatusCode::ACCEPTED => return Ok(()),
                Step::Done(outbound) => return RequestError::or_result(&outbound).map(drop),
            }
        }
    }
}

/// The last event that was seen of a stream.
struct Seen {
    id: Box<str>,
    /// After how long the server wants its client back.
    retry: Duration,
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
