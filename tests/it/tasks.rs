//! Calls that become tasks, in both eras, from outside.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use mcp_runtime::{Server, Tasks, auth::DevelopmentTokens, prelude::*, store::FileStore};
use serde_json::{Value, json};

use crate::{
    official_schema,
    support::{
        Request, Response, StdioServer,
        stream::{Event, EventStream},
    },
};

const EXTENSION: &str = "io.modelcontextprotocol/tasks";
const RELATED: &str = "io.modelcontextprotocol/related-task";
const MODERN: &str = "2026-07-28";

/// A server whose tools take their time.
#[derive(Clone, Default)]
pub(crate) struct Jobs {
    /// Calls that were dropped before their end.
    pub(crate) dropped: Arc<AtomicUsize>,
    /// Runs of `two_answers`.
    runs: Arc<AtomicUsize>,
}

struct Dropped<'a>(&'a AtomicUsize, bool);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[derive(Default, Serialize, Deserialize, SessionState)]
struct Finished {
    jobs: u64,
}

#[derive(Deserialize, JsonSchema)]
struct Named {
    /// A name.
    name: String,
}

#[mcp_server(name = "jobs", version = "1.0.0")]
impl Jobs {
    /// Work for a while.
    #[tool(task)]
    async fn work(&self, cx: &Context, milliseconds: u64) -> String {
        let mut guard = Dropped(&self.dropped, false);
        cx.progress(1.0, 2.0, Some("half of it"));
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        guard.1 = true;
        format!("done as {}", cx.task_id().unwrap_or("no task"))
    }

    /// Work that nobody waits for.
    #[tool(task = "required", meanwhile = "It is being worked on: go on with something else")]
    async fn long_work(&self) -> &'static str {
        "worked"
    }

    /// Say no after a while.
    #[tool(task)]
    async fn fail(&self) -> Result<String, ToolError> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(ToolError::new("no"))
    }

    /// Break.
    #[tool(task)]
    async fn break_down(&self) -> f64 {
        f64::NAN
    }

    /// Ask two things at once.
    #[tool(task)]
    async fn two_answers(&self, cx: &Context) -> Result<String, AskError> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        let first = cx.ask("first", Elicit::form::<Named>("The first?"));
        let second = cx.ask("second", Elicit::form::<Named>("The second?"));
        let (first, second) = cx.ask_all((first, second)).await?;
        Ok(format!("{} and {}", first.name, second.name))
    }

    /// Ask, then work.
    #[tool(task = "required", ask_first)]
    async fn greet(&self, cx: &Context) -> Result<String, AskError> {
        let Named { name } = cx.ask("name", Elicit::form::<Named>("Who?")).await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let Named { name: again } = cx.ask("again", Elicit::form::<Named>("Once more?")).await?;
        Ok(format!("Hello, {name} and {again}"))
    }

    /// Ask for consent, then work.
    #[tool(task = "required", ask_first, single_use)]
    async fn pay(&self, cx: &Context) -> Result<String, AskError> {
        let Named { name } = cx.ask("name", Elicit::form::<Named>("Who pays?")).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(format!("{name} paid"))
    }

    /// Remember that a job was done.
    #[tool(task)]
    async fn finish(&self, finished: &mut Finished) -> u64 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        finished.jobs += 1;
        finished.jobs
    }

    /// Answer at once.
    #[tool]
    fn at_once(&self) -> &'static str {
        "here"
    }
}

pub(crate) struct Served {
    pub(crate) port: u16,
    pub(crate) jobs: Jobs,
    runtime: Option<tokio::runtime::Runtime>,
    running: Option<mcp_runtime::Running>,
}

