//! Servers, composed; what stands around operations; extensions.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use mcp_runtime::{
    Server,
    auth::DevelopmentTokens,
    call::{Fault, PromptResult, ResourceResult},
    middleware::{Answer, Logging, Middleware, Next, RateLimit, Timing},
    prelude::*,
    protocol::{Prompt, PromptMessage, Resource},
    provider::{PromptSet, ResourceSet, ToolSet},
    service::BoxFuture,
    wire::Code,
};
use serde_json::{Value, json};

use crate::{
    behaviour::Served,
    fixture::Fixture,
    support::{
        HttpServer, Request,
        client::{Client, Era, MODERN},
    },
};

const ERAS: [Era; 2] = [Era::Legacy("2025-11-25"), Era::Modern];

/// Counts for one session.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Tally(u64);

/// Counts, elsewhere.
#[mcp_server]
mod tally {
    use super::*;

    /// Count one up.
    #[tool]
    pub fn up(tally: &mut Tally) -> u64 {
        tally.0 += 1;
        tally.0
    }
}

fn greeting(text: &'static str) -> ToolSet {
    let tools = ToolSet::new();
    tools.add_tool(tool("greet"), move |_: Value| async move { Ok(ToolResult::text(text)) }).unwrap();
    tools
}

fn tool(name: &str) -> mcp_runtime::protocol::Tool {
    mcp_runtime::protocol::Tool::new(name, "Greet.", &json!({ "type": "object", "properties": {} }))
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

#[test]
fn a_mounted_server_has_its_tools_under_its_prefix_and_its_state_under_its_own_keys() {
    let served = Served::new(|server| {
        let inner = Server::named("inner", "0").mount("deep", tally::server()).tools(greeting("deep"));
        server.mount("one", tally::server()).mount("two", tally::server()).mount("more", inner).tools(greeting("root"))
    });
    for era in ERAS {
        let client = Client::new(served.port, era);
        let listed = client.request("tools/list", json!({}));
        let names: Vec<&str> =
            listed["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
        for name in ["echo", "count", "one_up", "two_up", "more_deep_up", "greet", "more_greet"] {
            assert_eq!(names.iter().filter(|known| **known == name).count(), 1, "{name}: {names:?}");
        }
        assert_eq!(text(&client.call("echo", json!({ "text": "x" }))), "x");
        assert_eq!(text(&client.call("greet", json!({}))), "root");
        assert_eq!(text(&client.call("more_greet", json!({}))), "deep");
        assert_eq!(client.call("up", json!({}))["error"]["message"], "Unknown tool: up");
        // One session, and three counters that know nothing of each other.
        let up = |name: &str| {
            let handle = if era == Era::Modern { json!({ "session": client.handle() }) } else { json!({}) };
            text(&client.call(name, handle)).to_owned()
        };
        assert_eq!([up("one_up"), up("one_up"), up("two_up"), up("more_deep_up")], ["1", "2", "1", "1"]);
    }
}

#[test]
fn mounted_prompts_have_the_prefix_and_resources_keep_their_uris() {
    let (prompts, resources) = (PromptSet::new(), ResourceSet::new());
    prompts.add(Prompt::new("hello"), async |_| Ok(PromptResult::new([PromptMessage::user("Hello")]))).unwrap();
    resources.add(Resource::new("db://1", "one"), async || Ok(ResourceResult::Text("one".into()))).unwrap();
    let inner = Server::named("inner", "0").prompts(prompts).resources(resources);
    let served = Served::new(|server| server.mount("db", inner));
    for era in ERAS {
        let client = Client::new(served.port, era);
        let listed = client.request("prompts/list", json!({}));
        assert_eq!(listed["result"]["prompts"][0]["name"], "db_hello");
        let got = client.request("prompts/get", json!({ "name": "db_hello" }));
        assert_eq!(got["result"]["messages"][0]["content"]["text"], "Hello");
        assert_eq!(client.request("prompts/get", json!({ "name": "hello" }))["error"]["code"], -32602);
        assert_eq!(client.read("db://1")["result"]["contents"][0]["text"], "one");
    }
}

/// Why a server does not start.
fn refused(server: Server) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(server.port(0).start()).expect_err("the server does not start").to_string()
}

/// A tool that is called as if it were mounted.
#[mcp_server]
mod clash {
    /// Count.
    #[tool]
    pub fn one_up() -> u64 {
        1
    }
}

/// A tool with the name of one of the framework's own, once it is mounted.
#[mcp_server]
mod minting {
    /// Open something.
    #[tool]
    pub fn session() -> u64 {
        1
    }
}

#[test]
fn what_can_not_be_composed_is_refused_at_the_start_and_says_why() {
    let wrong = refused(clash::server().mount("one", tally::server()));
    assert!(wrong.contains("`one_up`") && wrong.contains("the server itself") && wrong.contains("`one`"), "{wrong}");
    let wrong = refused(Server::named("x", "0").mount("a", tally::server()).mount("a", tally::server()));
    assert!(wrong.contains("two servers are mounted at `a`"), "{wrong}");
    for prefix in ["", "1a", "a-b", "ä"] {
        let wrong = refused(Server::named("x", "0").mount(prefix, tally::server()));
        assert!(wrong.contains("no prefix"), "{wrong}");
    }
    let wrong = refused(Server::named("x", "0").mount("a".repeat(62), tally::server()));
    assert!(wrong.contains("64 characters"), "{wrong}");
    let guarded = tally::server().visible(|_, _| false).authorize(DevelopmentTokens::new());
    let wrong = refused(Server::named("x", "0").mount("a", guarded));
    assert!(wrong.contains("`authorize`, `visible`"), "{wrong}");
    let wrong = refused(tally::server().mount("open", minting::server()));
    assert!(wrong.contains("`open_session`"), "{wrong}");
}

/// Writes down what it sees, and answers some of it itself.
struct Watch(Arc<Mutex<Vec<String>>>);

impl Middleware for Watch {
    fn handle<'a>(&'a self, next: Next<'a>) -> BoxFuture<'a, Result<Answer, Fault>> {
        Box::pin(async move {
            let seen = format!("{} {:?} {:?}", next.method(), next.item(), next.arguments());
            self.0.lock().unwrap().push(seen);
            match next.arguments() {
                Some(arguments) if arguments.contains("forbidden") => Ok(Answer::tool_error("Not this one")),
                Some(arguments) if arguments.contains("broken") => Err(Fault::new(Code(7), "Broken")),
                Some(arguments) if arguments.contains("panic") => panic!("a secret of the middleware"),
                _ => next.run().await,
            }
        })
    }
}

#[test]
fn a_middleware_sees_every_operation_and_may_answer_it() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let times = Arc::new(Mutex::new(Vec::new()));
    let (watch, timing) = (seen.clone(), times.clone());
    let served = Served::new(move |server| {
        let timing = Timing::new(move |timed| timing.lock().unwrap().push((timed.method, timed.succeeded)));
        server.wrap(Watch(watch)).wrap(timing).wrap(Logging)
    });
    for era in ERAS {
        let client = Client::new(served.port, era);
        seen.lock().unwrap().clear();
        times.lock().unwrap().clear();
        assert_eq!(text(&client.call("echo", json!({ "text": "x" }))), "x");
        let refused = client.call("echo", json!({ "text": "forbidden" }));
        assert_eq!((text(&refused), &refused["result"]["isError"]), ("Not this one", &json!(true)));
        assert_eq!(
            client.call("echo", json!({ "text": "broken" }))["error"],
            json!({ "code": 7, "message": "Broken" })
        );
        let panicked = client.call("echo", json!({ "text": "panic" }));
        assert_eq!(panicked["error"], json!({ "code": -32603, "message": "Internal error" }));
        assert!(client.request("tools/list", json!({}))["result"]["tools"].is_array());
        let seen = seen.lock().unwrap();
        assert_eq!(seen[0], r#"tools/call Some(Tool("echo")) Some("{\"text\":\"x\"}")"#);
        assert_eq!((seen.len(), &*seen[4]), (5, "tools/list None None"));
        let failed = ("tools/call", false);
        // A panic unwinds through what stands around it, so it is not timed.
        assert_eq!(*times.lock().unwrap(), [("tools/call", true), failed, failed, ("tools/list", true)]);
    }
}

/// What is asked for.
#[derive(Deserialize, JsonSchema)]
struct City {
    city: String,
}

/// Asks.
#[mcp_server]
mod curious {
    use super::*;

    /// Ask for a city.
    #[tool]
    pub async fn visit(cx: &Context) -> Result<String, ToolError> {
        let city = cx.ask("city", Elicit::form::<City>("Which city?")).await?;
        Ok(city.city)
    }
}

#[test]
fn a_function_behind_a_middleware_can_ask() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let server = curious::server().wrap(Watch(seen.clone())).wrap(Logging).port(0);
    let running = runtime.block_on(server.start()).unwrap();
    let port = running.address().port();
    let call = |more: Value| -> Value {
        let mut params = json!({ "name": "visit", "arguments": {}, "_meta": {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": { "form": {} } },
        } });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let request = Request::post(body.to_string()).header("MCP-Protocol-Version", MODERN);
        request.header("Mcp-Method", "tools/call").header("Mcp-Name", "visit").send(port).json()
    };
    let asked = call(json!({}));
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    let question = asked["result"]["inputRequests"].as_object().unwrap().keys().next().unwrap();
    let answered = call(json!({
        "inputResponses": { question: { "action": "accept", "content": { "city": "Ulm" } } },
        "requestState": asked["result"]["requestState"],
    }));
    assert_eq!(text(&answered), "Ulm");
    // It ran twice, and so did what stands around it.
    assert_eq!(seen.lock().unwrap().len(), 2);
    runtime.block_on(running.stop());
    runtime.shutdown_background();
}

