//! A client of one server, in one revision.

use std::{fmt, sync::Arc};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, OnceCell};

use super::{
    answer::{Notification, PromptAnswer, ResourceAnswer, ToolAnswer},
    connect::Connecting,
    error::RequestError,
    headers::parameters,
    known::{Known, LISTS, list},
    line::{Door, Line},
};
use crate::{
    era::{HANDLE_ARGUMENT, MINTING_TOOL},
    protocol::{Prompt, Resource, ResourceTemplate, Tool, Version},
    server::{Result as Started, Server},
    wire::Code,
};

/// A client of one server, in memory: it speaks one revision and has one session.
///
/// What revisions do differently is its business, so that the body of a test is the same in all of them: the handshake and
/// the session id of older ones; the envelope, the headers and the handle of 2026-07-28, which it opens when a tool first
/// needs it.
pub struct Client {
    line: Line,
    greeting: Value,
    known: Mutex<Option<Arc<Known>>>,
    handle: OnceCell<String>,
}

impl Client {
    /// A client of this server in this revision, by HTTP, with no principal.
    ///
    /// # Errors
    /// [`Error`](crate::Error) when the server can't start or refuses the client.
    pub async fn connect(server: Server, version: Version) -> Started<Self> {
        Self::of(server).version(version).await
    }

