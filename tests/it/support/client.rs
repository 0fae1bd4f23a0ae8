//! A client of either era, as small as the protocol lets it be. What it gets is held against the official schema.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::Request;

/// Which protocol a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// With a handshake, of this revision.
    Legacy(&'static str),
    /// 2026-07-28.
    Modern,
}

impl Era {
    /// The revision of its messages.
    pub fn revision(self) -> &'static str {
        match self {
            Self::Legacy(revision) => revision,
            Self::Modern => MODERN,
        }
    }
}

/// The revision without a handshake.
pub const MODERN: &str = "2026-07-28";

/// A client with one session.
pub struct Client {
    pub port: u16,
    era: Era,
    bearer: Option<String>,
    /// The id of the session, for eras that have one.
    session: Option<String>,
    /// The handle of the session, opened when a tool needs it.
    handle: OnceLock<String>,
}

/// The tools of the fixture and of the tutorial that keep state.
const STATEFUL: [&str; 8] =
    ["count", "count_up", "counted", "who", "count_and_panic", "count_and_fail", "memory_add", "memory_recall"];

impl Client {
    /// Connects, with a handshake where there is one.
    pub fn new(port: u16, era: Era) -> Self {
        Self::new_as(port, era, None)
    }

    /// The same with a bearer token.
    pub fn new_as(port: u16, era: Era, bearer: Option<&str>) -> Self {
        let mut client =
            Self { port, era, bearer: bearer.map(ToOwned::to_owned), session: None, handle: OnceLock::new() };
        if let Era::Legacy(revision) = era {
            let params = json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
            let body = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
            let response = client.authorized(Request::post(body.to_string())).revision(revision).send(port);
            assert_eq!(response.json()["result"]["protocolVersion"], revision);
            client.session = response.header("mcp-session-id").map(ToOwned::to_owned);
            client.notify("notifications/initialized", json!({}));
        }
        client
    }

    /// The same client, whose server is now at another port.
    #[must_use]
    pub fn moved(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    fn authorized(&self, request: Request) -> Request {
        match &self.bearer {
            Some(bearer) => request.header("Authorization", format!("Bearer {bearer}")),
            None => request,
        }
    }

    /// A request with the headers that everything in this session has, whose answer must follow the schema.
    pub fn headers(&self, mut request: Request) -> Request {
        request = self.authorized(request).revision(self.era.revision());
        if let Some(session) = &self.session {
            request = request.header("Mcp-Session-Id", session);
        }
        match self.era {
            Era::Legacy(revision) if revision >= "2025-06-18" => request.header("MCP-Protocol-Version", revision),
            _ => request,
        }
    }

    /// The id of this client's session, where its era has one.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The handle of this client's session.
    pub fn handle(&self) -> &str {
        self.handle.get_or_init(|| {
            let answer = self.call("open_session", json!({}));
            answer["result"]["structuredContent"]["session"].as_str().expect("a handle is opened").to_owned()
        })
    }

    /// A message with everything that the era wants around it.
    fn message(&self, id: Option<Value>, method: &str, mut params: Value, meta: Value) -> Request {
        let mut whole = meta;
        if self.era == Era::Modern {
            whole["io.modelcontextprotocol/protocolVersion"] = json!(MODERN);
            whole["io.modelcontextprotocol/clientCapabilities"] = json!({});
        }
        if whole.as_object().is_some_and(|whole| !whole.is_empty()) {
            params["_meta"] = whole;
        }
        let name = params["name"].as_str().or(params["uri"].as_str()).map(ToOwned::to_owned);
        let mut body = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        if let Some(id) = id {
            body["id"] = id;
        }
        let request = self.headers(Request::post(body.to_string()));
        if self.era != Era::Modern {
            return request;
        }
        let request = request.header("MCP-Protocol-Version", MODERN).header("Mcp-Method", method);
        match name {
            Some(name) => request.header("Mcp-Name", name),
            None => request,
        }
    }

    /// The request of a call, with the handle where the tool keeps state and the era has handles.
    pub fn call_request(&self, id: Value, tool: &str, arguments: Value) -> Request {
        self.call_request_with_meta(id, tool, arguments, json!({}))
    }

    /// The same with members of `_meta`.
    pub fn call_request_with_meta(&self, id: Value, tool: &str, mut arguments: Value, meta: Value) -> Request {
        let by_handle = self.era == Era::Modern && STATEFUL.contains(&tool) && self.bearer.is_none();
        let of_somebody = self.era == Era::Modern && STATEFUL.contains(&tool) && self.handle.get().is_some();
        if (by_handle || of_somebody) && arguments["session"].is_null() {
            arguments["session"] = json!(self.handle());
        }
        self.message(Some(id), "tools/call", json!({ "name": tool, "arguments": arguments }), meta)
    }

    /// Calls a tool.
    pub fn call(&self, tool: &str, arguments: Value) -> Value {
        self.call_request(json!(1), tool, arguments).send(self.port).json()
    }

    /// Any request with members of `_meta`.
    pub fn message_with_meta(&self, method: &str, params: Value, meta: Value) -> Request {
        self.message(Some(json!(1)), method, params, meta)
    }

    /// Sends any request.
    pub fn request(&self, method: &str, params: Value) -> Value {
        self.message(Some(json!(1)), method, params, json!({})).send(self.port).json()
    }

    /// Reads a resource.
    pub fn read(&self, uri: &str) -> Value {
        self.request("resources/read", json!({ "uri": uri }))
    }

    /// Sends a notification, which nothing answers.
    pub fn notify(&self, method: &str, params: Value) {
        let response = self.message(None, method, params, json!({})).send(self.port);
        assert_eq!((response.status, response.body.len()), (202, 0));
    }

    /// The structured result, taken out of its wrapper where the revision has one.
    pub fn structured<'a>(&self, answer: &'a Value) -> &'a Value {
        let structured = &answer["result"]["structuredContent"];
        if self.era == Era::Modern { structured } else { &structured["result"] }
    }
}