// Proves: SEC-08, TL-15.
#[test]
fn too_many_calls_are_refused_and_another_caller_is_not() {
    let tokens = DevelopmentTokens::new().with("t1", "alice").with("t2", "bob");
    let served = Served::new(|server| server.authorize(tokens).wrap(RateLimit::per(Duration::from_secs(600), 3)));
    let (alice, bob) = (
        Client::new_as(served.port, Era::Modern, Some("t1")),
        Client::new_as(served.port, Era::Legacy("2025-11-25"), Some("t2")),
    );
    // Whatever the revision and the session, a principal is one caller.
    let again = Client::new_as(served.port, Era::Legacy("2025-11-25"), Some("t1"));
    for client in [&alice, &alice, &again] {
        assert_eq!(text(&client.call("echo", json!({ "text": "x" }))), "x");
    }
    for client in [&alice, &again] {
        let refused = client.call("echo", json!({ "text": "x" }));
        assert_eq!(refused["result"]["isError"], true);
        assert!(text(&refused).starts_with("Too many calls: nothing was done. Try again in "), "{refused}");
        let refused = client.request("tools/list", json!({}));
        assert_eq!((&refused["error"]["code"], refused["error"]["data"]["retryAfterMs"].is_u64()), (&json!(429), true));
    }
    assert_eq!(text(&bob.call("echo", json!({ "text": "x" }))), "x");
}

