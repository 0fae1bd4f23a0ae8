//! What happens to a function that asks, and what clients may do to its answers. The wire itself is in the transcripts.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use mcp_runtime::{
    auth::DevelopmentTokens,
    prelude::*,
    protocol::ask::SamplingRequest,
    store::{FileStore, StateStore},
};
use serde_json::{Value, json};

use crate::support::{
    HttpServer, Request, Response,
    client::MODERN,
    http::{EventReader, connect},
};

/// An answer that is a word.
#[derive(Deserialize, JsonSchema)]
pub struct Word {
    word: String,
}

/// How often a session was here.
#[derive(Default, Serialize, Deserialize, SessionState)]
pub struct Visits {
    count: u32,
}

/// Asks in every way.
#[derive(Clone, Default)]
pub struct Quiz {
    runs: Arc<AtomicUsize>,
    effects: Arc<AtomicUsize>,
    paid: Arc<AtomicUsize>,
}

fn word(question: &str) -> Elicit<Word> {
    Elicit::form::<Word>(question)
}

#[mcp_server(name = "quiz")]
impl Quiz {
    /// Ask two things at the same time.
    #[tool]
    async fn joined(&self, cx: &Context) -> Result<String, ToolError> {
        let (one, other) = tokio::join!(cx.ask("one", word("One?")), cx.ask("other", word("Other?")));
        Ok(format!("{} {}", one?.word, other?.word))
    }

    /// Ask, and be ready with something else in the same moment.
    #[tool]
    async fn selected(&self, cx: &Context) -> Result<String, ToolError> {
        tokio::select! {
            biased;
            answer = cx.ask("one", word("One?")) => Ok(answer?.word),
            () = std::future::ready(()) => Ok("hidden".into()),
        }
    }

    /// Ask, but not for long.
    #[tool]
    async fn timed(&self, cx: &Context) -> Result<String, ToolError> {
        match tokio::time::timeout(Duration::ZERO, cx.ask("one", word("One?"))).await {
            Ok(answer) => Ok(answer?.word),
            Err(_) => Ok("hidden".into()),
        }
    }

    /// Ask, and go on without the answer.
    #[tool]
    async fn now_or_never(&self, cx: &Context) -> Result<String, ToolError> {
        let mut asked = pin!(cx.ask("one", word("One?")));
        match poll_fn(|task| Poll::Ready(asked.as_mut().poll(task))).await {
            Poll::Ready(answer) => Ok(answer?.word),
            Poll::Pending => Ok("hidden".into()),
        }
    }

    /// Count a visit, then ask.
    #[tool]
    async fn visit(&self, cx: &Context, visits: &mut Visits) -> Result<String, ToolError> {
        visits.count += 1;
        self.runs.fetch_add(1, Ordering::SeqCst);
        let answer = cx.ask("one", word("One?")).await?;
        Ok(format!("{} {}", answer.word, visits.count))
    }

    /// Do something once between two questions.
    #[tool]
    async fn effect(&self, cx: &Context) -> Result<String, ToolError> {
        let one = cx.ask("one", word("One?")).await?;
        let number =
            cx.once("effect", async { Ok::<_, ToolError>(self.effects.fetch_add(1, Ordering::SeqCst)) }).await?;
        let other = cx.ask("other", word("Other?")).await?;
        Ok(format!("{} {} {number}", one.word, other.word))
    }

    /// Ask once, act once.
    #[tool(single_use)]
    async fn pay(&self, cx: &Context, amount: u32) -> Result<String, ToolError> {
        let consent = cx.ask("consent", word(&format!("Pay {amount}?"))).await?;
        self.paid.fetch_add(1, Ordering::SeqCst);
        Ok(format!("{} {amount}", consent.word))
    }

    /// Ask something else each time.
    #[tool]
    async fn restless(&self, cx: &Context) -> Result<String, ToolError> {
        let run = self.runs.fetch_add(1, Ordering::SeqCst);
        Ok(cx.ask("one", word(&format!("Number {run}?"))).await?.word)
    }

    /// Ask the model and for the folders.
    #[tool]
    async fn others(&self, cx: &Context) -> Result<String, ToolError> {
        let capital = cx.sample("capital", SamplingRequest::text("The capital of France?").max_tokens(100));
        let (capital, roots) = cx.ask_all((capital, cx.roots())).await?;
        Ok(format!("{} in {}", capital.text(), roots[0].uri))
    }

    /// Send the person to a page.
    #[tool]
    async fn page(&self, cx: &Context) -> Result<String, ToolError> {
        cx.ask("login", Elicit::url("Log in, please", "https://example.com/login")).await?;
        Ok("back".into())
    }