    /// A client of this server in the newest revision, by HTTP, with no principal.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn newest(server: Server) -> Started<Self> {
        Self::of(server).await
    }

    /// A client of this server, with more to say: who it is, how it comes.
    pub fn of(server: Server) -> Connecting {
        Connecting::declared(server)
    }

    /// Another client of the same running server, with a session of its own.
    pub fn another(&self) -> Connecting {
        Connecting::running(self.line.host.clone())
    }

    pub(super) fn new(line: Line, greeting: Value) -> Self {
        Self { line, greeting, known: Mutex::default(), handle: OnceCell::new() }
    }

    /// The revision that it speaks.
    #[must_use]
    pub fn version(&self) -> Version {
        self.line.version
    }

    /// What the server said of itself first: the result of `initialize`, or of `server/discover`.
    #[must_use]
    pub fn greeting(&self) -> &Value {
        &self.greeting
    }

    /// Calls a tool; `arguments` is an object.
    ///
    /// # Errors
    /// [`RequestError`] where there is no result: an unknown tool, a refused request. A tool that says no has one.
    pub async fn call_tool(&self, name: &str, arguments: Value) -> Result<ToolAnswer, RequestError> {
        let known = self.known(|known| known.tool(name).is_some()).await?;
        let tool = known.tool(name).cloned().unwrap_or_default();
        let arguments = if tool.takes_handle { self.with_handle(arguments).await? } else { arguments };
        let parameters = parameters(&tool.mirrored, &arguments);
        let result =
            self.line.request("tools/call", json!({ "name": name, "arguments": arguments }), parameters).await?;
        ToolAnswer::new(result, &tool, self.line.version.has_handshake())
    }

    /// Gets a prompt; `arguments` is an object of strings.
    ///
    /// # Errors
    /// [`RequestError`]: the prompt is unknown, or says no.
    pub async fn get_prompt(&self, name: &str, arguments: Value) -> Result<PromptAnswer, RequestError> {
        let known = self.known(|_| true).await?;
        let takes_handle = known.prompt_takes_handle(name);
        let arguments = if takes_handle { self.with_handle(arguments).await? } else { arguments };
        let params = json!({ "name": name, "arguments": arguments });
        PromptAnswer::new(self.line.request("prompts/get", params, Vec::new()).await?)
    }

    /// Reads a resource, by its URI without a session.
    ///
    /// # Errors
    /// [`RequestError`]: there is no such resource, or it says no.
    pub async fn read_resource(&self, uri: &str) -> Result<ResourceAnswer, RequestError> {
        let known = self.known(|_| true).await?;
        let named = match known.names_sessions() {
            true => known.uri_with_handle(uri, self.handle().await?),
            false => None,
        };
        let params = json!({ "uri": named.as_deref().unwrap_or(uri) });
        ResourceAnswer::new(self.line.request("resources/read", params, Vec::new()).await?)
    }

    /// What an argument of a prompt can be, of which `value` was typed; `known` is an object of the arguments that are known
    /// already.
    ///
    /// # Errors
    /// [`RequestError`]: the prompt is unknown, or completing says no.
    pub async fn complete_prompt(
        &self,
        name: &str,
        argument: &str,
        value: &str,
        known: Value,
    ) -> Result<Vec<String>, RequestError> {
        let takes_handle = self.known(|_| true).await?.prompt_takes_handle(name);
        let known = if takes_handle { self.with_handle(known).await? } else { known };
        self.complete(json!({ "type": "ref/prompt", "name": name }), argument, value, known).await
    }

    /// What a variable of a template can be, of which `value` was typed; `known` is an object of the variables that are
    /// known already. The template is meant as it was declared.
    ///
    /// # Errors
    /// [`RequestError`]: the template is unknown, or completing says no.
    pub async fn complete_resource(
        &self,
        template: &str,
        variable: &str,
        value: &str,
        known: Value,
    ) -> Result<Vec<String>, RequestError> {
        let lists = self.known(|_| true).await?;
        let listed = lists.template_with_handle(template);
        let known = if listed.is_some() { self.with_handle(known).await? } else { known };
        let reference = json!({ "type": "ref/resource", "uri": listed.unwrap_or(template) });
        self.complete(reference, variable, value, known).await
    }

    async fn complete(
        &self,
        reference: Value,
        argument: &str,
        value: &str,
        known: Value,
    ) -> Result<Vec<String>, RequestError> {
        let mut params = json!({ "ref": reference, "argument": { "name": argument, "value": value } });
        if !known.is_null() {
            params["context"] = json!({ "arguments": known });
        }
        let mut result = self.line.request("completion/complete", params, Vec::new()).await?;
        decoded(result["completion"]["values"].take(), "the values of the completion")
    }

    /// Every tool, as this revision shows it; on 2026-07-28 the one that opens sessions is among them.
    ///
    /// # Errors
    /// [`RequestError`] when the request is refused.
    pub async fn list_tools(&self) -> Result<Vec<Tool>, RequestError> {
        self.list(LISTS[0]).await
    }

    /// Every prompt, as this revision shows it.
    ///
    /// # Errors
    /// [`RequestError`] when the request is refused.
    pub async fn list_prompts(&self) -> Result<Vec<Prompt>, RequestError> {
        self.list(LISTS[1]).await
    }

    /// Every resource, as this revision shows it.
    ///
    /// # Errors
    /// [`RequestError`] when the request is refused.
    pub async fn list_resources(&self) -> Result<Vec<Resource>, RequestError> {
        self.list(LISTS[2]).await
    }

    /// Every template of resources, as this revision shows it.
    ///
    /// # Errors
    /// [`RequestError`] when the request is refused.
    pub async fn list_resource_templates(&self) -> Result<Vec<ResourceTemplate>, RequestError> {
        self.list(LISTS[3]).await
    }

    async fn list<T: DeserializeOwned>(&self, of: (&str, &str)) -> Result<Vec<T>, RequestError> {
        let listed = list(&self.line, of).await?;
        listed.into_iter().map(|item| decoded(item, "what is listed")).collect()
    }

    /// Everything that this client is told before it calls anything: the greeting and the lists, without paging.
    ///
    /// # Errors
    /// [`RequestError`] when a request is refused.
    pub async fn card(&self) -> Result<Value, RequestError> {
        let mut card = Map::from_iter([("greeting".to_owned(), self.greeting.clone())]);
        for (method, member) in LISTS {
            let listed = list(&self.line, (method, member)).await?;
            if !listed.is_empty() {
                card.insert(member.to_owned(), listed.into());
            }
        }
        Ok(card.into())
    }

    /// Sends any request, with what the revision wants around it and nothing that a tool or resource wants; gives the
    /// result as it comes.
    ///
    /// # Errors
    /// [`RequestError`] for every answer without a result.
    pub async fn request(&self, method: &str, params: Value) -> Result<Value, RequestError> {
        self.line.request(method, params, Vec::new()).await
    }

    /// Sends any notification.
    ///
    /// # Errors
    /// [`RequestError`] when it is not accepted.
    pub async fn notify(&self, method: &str, params: Value) -> Result<(), RequestError> {
        self.line.notify(method, params).await
    }

    /// What the server said beside its answers since the last look, oldest first: progress, messages for the log. Progress
    /// is asked for with each request.
    #[must_use]
    pub fn notifications(&self) -> Vec<Notification> {
        self.line.heard()
    }

    /// What carries this client's session: the session id of older revisions, the handle of 2026-07-28, which is opened
    /// here at the latest. `None` where nothing does: over stdio in older revisions, without sessions, without state.
    ///
    /// # Errors
    /// [`RequestError`] when no session could be opened.
    pub async fn session(&self) -> Result<Option<&str>, RequestError> {
        match &self.line.door {
            Door::Http(Some(id)) => Ok(Some(id)),
            _ if self.line.version.has_handshake() => Ok(None),
            _ => match self.handle().await {
                Ok(handle) => Ok(Some(handle)),
                Err(error) if error.code == Some(Code::INVALID_PARAMS.0) => Ok(None),
                Err(error) => Err(error),
            },
        }
    }

    /// Ends the session: by DELETE over HTTP, with the connection over stdio. A handle can't be ended, so on 2026-07-28
    /// nothing is sent.
    ///
    /// # Errors
    /// [`RequestError`] when the server does not end it.
    pub async fn end_session(&self) -> Result<(), RequestError> {
        let engine = &self.line.host.engine;
        match &self.line.door {
            Door::Stdio(process) => engine.end_process(process).await,
            Door::Http(Some(_)) => {
                let principal = self.line.principal().await?;
                let outbound = engine.end(&self.line.headers(), principal.as_ref()).await;
                if !outbound.status.is_success() {
                    return RequestError::or_result(&outbound).map(drop);
                }
            }
            Door::Http(None) => {}
        }
        Ok(())
    }

    /// What is known from the lists; they are read again where that is not enough.
    async fn known(&self, enough: impl Fn(&Known) -> bool) -> Result<Arc<Known>, RequestError> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| enough(known)) {
            return Ok(known.clone());
        }
        let fresh = Arc::new(Known::read(&self.line).await?);
        *known = Some(fresh.clone());
        Ok(fresh)
    }

    /// The handle of this client's session.
    async fn handle(&self) -> Result<&str, RequestError> {
        let open = async || {
            let params = json!({ "name": MINTING_TOOL, "arguments": {} });
            let mut opened = self.line.request("tools/call", params, Vec::new()).await?;
            decoded(opened["structuredContent"][HANDLE_ARGUMENT].take(), "the handle")
        };
        self.handle.get_or_try_init(open).await.map(String::as_str)
    }

    /// The arguments with the handle, unless the test gave one.
    async fn with_handle(&self, mut arguments: Value) -> Result<Value, RequestError> {
        if arguments.is_null() {
            arguments = json!({});
        }
        if let Some(arguments) = arguments.as_object_mut()
            && !arguments.contains_key(HANDLE_ARGUMENT)
        {
            arguments.insert(HANDLE_ARGUMENT.to_owned(), self.handle().await?.into());
        }
        Ok(arguments)
    }
}

fn decoded<T: DeserializeOwned>(value: Value, what: &str) -> Result<T, RequestError> {
    serde_json::from_value(value).map_err(|error| RequestError::unreadable(what, &error))
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").field("version", &self.line.version).finish_non_exhaustive()
    }
}