// Proves: UI-01.
#[test]
fn a_tool_has_a_page_for_hosts_that_say_that_they_show_it_and_text_for_all_others() {
    const APPS: &str = "io.modelcontextprotocol/ui";
    let server = HttpServer::start("apps");
    let shades = "#112244, #224488, #3366cc, #7799dd, #bbccee";
    let pages = json!({ "extensions": { APPS: { "mimeTypes": ["text/html;profile=mcp-app"] } } });
    let others = json!({ "extensions": { APPS: { "mimeTypes": ["text/html"] } } });
    let call = |id: u8| {
        let params = json!({ "name": "shades", "arguments": { "colour": "3366cc" } });
        json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
    };
    for (capabilities, shown) in [(&pages, true), (&others, false), (&json!({ "extensions": {} }), false)] {
        let told = if shown { format!("The person sees these shades: {shades}") } else { shades.to_owned() };
        // In the handshake, for all calls of its session.
        let params = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": capabilities,
            "clientInfo": { "name": "t", "version": "1" }
        });
        let body = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }).to_string();
        let welcome = Request::post(body).revision("2025-11-25").send(server.port);
        assert_eq!(welcome.json()["result"]["capabilities"]["extensions"], json!({ APPS: {} }));
        let request = Request::post(call(1).to_string()).header("MCP-Protocol-Version", "2025-11-25");
        let request = request.header("Mcp-Session-Id", welcome.header("mcp-session-id").unwrap());
        assert_eq!(text(&request.revision("2025-11-25").send(server.port).json()), told);
        // In the request, for it alone.
        for (capabilities, told) in [(capabilities, &*told), (&json!({}), shades)] {
            let mut call = call(2);
            call["params"]["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": capabilities,
            });
            let request = Request::post(call.to_string()).header("MCP-Protocol-Version", "2026-07-28");
            let request = request.header("Mcp-Method", "tools/call").header("Mcp-Name", "shades");
            let answer = request.revision("2026-07-28").send(server.port).json();
            assert_eq!(text(&answer), told);
            assert_eq!(answer["result"]["structuredContent"]["shades"][2], "#3366cc");
        }
    }
    // The page can be found by all, and only those who show pages look for it.
    for era in [Era::Legacy("2025-11-25"), Era::Modern] {
        let client = Client::new(server.port, era);
        let listed = client.request("tools/list", json!({}));
        let tool = &listed["result"]["tools"][0];
        let page = client.read(tool["_meta"]["ui"]["resourceUri"].as_str().unwrap());
        let contents = &page["result"]["contents"][0];
        assert_eq!(contents["mimeType"], "text/html;profile=mcp-app");
        assert_eq!(contents["_meta"]["ui"], json!({ "prefersBorder": true }));
        assert!(contents["text"].as_str().unwrap().starts_with("<!doctype html>"));
        assert_eq!(client.call("shades", json!({ "colour": "blue" }))["result"]["isError"], true);
    }
}