    /// Ask with what is no form.
    #[tool]
    async fn no_form(&self, cx: &Context) -> Result<String, ToolError> {
        cx.ask("one", Elicit::form::<Vec<String>>("One?")).await?;
        Ok("asked".into())
    }

    /// Ask without being able to wait.
    #[tool]
    fn synchronous(&self, cx: &Context) -> String {
        let mut asked = pin!(cx.ask("one", word("One?")));
        let _ = asked.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
        "asked".into()
    }
}

/// The quiz, served.
struct Served {
    port: u16,
    quiz: Quiz,
    runtime: Option<tokio::runtime::Runtime>,
    /// Dropped, it stops.
    _running: mcp_runtime::Running,
}

impl Served {
    fn new(change: impl FnOnce(Server) -> Server) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let quiz = Quiz::default();
        let running = runtime.block_on(change(Server::new(quiz.clone()).port(0)).start()).unwrap();
        Self { port: running.address().port(), quiz, runtime: Some(runtime), _running: running }
    }

    /// Calls a tool by 2026-07-28; `more` goes into the params.
    fn modern(&self, tool: &str, arguments: Value, more: Value) -> Response {
        modern(tool, arguments, more).send(self.port)
    }

    /// The result of a call.
    fn result(&self, tool: &str, arguments: Value, more: Value) -> Value {
        self.modern(tool, arguments, more).json()["result"].clone()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pub(crate) fn modern(tool: &str, arguments: Value, more: Value) -> Request {
    modern_request(tool, &modern_body(tool, arguments, more))
}

fn modern_body(tool: &str, arguments: Value, more: Value) -> Value {
    let everything = json!({ "elicitation": { "form": {}, "url": {} }, "sampling": {}, "roots": {} });
    let mut params = json!({ "name": tool, "arguments": arguments, "_meta": {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": everything,
    } });
    for (key, value) in more.as_object().unwrap() {
        params[key] = value.clone();
    }
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params })
}

fn modern_request(tool: &str, body: &Value) -> Request {
    let request = Request::post(body.to_string()).revision(MODERN);
    request.header("MCP-Protocol-Version", MODERN).header("Mcp-Method", "tools/call").header("Mcp-Name", tool)
}

fn said(word: &str) -> Value {
    json!({ "action": "accept", "content": { "word": word } })
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {result}"))
}

fn state(result: &Value) -> &str {
    assert_eq!(result["resultType"], "input_required", "{result}");
    result["requestState"].as_str().unwrap()
}

/// What every state that can't be used gets.
fn frozen(response: &Response) {
    let error = json!({ "code": -32602, "message": "Invalid or expired requestState" });
    assert_eq!((response.status, &response.json()["error"]), (200, &error));
}

#[test]
fn whatever_hides_a_question_it_is_asked_and_its_answer_is_found() {
    let served = Served::new(|server| server);
    for tool in ["selected", "timed", "now_or_never"] {
        let asked = served.result(tool, json!({}), json!({}));
        assert_eq!(asked["inputRequests"]["one"]["method"], "elicitation/create", "{tool}: {asked}");
        let more = json!({ "inputResponses": { "one": said("yes") }, "requestState": state(&asked) });
        assert_eq!(text(&served.result(tool, json!({}), more)), "yes", "{tool}");
    }
    let asked = served.result("joined", json!({}), json!({}));
    assert_eq!(asked["inputRequests"].as_object().unwrap().len(), 2, "{asked}");
}

// Proves: MR-07.
#[test]
fn what_was_written_before_a_question_is_discarded_and_written_again_with_the_answer() {
    let served = Served::new(|server| server);
    let opened = served.result("open_session", json!({}), json!({}));
    let arguments = json!({ "session": opened["structuredContent"]["session"] });
    for visits in 1..=2 {
        let asked = served.result("visit", arguments.clone(), json!({}));
        let more = json!({ "inputResponses": { "one": said("hello") }, "requestState": state(&asked) });
        assert_eq!(text(&served.result("visit", arguments.clone(), more)), format!("hello {visits}"));
    }
    assert_eq!(served.quiz.runs.load(Ordering::SeqCst), 4);
}