impl Served {
    pub(crate) fn new(change: impl FnOnce(Server) -> Server) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let jobs = Jobs::default();
        let server = change(Server::new(jobs.clone()).port(0));
        let running = runtime.block_on(server.start()).expect("the server starts");
        Self { port: running.address().port(), jobs, runtime: Some(runtime), running: Some(running) }
    }

    fn stop(&mut self) -> Duration {
        let begun = Instant::now();
        let (runtime, running) = (self.runtime.as_ref().unwrap(), self.running.take().unwrap());
        runtime.block_on(running.stop());
        begun.elapsed()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A client that knows tasks.
#[derive(Clone)]
pub(crate) struct Peer {
    port: u16,
    revision: &'static str,
    pub(crate) session: Option<String>,
    bearer: Option<&'static str>,
    capabilities: Value,
}

impl Peer {
    pub(crate) fn modern(port: u16) -> Self {
        let capabilities = json!({ "elicitation": {}, "extensions": { EXTENSION: {} } });
        Self { port, revision: MODERN, session: None, bearer: None, capabilities }
    }

    fn without_extension(port: u16) -> Self {
        Self { capabilities: json!({}), ..Self::modern(port) }
    }

    /// The same client, whose requests go to another port.
    pub(crate) fn at(&self, port: u16) -> Self {
        Self { port, ..self.clone() }
    }

    pub(crate) fn legacy(port: u16, revision: &'static str, bearer: Option<&'static str>) -> Self {
        let capabilities = json!({ "elicitation": {} });
        let mut peer = Self { port, revision, session: None, bearer, capabilities };
        let welcome = peer.initialize();
        peer.session = welcome.header("mcp-session-id").map(Into::into);
        peer
    }

    fn initialize(&self) -> Response {
        let params = json!({ "protocolVersion": self.revision, "capabilities": self.capabilities,
                             "clientInfo": { "name": "t", "version": "1" } });
        self.request("initialize", params).send(self.port)
    }

    pub(crate) fn request(&self, method: &str, mut params: Value) -> Request {
        let modern = self.revision == MODERN;
        if modern {
            params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(MODERN);
            params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
        }
        let name = params["name"].as_str().or(params["taskId"].as_str()).unwrap_or_default().to_owned();
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut request = Request::post(body.to_string()).revision(self.revision);
        if modern {
            request =
                request.header("Mcp-Method", method).header("MCP-Protocol-Version", MODERN).header("Mcp-Name", name);
        }
        if let Some(session) = &self.session {
            request = request.header("Mcp-Session-Id", session);
        }
        match self.bearer {
            Some(bearer) => request.header("Authorization", format!("Bearer {bearer}")),
            None => request,
        }
    }

    fn send(&self, method: &str, params: Value) -> Value {
        self.request(method, params).send(self.port).json()
    }

    pub(crate) fn result(&self, method: &str, params: Value) -> Value {
        let answer = self.send(method, params);
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    fn error(&self, method: &str, params: Value) -> Value {
        let answer = self.send(method, params);
        assert!(answer["result"].is_null(), "{method}: {answer}");
        answer["error"].clone()
    }

    /// Calls a tool, asking for a task where clients ask.
    pub(crate) fn start(&self, tool: &str, arguments: Value) -> Value {
        let mut params = json!({ "name": tool, "arguments": arguments });
        if self.revision == MODERN {
            return self.result("tools/call", params);
        }
        params["task"] = json!({ "ttl": 60_000 });
        self.result("tools/call", params)["task"].clone()
    }

    /// Opens the stream of its session.
    pub(crate) fn stream(&self) -> EventStream {
        let mut request = Request::of("GET").header("Accept", "text/event-stream");
        request = request.header("Mcp-Session-Id", self.session.as_deref().expect("there is a session"));
        if let Some(bearer) = self.bearer {
            request = request.header("Authorization", format!("Bearer {bearer}"));
        }
        let stream = EventStream::open(self.port, &request);
        assert_eq!(stream.head.status, 200);
        stream
    }

    /// Subscribes to news of these tasks; gives the stream, what it acknowledges, and what was told with it.
    pub(crate) fn listen(&self, ids: &[&str]) -> (EventStream, Value, Vec<Value>) {
        let request = self.request("subscriptions/listen", json!({ "notifications": { "taskIds": ids } }));
        let mut stream = EventStream::open(self.port, &request);
        assert_eq!(stream.head.status, 200);
        let mut heard = self.hear_until(&mut stream, Duration::from_secs(5), |heard| !heard.is_empty());
        let acknowledged = heard.remove(0);
        assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
        (stream, acknowledged["params"]["notifications"].clone(), heard)
    }

    /// The messages of a stream until there are enough, all of them valid.
    pub(crate) fn hear_until(
        &self,
        stream: &mut EventStream,
        limit: Duration,
        enough: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        let messages = |events: &[Event]| -> Vec<Value> {
            let with_data = events.iter().filter(|event| event.data.as_deref().is_some_and(|data| !data.is_empty()));
            with_data.map(Event::json).collect()
        };
        let heard = messages(&stream.hear(limit, |events| enough(&messages(events))));
        heard.iter().for_each(|message| official_schema::assert_valid(self.revision, "", message));
        heard
    }

    pub(crate) fn get(&self, id: &str) -> Value {
        self.result("tasks/get", json!({ "taskId": id }))
    }

    /// Looks until the task has this status.
    pub(crate) fn until(&self, id: &str, status: &str) -> Value {
        let begun = Instant::now();
        loop {
            let task = self.get(id);
            if task["status"] == status {
                return task;
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "{status} never came: {task}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

pub(crate) fn id(task: &Value) -> &str {
    task["taskId"].as_str().expect("a task has an id")
}

pub(crate) fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().expect("a result has a text")
}

pub(crate) fn accepted(name: &str) -> Value {
    json!({ "action": "accept", "content": { "name": name } })
}

// Proves: TE-01, TE-02, TE-03, TL-16.
#[test]
fn a_call_becomes_a_task_for_clients_that_know_tasks() {
    let served = Served::new(|server| server);
    let peer = Peer::modern(served.port);
    let task = peer.start("work", json!({ "milliseconds": 100 }));
    assert_eq!((&task["resultType"], &task["status"]), (&json!("task"), &json!("working")));
    assert_eq!((&task["ttlMs"], &task["pollIntervalMs"]), (&json!(3_600_000), &json!(1000)));
    for absent in ["task", "result", "error", "inputRequests", "requestState", "ttl", "pollInterval"] {
        assert!(task[absent].is_null(), "{absent}: {task}");
    }
    assert_eq!(peer.get(id(&task))["taskId"], task["taskId"]);
    let done = peer.until(id(&task), "completed");
    assert_eq!(done["resultType"], "complete");
    assert_eq!(text(&done["result"]), format!("done as {}", id(&task)));
    assert!(done["result"]["_meta"][RELATED].is_null());
    // A client that does not know them is answered, and a tool that never becomes one stays as it is.
    let plain = Peer::without_extension(served.port)
        .result("tools/call", json!({ "name": "work", "arguments": { "milliseconds": 0 } }));
    assert_eq!((text(&plain), &plain["resultType"]), ("done as no task", &json!("complete")));
    assert_eq!(text(&peer.start("at_once", json!({}))), "here");
}

// Proves: K-02, TE-06, X-03.
#[test]
fn what_can_only_be_a_task_needs_a_client_that_knows_tasks() {
    let served = Served::new(|server| server);
    let peer = Peer::without_extension(served.port);
    let response = peer.request("tools/call", json!({ "name": "long_work", "arguments": {} })).send(served.port);
    assert_eq!((response.status, response.json()["error"]["code"].as_i64()), (400, Some(-32021)));
    let needed = &response.json()["error"]["data"]["requiredCapabilities"];
    assert_eq!(*needed, json!({ "extensions": { EXTENSION: {} } }));
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let response = peer.request(method, json!({ "taskId": "x", "inputResponses": {} })).send(served.port);
        assert_eq!((response.status, response.json()["error"]["code"].as_i64()), (400, Some(-32021)), "{method}");
    }
    // Older revisions say it with the code that they have, and the ones before tasks can't say how.
    let asks = Peer::legacy(served.port, "2025-11-25", None);
    assert_eq!(asks.error("tools/call", json!({ "name": "long_work", "arguments": {} }))["code"], -32601);
    let older = Peer::legacy(served.port, "2025-06-18", None);
    assert_eq!(older.error("tools/call", json!({ "name": "long_work", "arguments": {}, "task": {} }))["code"], -32601);
}

// Proves: K-06, TE-07, P-16.
#[test]
fn a_tool_that_says_no_completes_in_one_era_and_fails_in_the_other() {
    let served = Served::new(|server| server);
    let modern = Peer::modern(served.port);
    let task = modern.until(id(&modern.start("fail", json!({}))), "completed");
    assert_eq!((&task["result"]["isError"], text(&task["result"])), (&json!(true), "no"));
    let broken = modern.until(id(&modern.start("break_down", json!({}))), "failed");
    assert_eq!((&broken["error"]["code"], &broken["result"]), (&json!(-32603), &Value::Null));

    let legacy = Peer::legacy(served.port, "2025-11-25", None);
    let task = legacy.start("fail", json!({}));
    let result = legacy.result("tasks/result", json!({ "taskId": id(&task) }));
    assert_eq!((&result["isError"], text(&result)), (&json!(true), "no"));
    assert_eq!(legacy.get(id(&task))["status"], "failed");
    let broken = legacy.start("break_down", json!({}));
    assert_eq!(legacy.error("tasks/result", json!({ "taskId": id(&broken) }))["code"], -32603);
    assert_eq!(legacy.get(id(&broken))["status"], "failed");
}

// Proves: M-10.
#[test]
fn what_the_model_is_told_meanwhile_comes_with_the_task_where_the_revision_has_a_place_for_it() {
    let served = Served::new(|server| server);
    const KEY: &str = "io.modelcontextprotocol/model-immediate-response";
    let older = Peer::legacy(served.port, "2025-11-25", None);
    let made = |tool: &str, arguments: Value| {
        older.result("tools/call", json!({ "name": tool, "arguments": arguments, "task": {} }))
    };
    assert_eq!(made("long_work", json!({}))["_meta"][KEY], "It is being worked on: go on with something else");
    assert_eq!(made("work", json!({ "milliseconds": 1 }))["_meta"], Value::Null);
    let newer = Peer::modern(served.port);
    assert_eq!(newer.start("long_work", json!({}))["_meta"][KEY], Value::Null);
}

// Proves: K-01, K-02, K-03, K-05, TE-11, P-16.
#[test]
fn a_session_asks_for_a_task_and_waits_for_its_result() {
    let served = Served::new(|server| server);
    let peer = Peer::legacy(served.port, "2025-11-25", None);
    let offered = peer.initialize().json()["result"]["capabilities"]["tasks"].clone();
    assert_eq!(offered, json!({ "list": {}, "cancel": {}, "requests": { "tools": { "call": {} } } }));
    let tools = peer.result("tools/list", json!({}));
    let support = |name: &str| {
        let tool = tools["tools"].as_array().unwrap().iter().find(|tool| tool["name"] == name).unwrap();
        tool["execution"]["taskSupport"].clone()
    };
    assert_eq!(
        [support("work"), support("long_work"), support("at_once")],
        [json!("optional"), json!("required"), Value::Null]
    );

    let begun = Instant::now();
    let created = peer.result(
        "tools/call",
        json!({ "name": "work", "arguments": { "milliseconds": 300 }, "task": { "ttl": 60_000 } }),
    );
    assert!(begun.elapsed() < Duration::from_millis(250));
    let task = &created["task"];
    assert_eq!(
        (&task["status"], &task["ttl"], &task["pollInterval"]),
        (&json!("working"), &json!(60_000), &json!(1000))
    );
    assert_eq!(peer.get(id(task))["status"], "working");
    let result = peer.result("tasks/result", json!({ "taskId": id(task) }));
    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert_eq!(text(&result), format!("done as {}", id(task)));
    assert_eq!(result["_meta"][RELATED]["taskId"], task["taskId"]);
    assert_eq!(peer.get(id(task))["status"], "completed");
    // Without `task` the call is one like any other; a tool without tasks can't be asked for one.
    let plain = peer.result("tools/call", json!({ "name": "work", "arguments": { "milliseconds": 0 } }));
    assert_eq!(text(&plain), "done as no task");
    let refused = peer.error("tools/call", json!({ "name": "at_once", "arguments": {}, "task": {} }));
    assert_eq!(refused["code"], -32601);
    for task in [json!(1), json!({ "ttl": -1 }), json!({ "ttl": "soon" })] {
        let params = json!({ "name": "work", "arguments": { "milliseconds": 0 }, "task": task });
        assert_eq!(peer.error("tools/call", params)["code"], -32602, "{task}");
    }
}

// Proves: C-02, TE-06, TE-11.
#[test]
fn revisions_without_tasks_know_nothing_of_them() {
    let served = Served::new(|server| server);
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18"] {
        let peer = Peer::legacy(served.port, revision, None);
        assert!(peer.initialize().json()["result"]["capabilities"]["tasks"].is_null());
        let params = json!({ "name": "work", "arguments": { "milliseconds": 0 }, "task": {} });
        assert_eq!(text(&peer.result("tools/call", params)), "done as no task");
        assert_eq!(peer.error("tasks/get", json!({ "taskId": "x" }))["code"], -32601);
        assert!(!peer.send("tools/list", json!({})).to_string().contains("taskSupport"));
    }
    let peer = Peer::modern(served.port);
    let discovered = peer.result("server/discover", json!({}));
    assert!(discovered["capabilities"]["extensions"][EXTENSION].is_object());
    assert!(discovered["capabilities"]["tasks"].is_null());
    assert!(!peer.send("tools/list", json!({})).to_string().contains("taskSupport"));
    for method in ["tasks/result", "tasks/list"] {
        let response = peer.request(method, json!({ "taskId": "x" })).send(served.port);
        assert_eq!((response.status, response.json()["error"]["code"].as_i64()), (404, Some(-32601)), "{method}");
    }
}

// Proves: TE-03, TE-04.
#[test]
fn open_questions_are_answered_one_by_one() {
    let served = Served::new(|server| server);
    let peer = Peer::modern(served.port);
    let task = peer.start("two_answers", json!({}));
    let waiting = peer.until(id(&task), "input_required");
    let keys: Vec<_> = waiting["inputRequests"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["first", "second"]);
    assert_eq!(waiting["inputRequests"]["first"]["method"], "elicitation/create");
    let answer =
        |answers: Value| peer.result("tasks/update", json!({ "taskId": id(&task), "inputResponses": answers }));
    let ack = answer(json!({ "first": accepted("one"), "other": accepted("nobody") }));
    assert_eq!(ack["resultType"], "complete");
    let waiting = peer.get(id(&task));
    assert_eq!(waiting["status"], "input_required");
    assert_eq!(waiting["inputRequests"].as_object().unwrap().keys().collect::<Vec<_>>(), ["second"]);
    // What was answered is not answered again.
    answer(json!({ "first": accepted("late") }));
    // What does not fit is asked for under a key of its own.
    answer(json!({ "second": { "action": "accept", "content": { "name": 7 } } }));
    let begun = Instant::now();
    while peer.get(id(&task))["inputRequests"]["second-2"].is_null() {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    answer(json!({ "second": accepted("late") }));
    answer(json!({ "second-2": accepted("two") }));
    let done = peer.until(id(&task), "completed");
    assert_eq!(text(&done["result"]), "one and two");
    assert_eq!(served.jobs.runs.load(Ordering::SeqCst), 3);
}

// Proves: K-10, K-11.
#[test]
fn the_question_of_a_task_goes_on_the_stream_that_waits_for_its_result() {
    let served = Served::new(|server| server);
    let peer = Peer::legacy(served.port, "2025-11-25", None);
    let task = peer.start("two_answers", json!({}));
    peer.until(id(&task), "input_required");
    let (_, stream) = peer.request("tasks/result", json!({ "taskId": id(&task) })).open(served.port);
    let mut stream = stream.expect("the questions need a stream");
    for name in ["one", "two"] {
        let question: Value = serde_json::from_str(&stream.next().expect("a question comes")).unwrap();
        assert_eq!(question["method"], "elicitation/create");
        assert_eq!(question["params"]["_meta"][RELATED]["taskId"], task["taskId"]);
        let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": accepted(name) });
        let mut request = Request::post(answer.to_string());
        request = request.header("Mcp-Session-Id", peer.session.as_deref().unwrap());
        assert_eq!(request.send(served.port).status, 202);
    }
    let result: Value = serde_json::from_str(&stream.next().expect("the result comes")).unwrap();
    assert_eq!(text(&result["result"]), "one and two");
    assert_eq!(result["result"]["_meta"][RELATED]["taskId"], task["taskId"]);
}

#[test]
fn a_task_that_is_cancelled_while_it_is_asked_about_ends_the_wait_for_its_result() {
    let served = Served::new(|server| server);
    let peer = Peer::legacy(served.port, "2025-11-25", None);
    let task = peer.start("two_answers", json!({}));
    peer.until(id(&task), "input_required");
    let (_, stream) = peer.request("tasks/result", json!({ "taskId": id(&task) })).open(served.port);
    let mut stream = stream.expect("the questions need a stream");
    stream.next().expect("a question comes");
    assert_eq!(peer.result("tasks/cancel", json!({ "taskId": id(&task) }))["status"], "cancelled");
    let rest = std::iter::from_fn(|| stream.next()).collect::<Vec<_>>();
    assert!(rest.iter().any(|message| message.contains("notifications/cancelled")), "{rest:?}");
    let last: Value = serde_json::from_str(rest.last().expect("an answer comes")).unwrap();
    assert_eq!(last["error"]["code"], -32602);
}

// Proves: TE-08.
#[test]
fn what_is_asked_before_the_first_wait_is_asked_before_there_is_a_task() {
    let served = Served::new(|server| server);
    let peer = Peer::modern(served.port);
    let asked = peer.start("greet", json!({}));
    assert_eq!((&asked["resultType"], &asked["taskId"]), (&json!("input_required"), &Value::Null));
    let params = json!({
        "name": "greet", "arguments": {}, "requestState": asked["requestState"],
        "inputResponses": { "name": accepted("Alice") },
    });
    let task = peer.result("tools/call", params);
    assert_eq!((&task["resultType"], &task["requestState"]), (&json!("task"), &Value::Null));
    assert!(task["inputRequests"].is_null());
    peer.until(id(&task), "input_required");
    peer.result("tasks/update", json!({ "taskId": id(&task), "inputResponses": { "again": accepted("Bob") } }));
    assert_eq!(text(&peer.until(id(&task), "completed")["result"]), "Hello, Alice and Bob");
}

// Proves: K-04, K-07, TE-05, P-16.
#[test]
fn a_task_is_cancelled_and_its_function_dropped() {
    let served = Served::new(|server| server);
    let modern = Peer::modern(served.port);
    let task = modern.start("work", json!({ "milliseconds": 60_000 }));
    for _ in 0..2 {
        let ack = modern.result("tasks/cancel", json!({ "taskId": id(&task) }));
        let members: Vec<_> = ack.as_object().unwrap().keys().filter(|key| *key != "_meta").collect();
        assert_eq!(members, ["resultType"]);
    }
    let cancelled = modern.until(id(&task), "cancelled");
    assert!(cancelled["result"].is_null() && cancelled["error"].is_null());
    let legacy = Peer::legacy(served.port, "2025-11-25", None);
    let task = legacy.start("work", json!({ "milliseconds": 60_000 }));
    let cancelled = legacy.result("tasks/cancel", json!({ "taskId": id(&task) }));
    assert_eq!((&cancelled["status"], &cancelled["taskId"]), (&json!("cancelled"), &task["taskId"]));
    assert_eq!(legacy.error("tasks/cancel", json!({ "taskId": id(&task) }))["code"], -32602);
    assert_eq!(legacy.get(id(&task))["status"], "cancelled");
    let begun = Instant::now();
    while served.jobs.dropped.load(Ordering::SeqCst) < 2 {
        assert!(begun.elapsed() < Duration::from_secs(5), "the functions go on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

// Proves: K-08, K-09, TE-06, TE-10, SEC-04.
#[test]
fn unknown_foreign_and_forged_ids_are_the_same_and_lists_show_ones_own_i8() {
    let tokens = DevelopmentTokens::new().with("token-of-a", "a").with("token-of-b", "b");
    let served = Served::new(|server| server.authorize(tokens));
    let [a, b] = ["token-of-a", "token-of-b"].map(|bearer| Peer::legacy(served.port, "2025-11-25", Some(bearer)));
    let of_a = a.start("work", json!({ "milliseconds": 60_000 }));
    let of_b = b.start("work", json!({ "milliseconds": 60_000 }));
    let modern = |bearer| Peer { bearer: Some(bearer), ..Peer::modern(served.port) };
    let of_modern_a = modern("token-of-a").start("work", json!({ "milliseconds": 60_000 }));
    let unknown = "AAAAAAAAAAAAAAAAAAAAAA";
    let mut longer = id(&of_b).to_owned();
    longer.push('A');
    for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
        let refused = |peer: &Peer, id: &str| peer.request(method, json!({ "taskId": id })).send(served.port);
        let same = refused(&b, unknown);
        assert_eq!(same.json()["error"]["code"], -32602);
        for id in [id(&of_a), id(&of_modern_a), "", "../../etc", &longer] {
            let response = refused(&b, id);
            assert_eq!((response.status, &response.body), (same.status, &same.body), "{method} {id}");
        }
    }
    // Of one person, but of the other era: no such task either.
    assert_eq!(a.error("tasks/get", json!({ "taskId": id(&of_modern_a) }))["code"], -32602);
    for method in ["tasks/get", "tasks/cancel", "tasks/update"] {
        let answer = |bearer, id: &str| {
            let params = json!({ "taskId": id, "inputResponses": {} });
            modern(bearer).request(method, params).send(served.port).body
        };
        let same = answer("token-of-a", unknown);
        assert!(String::from_utf8_lossy(&same).contains("-32602"));
        assert_eq!(answer("token-of-a", id(&of_a)), same, "{method}");
        assert_eq!(answer("token-of-b", id(&of_modern_a)), same, "{method}");
    }
    for (peer, task) in [(&a, &of_a), (&b, &of_b)] {
        let listed = peer.result("tasks/list", json!({}));
        let ids: Vec<_> = listed["tasks"].as_array().unwrap().iter().map(|task| task["taskId"].clone()).collect();
        assert_eq!(ids, [task["taskId"].clone()]);
        assert_eq!(peer.get(id(task))["status"], "working");
    }
}

// Proves: K-08.
#[test]
fn lists_of_tasks_have_pages_whose_cursors_are_their_owners() {
    let served = Served::new(|server| server.tasks(Tasks::new().under_way(200)));
    let peer = Peer::legacy(served.port, "2025-11-25", None);
    let made: Vec<_> = (0..105).map(|_| peer.start("long_work", json!({}))["taskId"].clone()).collect();
    let first = peer.result("tasks/list", json!({}));
    let second = peer.result("tasks/list", json!({ "cursor": first["nextCursor"] }));
    assert!(second["nextCursor"].is_null());
    let ids = [&first, &second].into_iter().flat_map(|page| page["tasks"].as_array().unwrap());
    let ids: Vec<_> = ids.map(|task| task["taskId"].clone()).collect();
    assert_eq!(ids, made);
    let other = Peer::legacy(served.port, "2025-11-25", None);
    assert_eq!(other.result("tasks/list", json!({}))["tasks"], json!([]));
    for cursor in [first["nextCursor"].clone(), json!(""), json!("100")] {
        assert_eq!(other.error("tasks/list", json!({ "cursor": cursor }))["code"], -32602);
    }
}

// Proves: K-09.
#[test]
fn a_task_is_gone_when_its_time_has_passed_and_its_function_with_it() {
    let served = Served::new(|server| server.tasks(Tasks::new().longest_ttl(Duration::from_millis(400))));
    let peer = Peer::legacy(served.port, "2025-11-25", None);
    let task = peer.start("work", json!({ "milliseconds": 60_000 }));
    assert_eq!(task["ttl"], 400, "no more than the server wants");
    assert_eq!(peer.get(id(&task))["status"], "working");
    std::thread::sleep(Duration::from_millis(450));
    assert_eq!(peer.error("tasks/get", json!({ "taskId": id(&task) }))["code"], -32602);
    assert_eq!(peer.result("tasks/list", json!({}))["tasks"], json!([]));
    let begun = Instant::now();
    while served.jobs.dropped.load(Ordering::SeqCst) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(5), "the function goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

// Proves: K-09.
#[test]
fn a_caller_has_so_many_tasks_under_way_and_no_more() {
    let served = Served::new(|server| server.tasks(Tasks::new().under_way(2)));
    let peer = Peer::legacy(served.port, "2025-11-25", None);
    let [first, _] = [0, 1].map(|_| peer.start("work", json!({ "milliseconds": 60_000 })));
    let params = json!({ "name": "work", "arguments": { "milliseconds": 60_000 }, "task": {} });
    assert_eq!(peer.error("tools/call", params.clone())["code"], -32603);
    // Others are not concerned, and what ends makes room.
    Peer::legacy(served.port, "2025-11-25", None).start("work", json!({ "milliseconds": 1 }));
    peer.result("tasks/cancel", json!({ "taskId": id(&first) }));
    let begun = Instant::now();
    while peer.send("tools/call", params.clone())["error"].is_object() {
        assert!(begun.elapsed() < Duration::from_secs(5), "there is no room");
        std::thread::sleep(Duration::from_millis(5));
    }
}

// Proves: MR-06.
#[test]
fn answers_that_count_once_are_not_spent_on_a_call_for_which_there_is_no_room() {
    let served = Served::new(|server| server.tasks(Tasks::new().under_way(1)).authorize(tokens()));
    let peer = Peer { bearer: Some("token-of-a"), ..Peer::modern(served.port) };
    let asked = peer.start("pay", json!({}));
    let params = json!({ "name": "pay", "arguments": {}, "requestState": asked["requestState"],
                         "inputResponses": { "name": accepted("Alice") } });
    let working = peer.start("work", json!({ "milliseconds": 60_000 }));
    for _ in 0..2 {
        let refused = peer.error("tools/call", params.clone());
        assert_eq!(refused["code"], -32603, "{refused}");
        assert!(refused["message"].as_str().unwrap().starts_with("Too many tasks"), "{refused}");
    }
    peer.result("tasks/cancel", json!({ "taskId": id(&working) }));
    let begun = Instant::now();
    let paying = loop {
        let answer = peer.send("tools/call", params.clone());
        if answer["error"].is_null() {
            break answer["result"].clone();
        }
        assert_eq!(answer["error"]["code"], -32603, "{answer}");
        assert!(begun.elapsed() < Duration::from_secs(5), "there is no room");
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(text(&peer.until(id(&paying), "completed")["result"]), "Alice paid");
    assert_eq!(peer.error("tools/call", params)["message"], "Invalid or expired requestState");
}

fn tokens() -> DevelopmentTokens {
    DevelopmentTokens::new().with("token-of-a", "a")
}

// Proves: K-09.
#[test]
fn the_tasks_of_a_session_end_when_it_is_noticed_that_it_expired() {
    let sessions = || Sessions::default().stored().ttl(Duration::from_secs(2));
    let served = Served::new(|server| server.sessions(sessions()));
    let peer = Peer::legacy(served.port, "2025-11-25", None);
    let mut stream = peer.stream();
    peer.start("work", json!({ "milliseconds": 60_000 }));
    let begun = Instant::now();
    while served.jobs.dropped.load(Ordering::SeqCst) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(15), "the function goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
    stream.hear(Duration::from_secs(10), |_| false);
    assert!(stream.ended, "the stream of a session that is over");
    assert_eq!(peer.request("ping", json!({})).send(served.port).status, 404);
}

/// A cookie, as it goes with a request or comes with an answer.
fn with_cookie(mut request: Value, id: &str) -> Value {
    request["_meta"]["mcp/session"] = json!({ "id": id });
    request
}

#[test]
fn a_task_has_the_state_of_the_session_that_a_cookie_carries() {
    for revision in ["2025-11-25", MODERN] {
        let served = Served::new(|server| server.sessions(Sessions::default().cookies_on_demand()));
        let peer = match revision {
            MODERN => Peer::modern(served.port),
            revision => Peer::legacy(served.port, revision, None),
        };
        let call = |cookie: Option<&str>| {
            let mut params = json!({ "name": "finish", "arguments": {} });
            if revision != MODERN {
                params["task"] = json!({});
            }
            let params = cookie.map_or(params.clone(), |id| with_cookie(params, id));
            let created = peer.result("tools/call", params);
            let cookie =
                created["_meta"]["mcp/session"]["id"].as_str().unwrap_or_else(|| panic!("{created}")).to_owned();
            let task = if revision == MODERN { created.clone() } else { created["task"].clone() };
            let result = match revision {
                MODERN => peer.until(id(&task), "completed")["result"].clone(),
                _ => peer.result("tasks/result", json!({ "taskId": id(&task) })),
            };
            (cookie, text(&result).to_owned())
        };
        // One begins with the call, and is told with the task's id.
        let (first, counted) = call(None);
        assert_eq!(counted, "1", "{revision}");
        assert_eq!(call(Some(&first)), (first.clone(), "2".to_owned()), "{revision}");
        let (second, counted) = call(None);
        assert!(second != first && counted == "1", "{revision}");
        assert_eq!(call(Some(&first)).1, "3", "{revision}");
    }
}

#[test]
fn a_task_commits_the_state_of_its_session_and_says_what_goes_on() {
    let served = Served::new(|server| server);
    let peer = Peer::legacy(served.port, "2025-11-25", None);
    let tasks = [0, 1, 2].map(|_| peer.start("finish", json!({})));
    let mut counted = tasks.map(|task| {
        let result = peer.result("tasks/result", json!({ "taskId": id(&task) }));
        result["structuredContent"]["result"].as_u64().expect("a number")
    });
    counted.sort_unstable();
    assert_eq!(counted, [1, 2, 3], "no task writes over another");
    let task = peer.start("work", json!({ "milliseconds": 5_000 }));
    let begun = Instant::now();
    while peer.get(id(&task))["statusMessage"] != "half of it" {
        assert!(begun.elapsed() < Duration::from_secs(4), "nothing is said");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Nothing is said for as long as a test can wait.
const SILENCE: Duration = Duration::from_millis(300);

// Proves: K-10, K-12, K-13, U-07.
#[test]
fn a_session_is_told_how_its_task_stands_and_how_far_it_is_until_it_is_over() {
    let served = Served::new(|server| server);
    let [peer, other] = [0, 1].map(|_| Peer::legacy(served.port, "2025-11-25", None));
    let (mut stream, mut of_other) = (peer.stream(), other.stream());
    let params = json!({ "name": "work", "arguments": { "milliseconds": 600 }, "task": {},
                         "_meta": { "progressToken": "the token" } });
    let task = peer.result("tools/call", params)["task"].clone();
    let is_over = |heard: &[Value]| heard.iter().any(|message| message["params"]["status"] == "completed");
    let heard = peer.hear_until(&mut stream, Duration::from_secs(5), is_over);
    let of = |method: &str| heard.iter().filter(|message| message["method"] == method).collect::<Vec<_>>();
    let [progress] = of("notifications/progress")[..] else { panic!("one report: {heard:?}") };
    assert_eq!(
        progress["params"],
        json!({ "progressToken": "the token", "progress": 1.0, "total": 2.0, "message": "half of it",
                "_meta": { RELATED: { "taskId": task["taskId"] } } })
    );
    let stands = of("notifications/tasks/status");
    let told: Vec<_> = stands.iter().map(|message| message["params"]["status"].clone()).collect();
    assert_eq!(told, ["working", "completed"]);
    // As `tasks/get` says it, and without what belongs to other messages of the task.
    assert_eq!(stands[1]["params"], peer.get(id(&task)));
    assert_eq!(peer.hear_until(&mut stream, SILENCE, |_| false), [] as [Value; 0], "it is over");
    assert_eq!(other.hear_until(&mut of_other, SILENCE, |_| false), [] as [Value; 0], "it is another's");
    // Without a token, no progress.
    let task = peer.start("work", json!({ "milliseconds": 300 }));
    let heard = peer.hear_until(&mut stream, Duration::from_secs(5), is_over);
    assert!(heard.iter().all(|message| message["method"] == "notifications/tasks/status"), "{heard:?}");
    assert!(heard.iter().all(|message| message["params"]["taskId"] == task["taskId"]), "{heard:?}");
}

// Proves: K-12, K-13.
#[test]
fn what_a_session_without_a_stream_missed_of_its_tasks_waits_and_no_progress_of_what_is_over() {
    let served = Served::new(|server| server);
    let peer = Peer::legacy(served.port, "2025-11-25", None);
    let params = json!({ "name": "work", "arguments": { "milliseconds": 1 }, "task": {},
                         "_meta": { "progressToken": 7 } });
    let task = peer.result("tools/call", params)["task"].clone();
    peer.result("tasks/result", json!({ "taskId": id(&task) }));
    let mut stream = peer.stream();
    let heard = peer.hear_until(&mut stream, SILENCE, |_| false);
    let [told] = &heard[..] else { panic!("how it stands, once: {heard:?}") };
    assert_eq!(
        (&told["method"], &told["params"]["status"]),
        (&json!("notifications/tasks/status"), &json!("completed"))
    );
}

// Proves: TE-09, U-07, SB-04.
#[test]
fn a_subscription_is_told_how_its_tasks_stand_with_all_that_there_is_to_know() {
    let served = Served::new(|server| server);
    let peer = Peer::modern(served.port);
    let task = peer.start("two_answers", json!({}));
    peer.until(id(&task), "input_required");
    let (mut stream, acknowledged, mut heard) = peer.listen(&[id(&task), "unknown", "AAAAAAAAAAAAAAAAAAAAAA"]);
    assert_eq!(acknowledged, json!({ "taskIds": [task["taskId"]] }));
    // What it waits for is news for whoever comes only now.
    if heard.is_empty() {
        heard = peer.hear_until(&mut stream, Duration::from_secs(5), |heard| !heard.is_empty());
    }
    let waits = &heard[0];
    assert_eq!(
        (&waits["method"], &waits["params"]["status"]),
        (&json!("notifications/tasks"), &json!("input_required"))
    );
    assert_eq!(waits["params"]["_meta"], json!({ "io.modelcontextprotocol/subscriptionId": 1 }));
    assert_eq!(waits["params"]["inputRequests"], peer.get(id(&task))["inputRequests"]);
    let answers = json!({ "first": accepted("one"), "second": accepted("two") });
    peer.result("tasks/update", json!({ "taskId": id(&task), "inputResponses": answers }));
    let is_over = |heard: &[Value]| heard.iter().any(|message| message["params"]["status"] == "completed");
    let heard = peer.hear_until(&mut stream, Duration::from_secs(5), is_over);
    assert!(heard.iter().all(|message| message["method"] == "notifications/tasks"), "{heard:?}");
    let last = heard.last().expect("it is told of the end");
    assert_eq!(text(&last["params"]["result"]), "one and two");
    assert_eq!(peer.hear_until(&mut stream, SILENCE, |_| false), [] as [Value; 0], "it is over");
    // What failed as protocol says so, and progress is told to nobody.
    let (broken, work) = (peer.start("break_down", json!({})), peer.start("work", json!({ "milliseconds": 300 })));
    let (mut stream, _, mut heard) = peer.listen(&[id(&broken), id(&work)]);
    heard.extend(peer.hear_until(&mut stream, Duration::from_secs(5), is_over));
    let failed =
        heard.iter().find(|message| message["params"]["status"] == "failed").expect("it is told of the failure");
    assert_eq!(failed["params"]["error"]["code"], -32603);
    assert!(heard.iter().all(|message| message["method"] == "notifications/tasks"), "{heard:?}");
}

// Proves: TE-09, TE-10, SEC-04, X-03.
#[test]
fn nobody_is_told_of_the_tasks_of_others() {
    let tokens = DevelopmentTokens::new().with("token-of-a", "a").with("token-of-b", "b");
    let served = Served::new(|server| server.authorize(tokens));
    let [a, b] = ["token-of-a", "token-of-b"].map(|bearer| Peer { bearer: Some(bearer), ..Peer::modern(served.port) });
    let of_a = a.start("work", json!({ "milliseconds": 500 }));
    let session = Peer::legacy(served.port, "2025-11-25", Some("token-of-b"));
    let of_session = session.start("work", json!({ "milliseconds": 500 }));
    let (mut stream, acknowledged, _) = b.listen(&[id(&of_a), id(&of_session)]);
    assert_eq!(acknowledged, json!({ "taskIds": [] }));
    // Who does not declare the extension has not asked for anything that there is.
    let plain = Peer { capabilities: json!({}), bearer: Some("token-of-a"), ..Peer::modern(served.port) };
    let (mut without, acknowledged, _) = plain.listen(&[id(&of_a)]);
    assert_eq!(acknowledged, json!({}));
    a.until(id(&of_a), "completed");
    session.until(id(&of_session), "completed");
    assert_eq!(b.hear_until(&mut stream, SILENCE, |_| false), [] as [Value; 0]);
    assert_eq!(plain.hear_until(&mut without, SILENCE, |_| false), [] as [Value; 0]);
    for wrong in [json!("x"), json!([1]), json!({})] {
        let refused = a.error("subscriptions/listen", json!({ "notifications": { "taskIds": wrong } }));
        assert_eq!(refused["code"], -32602, "{wrong}");
    }
}

// Proves: K-09.
#[test]
fn the_tasks_of_a_session_end_with_it_and_those_of_a_person_do_not() {
    let served = Served::new(|server| server);
    let peer = Peer::legacy(served.port, "2025-11-25", None);
    let other = Peer::legacy(served.port, "2025-11-25", None);
    let ended = peer.start("long_work", json!({}));
    peer.until(id(&ended), "completed");
    peer.start("work", json!({ "milliseconds": 60_000 }));
    peer.start("two_answers", json!({}));
    let of_other = other.start("work", json!({ "milliseconds": 60_000 }));
    let end = |peer: &Peer| {
        let mut request = Request::of("DELETE").header("Mcp-Session-Id", peer.session.as_deref().unwrap());
        if let Some(bearer) = peer.bearer {
            request = request.header("Authorization", format!("Bearer {bearer}"));
        }
        assert_eq!(request.send(peer.port).status, 204);
    };
    end(&peer);
    let begun = Instant::now();
    while served.jobs.dropped.load(Ordering::SeqCst) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(5), "the function goes on");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(other.get(id(&of_other))["status"], "working");
    assert_eq!(served.jobs.dropped.load(Ordering::SeqCst), 1);
    drop(served);

    let served = Served::new(|server| server.authorize(tokens()));
    let [first, second] = [0, 1].map(|_| Peer::legacy(served.port, "2025-11-25", Some("token-of-a")));
    let task = first.start("work", json!({ "milliseconds": 60_000 }));
    end(&first);
    assert_eq!(second.get(id(&task))["status"], "working");
    assert_eq!(served.jobs.dropped.load(Ordering::SeqCst), 0);
}

// Proves: N-02, TE-06.
#[test]
fn headers_name_the_task() {
    let served = Served::new(|server| server);
    let peer = Peer::modern(served.port);
    let task = peer.start("work", json!({ "milliseconds": 1 }));
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let request = peer.request(method, json!({ "taskId": id(&task), "inputResponses": {} }));
        let wrong = request.clone().header("Mcp-Name", "other").send(served.port);
        assert_eq!((wrong.status, wrong.json()["error"]["code"].as_i64()), (400, Some(-32020)), "{method}");
        assert_eq!(request.clone().without("Mcp-Name").send(served.port).status, 400, "{method}");
        assert_eq!(request.send(served.port).status, 200, "{method}");
    }
}

// Proves: TE-02.
#[test]
fn after_a_restart_what_ended_is_there_and_what_ran_has_failed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tasks.redb");
    let open = || Tasks::new().store(FileStore::open(&path).expect("the file opens"));
    let mut served = Served::new(|server| server.tasks(open()));
    let peer = Peer::modern(served.port);
    let done = peer.start("work", json!({ "milliseconds": 1 }));
    peer.until(id(&done), "completed");
    let running = peer.start("work", json!({ "milliseconds": 60_000 }));
    let asking = peer.start("two_answers", json!({}));
    peer.until(id(&asking), "input_required");
    let took = served.stop();
    assert!(took < Duration::from_secs(5), "tasks that run keep a server from ending: {took:?}");
    drop(served);

    let served = Served::new(|server| server.tasks(open()));
    let peer = Peer::modern(served.port);
    assert_eq!(text(&peer.get(id(&done))["result"]), format!("done as {}", id(&done)));
    for task in [&running, &asking] {
        let failed = peer.get(id(task));
        assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("failed"), &json!(-32603)));
        assert!(failed["error"]["message"].as_str().unwrap().contains("call the tool again"), "{failed}");
    }
}

#[test]
fn a_stdio_process_has_tasks_and_ends_with_its_client_all_the_same() {
    let mut server = StdioServer::start("long_job");
    let ask = |server: &mut StdioServer, message: Value| -> Value {
        server.send(&message.to_string());
        serde_json::from_str(&server.receive()).expect("an answer is JSON")
    };
    let params =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    let hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
    assert!(ask(&mut server, hello)["result"]["capabilities"]["tasks"]["list"].is_object());
    let mut start = |id: u32, folders: Value| {
        let params = json!({ "name": "pack", "arguments": { "folders": folders }, "task": {} });
        ask(&mut server, json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }))
    };
    let task = start(1, json!(["a"]))["result"]["task"].clone();
    start(2, json!(vec!["b"; 1000]));
    let params = json!({ "taskId": task["taskId"] });
    let result = ask(&mut server, json!({ "jsonrpc": "2.0", "id": 3, "method": "tasks/result", "params": params }));
    assert_eq!(text(&result["result"]), "1 folders are packed");
    let listed = ask(&mut server, json!({ "jsonrpc": "2.0", "id": 4, "method": "tasks/list" }));
    assert_eq!(listed["result"]["tasks"].as_array().map(Vec::len), Some(2));
    let begun = Instant::now();
    assert_eq!(server.finish().0, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(10), "a task keeps the process from ending");
}

// Proves: K-12, K-13.
#[test]
fn a_stdio_process_is_told_how_its_tasks_stand_and_how_far_they_are() {
    let mut server = StdioServer::start("long_job");
    let params =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    server.send(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }).to_string());
    server.receive();
    server.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
    let params = json!({ "name": "pack", "arguments": { "folders": ["a", "b", "c"] }, "task": {},
                         "_meta": { "progressToken": "p" } });
    server.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string());
    let (mut task, mut progress, mut told) = (Value::Null, Vec::new(), Vec::new());
    while told.last().is_none_or(|last| last != "completed") {
        let message: Value = serde_json::from_str(&server.receive()).expect("a message is JSON");
        let sent = r#"{"id":1,"method":"tools/call"}"#;
        official_schema::assert_valid("2025-11-25", sent, &message);
        match message["method"].as_str() {
            Some("notifications/progress") => progress.push(message["params"].clone()),
            Some(_) => told.push(message["params"]["status"].clone()),
            None => task = message["result"]["task"].clone(),
        }
    }
    // A report that was not told when the next one came gives way to it, so that one of the last two is there.
    assert!(progress.iter().any(|report| report["progress"].as_f64() >= Some(1.0)), "{progress:?}");
    assert!(progress.iter().all(|report| report["_meta"][RELATED]["taskId"] == task["taskId"]), "{progress:?}");
    assert!(told.iter().any(|status| status == "working"), "{told:?}");
}