/// Says which settings of an extension the client has.
#[mcp_server]
mod asks {
    use super::*;

    /// The settings.
    #[tool]
    pub fn settings(cx: &Context) -> String {
        format!("{:?}", cx.extension("io.modelcontextprotocol/ui"))
    }
}

// Proves: C-03, V-11, V-12, X-01, X-02, X-04.
#[test]
fn extensions_are_declared_where_the_revision_has_them_and_read_from_each_request() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let server = asks::server().extension("io.modelcontextprotocol/ui", json!({})).port(0);
    let running = runtime.block_on(server.start()).unwrap();
    let port = running.address().port();
    let modern = Client::new(port, Era::Modern);
    let discovered = modern.request("server/discover", json!({}));
    let declared = &discovered["result"]["capabilities"]["extensions"];
    assert_eq!(*declared, json!({ "io.modelcontextprotocol/ui": {} }));
    assert_eq!(text(&modern.call("settings", json!({}))), "None");
    for (revision, has) in [("2025-06-18", false), ("2025-11-25", true)] {
        let ui = json!({ "io.modelcontextprotocol/ui": { "mimeTypes": ["text/html;profile=mcp-app"] } });
        let params = json!({
            "protocolVersion": revision,
            "capabilities": { "extensions": ui },
            "clientInfo": { "name": "t", "version": "1" }
        });
        let body = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }).to_string();
        let welcome = Request::post(body).send(port);
        assert_eq!(welcome.json()["result"]["capabilities"]["extensions"].is_object(), has, "{revision}");
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "settings" } });
        let session = welcome.header("mcp-session-id").unwrap();
        let answer = Request::post(call.to_string())
            .header("Mcp-Session-Id", session)
            .header("MCP-Protocol-Version", revision)
            .send(port)
            .json();
        assert!(text(&answer).contains("profile=mcp-app"), "{answer}");
    }
    runtime.block_on(running.stop());
    runtime.shutdown_background();
    for (id, settings) in [("ui", json!({})), ("com.example/x", json!(true))] {
        let wrong = refused(Server::new(Fixture::default()).extension(id, settings));
        assert!(wrong.contains(id), "{wrong}");
    }
}