#[test]
fn a_cookie_carries_the_state_of_a_function_that_asks_over_all_rounds() {
    let served = Served::new(|server| server.sessions(Sessions::default().cookies_on_demand()));
    let round = |cookie: Option<&str>, more: Value| {
        let mut request = modern_body("visit", json!({}), more);
        if let Some(id) = cookie {
            request["params"]["_meta"]["mcp/session"] = json!({ "id": id });
        }
        modern_request("visit", &request).send(served.port).json()["result"].clone()
    };
    let visit = |cookie: Option<&str>| {
        let asked = round(cookie, json!({}));
        // A session that would begin with the call begins when it succeeds.
        let more = json!({ "inputResponses": { "one": said("hello") }, "requestState": state(&asked) });
        let done = round(cookie, more);
        let id = done["_meta"]["mcp/session"]["id"].as_str().unwrap_or_else(|| panic!("{done}"));
        (id.to_owned(), text(&done).to_owned())
    };
    let (first, told) = visit(None);
    assert_eq!(told, "hello 1");
    let (second, told) = visit(None);
    assert!(second != first && told == "hello 1");
    assert_eq!(visit(Some(&first)), (first.clone(), "hello 2".to_owned()));
    assert_eq!(visit(Some(&second)), (second, "hello 2".to_owned()));
    assert_eq!(visit(Some(&first)), (first, "hello 3".to_owned()));
}

// Proves: P-13.
#[test]
fn an_effect_happens_once_in_a_call_and_never_on_answers_that_could_come_again() {
    let served = Served::new(|server| server);
    let effects = || served.quiz.effects.load(Ordering::SeqCst);
    let one = served.result("effect", json!({}), json!({}));
    let more = json!({ "inputResponses": { "one": said("a") }, "requestState": state(&one) });
    let other = served.result("effect", json!({}), more);
    assert_eq!(effects(), 1);
    let more = json!({ "inputResponses": { "other": said("b") }, "requestState": state(&other) });
    assert_eq!(text(&served.result("effect", json!({}), more)), "a b 0");
    assert_eq!(effects(), 1);
    // Without a state nothing could say next time that the effect has happened.
    let bare =
        served.result("effect", json!({}), json!({ "inputResponses": { "one": said("a"), "other": said("b") } }));
    assert!(bare["inputRequests"]["one"].is_object(), "{bare}");
    assert_eq!(effects(), 1);
}

// Proves: P-13.
#[test]
fn a_call_that_asks_something_else_each_time_ends_with_an_error() {
    let served = Served::new(|server| server);
    let mut asked = served.result("restless", json!({}), json!({}));
    for _ in 1..8 {
        let more = json!({ "inputResponses": { "one": said("yes") }, "requestState": state(&asked) });
        asked = served.result("restless", json!({}), more);
    }
    let more = json!({ "inputResponses": { "one": said("yes") }, "requestState": state(&asked) });
    let end = served.modern("restless", json!({}), more);
    assert_eq!((end.status, &end.json()["error"]["code"]), (200, &json!(-32603)), "{}", end.text());
    assert_eq!(served.quiz.runs.load(Ordering::SeqCst), 9);
}

#[test]
fn mistakes_of_a_function_fail_its_call_alone() {
    let served = Served::new(|server| server);
    for tool in ["no_form", "synchronous"] {
        let answer = served.modern(tool, json!({}), json!({}));
        assert_eq!(answer.json()["error"]["code"], -32603, "{tool}: {}", answer.text());
    }
    state(&served.result("selected", json!({}), json!({})));
}

// Proves: E-08, MR-08.
#[test]
fn abuse_i2_answers_that_do_not_fit_are_asked_for_again_or_refused_and_others_are_ignored() {
    let served = Served::new(|server| server);
    let asked = served.result("selected", json!({}), json!({}));
    for wrong in [json!({ "action": "accept" }), json!({ "action": "accept", "content": { "word": 5 } }), json!({})] {
        let more = json!({ "inputResponses": { "one": wrong }, "requestState": state(&asked) });
        state(&served.result("selected", json!({}), more));
    }
    for wrong in [json!(null), json!([]), json!("one"), json!({ "one": 12345 }), json!({ "one": null })] {
        let more = json!({ "inputResponses": wrong, "requestState": state(&asked) });
        let answer = served.modern("selected", json!({}), more);
        assert_eq!(answer.json()["error"]["code"], -32602, "{}", answer.text());
    }
    let more = json!({ "inputResponses": { "one": said("yes"), "two": said("no") }, "requestState": state(&asked) });
    assert_eq!(text(&served.result("selected", json!({}), more)), "yes");
}

// Proves: MR-04, MR-05, MR-12, SEC-04, P-12.
#[test]
fn abuse_i3_a_state_that_can_not_be_used_is_one_error_whatever_is_wrong_with_it() {
    let tokens = || DevelopmentTokens::new().with("a", "ada").with("b", "bob");
    let served = Served::new(|server| server.authorize(tokens()));
    let elsewhere = Served::new(|server| server.authorize(tokens()));
    let send = |port: u16, bearer: &str, tool: &str, amount: u32, state: &str| {
        let more = json!({ "inputResponses": { "one": said("yes"), "consent": said("yes") }, "requestState": state });
        let request = modern(tool, json!({ "amount": amount }), more);
        request.header("Authorization", format!("Bearer {bearer}")).send(port)
    };
    let asked = modern("pay", json!({ "amount": 1 }), json!({})).header("Authorization", "Bearer a").send(served.port);
    let asked = asked.json()["result"].clone();
    let given = state(&asked);
    for position in (0..given.len()).step_by(7) {
        let mut flipped = given.to_owned().into_bytes();
        flipped[position] = if flipped[position] == b'A' { b'B' } else { b'A' };
        frozen(&send(served.port, "a", "pay", 1, std::str::from_utf8(&flipped).unwrap()));
        frozen(&send(served.port, "a", "pay", 1, &given[..position]));
    }
    for wrong in [format!("{given}="), format!("{given}A"), format!(" {given}"), "A".repeat(1024 * 1024)] {
        frozen(&send(served.port, "a", "pay", 1, &wrong));
    }
    frozen(&send(served.port, "a", "selected", 1, given));
    frozen(&send(served.port, "a", "pay", 2, given));
    frozen(&send(served.port, "b", "pay", 1, given));
    frozen(&send(elsewhere.port, "a", "pay", 1, given));
    let paid = send(served.port, "a", "pay", 1, given).json();
    assert_eq!(text(&paid["result"]), "yes 1");
}

// Proves: MR-06, MR-11.
#[test]
fn abuse_i4_the_answers_of_a_single_use_tool_are_taken_once_on_all_instances_and_others_again() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn StateStore> = Arc::new(FileStore::open(folder.path().join("state.redb")).unwrap());
    let keys = SigningKeys::random();
    let instance = || Served::new(|server| server.sessions(Sessions::jwt(keys.clone())).store(Arc::clone(&store)));
    let (one, other) = (instance(), instance());
    let asked = one.result("pay", json!({ "amount": 3 }), json!({}));
    let more = json!({ "inputResponses": { "consent": said("yes") }, "requestState": state(&asked) });
    // Any instance takes the state, and each of them knows that another did.
    assert_eq!(text(&other.result("pay", json!({ "amount": 3 }), more.clone())), "yes 3");
    frozen(&one.modern("pay", json!({ "amount": 3 }), more.clone()));
    frozen(&other.modern("pay", json!({ "amount": 3 }), more));
    let bare = json!({ "inputResponses": { "consent": said("yes") } });
    state(&one.result("pay", json!({ "amount": 3 }), bare));
    let paid = one.quiz.paid.load(Ordering::SeqCst) + other.quiz.paid.load(Ordering::SeqCst);
    assert_eq!(paid, 1);
    // A tool that did not ask for it takes the same answers again.
    let asked = one.result("selected", json!({}), json!({}));
    let more = json!({ "inputResponses": { "one": said("yes") }, "requestState": state(&asked) });
    for served in [&one, &other] {
        assert_eq!(text(&served.result("selected", json!({}), more.clone())), "yes");
    }
}

/// A session of an older revision, whose client can be asked everything.
struct Old {
    port: u16,
    revision: &'static str,
    session: String,
}

impl Old {
    fn new(port: u16, revision: &'static str) -> Self {
        let everything = json!({ "elicitation": { "form": {}, "url": {} }, "sampling": {}, "roots": {} });
        let params = json!({ "protocolVersion": revision, "capabilities": everything,
            "clientInfo": { "name": "t", "version": "1" } });
        let body = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
        let response = Request::post(body.to_string()).send(port);
        Self { port, revision, session: response.header("mcp-session-id").unwrap().to_owned() }
    }

    fn request(&self, body: &Value) -> Request {
        let request = Request::post(body.to_string()).header("Mcp-Session-Id", &self.session);
        if self.revision < "2025-06-18" { request } else { request.header("MCP-Protocol-Version", self.revision) }
    }

    fn call(&self, tool: &str) -> EventReader {
        let params = json!({ "name": tool, "arguments": {} });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let (response, stream) = self.request(&body).open(self.port);
        stream.unwrap_or_else(|| panic!("no stream: {}", response.text()))
    }

    fn answer(&self, id: &Value, result: &Value) {
        let response = self.request(&json!({ "jsonrpc": "2.0", "id": id, "result": result })).send(self.port);
        assert_eq!((response.status, response.body.len()), (202, 0));
    }
}

fn next(stream: &mut EventReader) -> Value {
    serde_json::from_str(&stream.next().expect("a message comes")).unwrap()
}

// Proves: E-09, E-11, H-07.
#[test]
fn models_and_folders_are_asked_for_in_every_revision() {
    let served = Served::new(|server| server);
    let model = json!({ "role": "assistant", "content": { "type": "text", "text": "Paris" }, "model": "m" });
    let roots = json!({ "roots": [{ "uri": "file:///home" }] });
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let client = Old::new(served.port, revision);
        let mut stream = client.call("others");
        for _ in 0..2 {
            let question = next(&mut stream);
            crate::official_schema::validate_server_message(revision, &question).unwrap();
            let sampling = question["method"] == "sampling/createMessage";
            client.answer(&question["id"], if sampling { &model } else { &roots });
        }
        assert_eq!(text(&next(&mut stream)["result"]), "Paris in file:///home", "{revision}");
        assert_eq!(stream.next(), None);
    }
    let asked = served.result("others", json!({}), json!({}));
    let more = json!({ "inputResponses": { "capital": model, "roots": roots }, "requestState": state(&asked) });
    assert_eq!(text(&served.result("others", json!({}), more)), "Paris in file:///home");
}

// Proves: E-04, E-05.
#[test]
fn a_page_has_an_id_on_2025_11_25_and_is_told_to_be_done_when_its_call_ends_well() {
    let served = Served::new(|server| server);
    let client = Old::new(served.port, "2025-11-25");
    let mut stream = client.call("page");
    let question = next(&mut stream);
    let id = question["params"]["elicitationId"].as_str().unwrap().to_owned();
    client.answer(&question["id"], &json!({ "action": "accept" }));
    let done = next(&mut stream);
    assert_eq!(done["method"], "notifications/elicitation/complete");
    assert_eq!(done["params"], json!({ "elicitationId": id }));
    assert_eq!(text(&next(&mut stream)["result"]), "back");
    let asked = served.result("page", json!({}), json!({}));
    assert_eq!(asked["inputRequests"]["login"]["params"]["elicitationId"], Value::Null);
}

// Proves: H-05.
#[test]
fn an_answer_counts_in_its_session_and_once() {
    let served = Served::new(|server| server);
    let (client, stranger) = (Old::new(served.port, "2025-11-25"), Old::new(served.port, "2025-11-25"));
    let mut stream = client.call("selected");
    let question = next(&mut stream);
    stranger.answer(&question["id"], &said("stranger"));
    client.answer(&json!("ask-unknown"), &said("unknown"));
    client.answer(&question["id"], &said("first"));
    client.answer(&question["id"], &said("second"));
    assert_eq!(text(&next(&mut stream)["result"]), "first");
}

// Proves: U-08.
#[test]
fn a_call_that_is_cancelled_takes_its_question_back() {
    let served = Served::new(|server| server);
    let client = Old::new(served.port, "2025-11-25");
    let mut stream = client.call("selected");
    let question = next(&mut stream);
    let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } });
    assert_eq!(client.request(&cancelled).send(served.port).status, 202);
    let taken_back = next(&mut stream);
    assert_eq!(taken_back["method"], "notifications/cancelled");
    assert_eq!(taken_back["params"]["requestId"], question["id"]);
    assert_eq!(stream.next(), None, "a cancelled call has no answer");
    client.answer(&question["id"], &said("late"));
}

#[test]
fn a_client_that_reads_no_streams_is_told_that_it_can_not_be_asked() {
    let served = Served::new(|server| server);
    let client = Old::new(served.port, "2025-11-25");
    let params = json!({ "name": "selected", "arguments": {} });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let answer = client.request(&body).header("Accept", "application/json").send(served.port).json();
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    assert!(text(&answer["result"]).contains("text/event-stream"), "{answer}");
}

#[test]
fn a_call_whose_client_went_away_in_the_middle_of_a_question_leaves_nothing_behind() {
    let server = HttpServer::start("booking");
    let client = Old::new(server.port, "2025-11-25");
    let mut stream = client.call("feedback");
    next(&mut stream);
    drop(stream);
    // The server goes on with its other work.
    drop(connect(server.port));
    let mut stream = client.call("feedback");
    assert_eq!(next(&mut stream)["method"], "elicitation/create");
}
