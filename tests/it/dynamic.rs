//! What is not known at compile time: providers, pages, and who may know of what.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use mcp_runtime::{
    Item,
    auth::DevelopmentTokens,
    call::{Completion, PromptResult, ResourceResult},
    prelude::*,
    protocol::{CacheHint, Prompt, PromptArgument, PromptMessage, Resource, ResourceTemplate, Tool},
    provider::{Page, PromptSet, ResourceProvider, ResourceSet, ToolProvider, ToolSet},
    service::BoxFuture,
};
use serde_json::{Value, json, value::RawValue};

use crate::{
    behaviour::Served,
    changes::start,
    support::{
        HttpServer, Request,
        client::{Client, Era, MODERN},
    },
};

const ERAS: [Era; 2] = [Era::Legacy("2025-11-25"), Era::Modern];

/// A tool for each principal: its name is the subject's.
struct Personal {
    calls: Mutex<Vec<String>>,
}

fn subject(cx: &Context) -> String {
    cx.principal().map_or("nobody", |principal| &*principal.subject).to_owned()
}

impl ToolProvider for Personal {
    fn list<'a>(&'a self, cx: &'a Context, cursor: Option<&'a str>) -> BoxFuture<'a, Result<Page<Tool>, ToolError>> {
        Box::pin(async move {
            let schema = json!({
                "type": "object",
                "properties": { "place": {
                    "type": "object",
                    "properties": { "region": { "type": "string", "x-mcp-header": "Region" } }
                } },
                "additionalProperties": false
            });
            let tool = |name: String| Tool::new(name, "Somebody's own tool.", &schema);
            Ok(match cursor {
                None => Page::more([tool(format!("of_{}", subject(cx)))], "second"),
                Some("second") => Page::more([tool("echo".into()), tool("bad name".into())], ""),
                Some("") => Page::last([
                    tool("last".into()),
                    Tool::new("no_object", "A schema that is no object's.", &json!({ "type": "string" })),
                    Tool::new("breaks", "A provider that panics.", &schema),
                ]),
                Some(other) => return Err(ToolError::new(format!("no such page: {other}"))),
            })
        })
    }

    fn call<'a>(
        &'a self,
        cx: &'a Context,
        name: &'a str,
        arguments: &'a RawValue,
    ) -> BoxFuture<'a, Result<ToolResult, ToolError>> {
        Box::pin(async move {
            assert_ne!(name, "breaks", "a secret of the provider");
            self.calls.lock().unwrap().push(name.to_owned());
            Ok(ToolResult::text(format!("{name} for {} with {}", subject(cx), arguments.get())))
        })
    }
}

fn personal() -> Personal {
    Personal { calls: Mutex::default() }
}

fn tokens() -> DevelopmentTokens {
    DevelopmentTokens::new().with("t1", "alice").with("t2", "bob")
}

/// All names of a list, page by page; how many are on each page.
fn walk(client: &Client, method: &str, member: &str, name: &str) -> (Vec<String>, Vec<usize>) {
    let (mut names, mut sizes) = (Vec::new(), Vec::new());
    let mut cursor = Value::Null;
    loop {
        let page = client.request(method, json!({ "cursor": cursor }));
        let items = page["result"][member].as_array().unwrap_or_else(|| panic!("{page}"));
        names.extend(items.iter().map(|item| item[name].as_str().unwrap().to_owned()));
        sizes.push(items.len());
        assert!(sizes.len() < 50, "the list has no end");
        match &page["result"]["nextCursor"] {
            Value::Null => return (names, sizes),
            next => {
                assert_ne!(next, "");
                cursor = next.clone();
            }
        }
    }
}

fn tools(client: &Client) -> Vec<String> {
    walk(client, "tools/list", "tools", "name").0
}

// Proves: PC-05, TL-11.
#[test]
fn pages_have_the_size_that_the_server_wants_and_nothing_is_lost_or_doubled() {
    let all = Served::plain();
    for era in ERAS {
        let (names, sizes) = walk(&Client::new(all.port, era), "tools/list", "tools", "name");
        assert_eq!(sizes, [names.len()]);
        for size in [1, 4, names.len() - 1, names.len(), names.len() + 1] {
            let served = Served::new(|server| server.page_size(size));
            let (paged, sizes) = walk(&Client::new(served.port, era), "tools/list", "tools", "name");
            assert_eq!(paged, names, "{size}");
            assert_eq!(sizes.len(), names.len().div_ceil(size), "{size}");
            assert!(sizes.iter().all(|found| *found <= size), "{sizes:?}");
        }
    }
}

// Proves: CA-02.
#[test]
fn all_pages_of_a_list_are_kept_for_the_same_callers() {
    let served = Served::new(|server| server.tools(personal()).page_size(2));
    let client = Client::new(served.port, Era::Modern);
    let (mut cursor, mut scopes) = (Value::Null, Vec::new());
    loop {
        let page = client.request("tools/list", json!({ "cursor": cursor }))["result"].clone();
        scopes.push(page["cacheScope"].as_str().expect("a scope").to_owned());
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert!(scopes.len() > 3 && scopes.iter().all(|scope| *scope == scopes[0]), "{scopes:?}");
}

// Proves: CA-05, M-04, TL-12.
#[test]
fn a_list_is_the_same_whoever_the_client_says_it_is_and_whatever_it_called() {
    let served = Served::new(|server| server.tools(personal()));
    let said = |name: &str, capabilities: Value| {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientInfo": { "name": name, "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": capabilities,
        });
        let lists = ["tools/list", "prompts/list", "resources/list", "server/discover"].map(|method| {
            let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": { "_meta": meta } });
            let request = Request::post(body.to_string()).header("MCP-Protocol-Version", MODERN);
            let mut list = request.header("Mcp-Method", method).send(served.port).json();
            // A cursor is sealed, and no seal is like another.
            if let Some(result) = list["result"].as_object_mut() {
                result.remove("nextCursor");
            }
            list
        });
        assert!(lists[0].to_string().contains("\"of_nobody\""), "{}", lists[0]);
        lists
    };
    let first = said("admin", json!({ "elicitation": {}, "sampling": {}, "roots": {} }));
    let client = Client::new(served.port, Era::Modern);
    for tool in ["last", "count", "echo", "no such tool"] {
        client.call(tool, json!({}));
    }
    assert_eq!(said("nobody", json!({})), first);
    assert_eq!(said("admin", json!({ "extensions": { "com.example/x": {} } })), first);
}

// Proves: TL-03.
#[test]
fn the_schema_of_a_provided_tool_is_read_in_its_dialect() {
    let tools = ToolSet::new();
    let add = |name: &str, mut schema: Value, items: &str| {
        schema["type"] = json!("object");
        schema["properties"] = json!({ "pair": { "type": "array", items: [{ "type": "integer" }] } });
        tools.add_tool(Tool::new(name, "x", &schema), async |_: Value| Ok(ToolResult::text("taken")))
    };
    add("newest", json!({}), "prefixItems").unwrap();
    add("named", json!({ "$schema": "https://json-schema.org/draft/2020-12/schema" }), "prefixItems").unwrap();
    add("older", json!({ "$schema": "http://json-schema.org/draft-07/schema#" }), "items").unwrap();
    let served = Served::new(|server| server.tools(tools.clone()));
    for era in ERAS {
        let client = Client::new(served.port, era);
        for tool in ["newest", "named", "older"] {
            assert_eq!(client.call(tool, json!({ "pair": [1] }))["result"]["content"][0]["text"], "taken", "{tool}");
            assert_eq!(client.call(tool, json!({ "pair": ["x"] }))["result"]["isError"], true, "{tool}");
        }
    }
}

/// One tool whose schema is in a dialect that nobody knows.
struct Unheard;

impl ToolProvider for Unheard {
    fn list<'a>(&'a self, _: &'a Context, _: Option<&'a str>) -> BoxFuture<'a, Result<Page<Tool>, ToolError>> {
        let schema = json!({ "type": "object", "$schema": "https://schema.example/dialect" });
        Box::pin(async move { Ok(Page::last([Tool::new("unheard", "x", &schema)])) })
    }

    fn call<'a>(&'a self, _: &'a Context, _: &'a str, _: &'a RawValue) -> BoxFuture<'a, Result<ToolResult, ToolError>> {
        Box::pin(async { Ok(ToolResult::text("called")) })
    }
}

// Proves: TL-03.
#[test]
fn a_tool_in_a_dialect_that_is_not_supported_is_refused_in_clear_words() {
    let tools = ToolSet::new();
    let schema = json!({ "type": "object", "$schema": "https://schema.example/dialect" });
    let refused = tools.add_tool(Tool::new("unheard", "x", &schema), async |_: Value| Ok(ToolResult::text("called")));
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("`unheard`") && refused.contains("https://schema.example/dialect"), "{refused}");
    assert!(refused.contains("not supported") && refused.contains("2020-12"), "{refused}");
    assert!(tools.is_empty());
    // What a provider lists is not listed, and whoever calls it nevertheless reads why it can't be.
    let served = Served::new(|server| server.tools(Unheard));
    for era in ERAS {
        let client = Client::new(served.port, era);
        assert!(!self::tools(&client).contains(&"unheard".to_owned()));
        let error = client.call("unheard", json!({}))["error"].clone();
        let message = error["message"].as_str().unwrap();
        assert_eq!(error["code"], -32603);
        assert!(message.contains("schema.example/dialect") && message.contains("not supported"), "{message}");
    }
}

#[test]
fn provided_tools_stand_behind_the_declared_ones_page_by_page() {
    for size in [1, 3, 1_000] {
        let served = Served::new(|server| server.tools(personal()).page_size(size));
        for era in ERAS {
            let client = Client::new(served.port, era);
            let (names, sizes) = walk(&client, "tools/list", "tools", "name");
            // `echo` is declared, `bad name` and `no_object` are of no use to any client.
            let provided: Vec<_> = names.iter().rev().take(3).rev().collect();
            assert_eq!(provided, ["of_nobody", "last", "breaks"], "{names:?}");
            assert_eq!(names.iter().filter(|name| **name == "echo").count(), 1);
            assert!(sizes.iter().all(|found| *found <= size), "{sizes:?}");
        }
    }
}

#[test]
fn a_provided_tool_is_called_with_arguments_that_its_schema_accepts() {
    let served = Served::new(|server| server.tools(personal()));
    for era in ERAS {
        let client = Client::new(served.port, era);
        let answer = client.call("last", json!({}));
        assert_eq!(answer["result"]["content"][0]["text"], "last for nobody with {}");
        let answer = client.call("last", json!({ "place": 5, "more": 1 }));
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert_eq!(answer["result"]["isError"], true);
        assert!(text.contains("`place`") && text.contains("more"), "{text}");
        // Declared tools win, unknown ones are unknown, a panic tells nothing.
        assert_eq!(client.call("echo", json!({ "text": "x" }))["result"]["content"][0]["text"], "x");
        assert_eq!(client.call("of_bob", json!({}))["error"]["message"], "Unknown tool: of_bob");
        let broken = client.call("breaks", json!({}));
        assert_eq!(broken["error"], json!({ "code": -32603, "message": "Internal error" }));
    }
}

// Proves: TL-15.
#[test]
fn a_tool_of_one_principal_is_unknown_to_another() {
    let served = Served::new(|server| server.authorize(tokens()).tools(personal()));
    for era in ERAS {
        let (alice, bob) = (Client::new_as(served.port, era, Some("t1")), Client::new_as(served.port, era, Some("t2")));
        assert!(tools(&alice).contains(&"of_alice".to_owned()) && !tools(&bob).contains(&"of_alice".to_owned()));
        let text = alice.call("of_alice", json!({}))["result"]["content"][0]["text"].clone();
        assert_eq!(text, "of_alice for alice with {}");
        assert_eq!(bob.call("of_alice", json!({}))["error"]["message"], "Unknown tool: of_alice");
    }
}

// Proves: PC-05, PC-06, PC-07, SEC-04.
#[test]
fn abuse_g19_a_cursor_of_another_list_or_principal_or_of_nobody_is_refused() {
    let resources = ResourceSet::new();
    for number in 0..5 {
        resources.add_text(Resource::new(format!("n://{number}"), "n"), "n").unwrap();
    }
    let served = Served::new(|server| server.authorize(tokens()).page_size(2).tools(personal()).resources(resources));
    for era in ERAS {
        let (alice, bob) = (Client::new_as(served.port, era, Some("t1")), Client::new_as(served.port, era, Some("t2")));
        let cursor = alice.request("tools/list", json!({}))["result"]["nextCursor"].as_str().unwrap().to_owned();
        assert!(alice.request("tools/list", json!({ "cursor": cursor }))["result"].is_object());
        let mut forged = cursor.clone().into_bytes();
        let last = forged.len() - 1;
        forged[last / 2] = if forged[last / 2] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        let refused = json!({ "code": -32602, "message": "`params.cursor` is not a cursor of this list" });
        assert_eq!(bob.request("tools/list", json!({ "cursor": cursor }))["error"], refused);
        assert_eq!(alice.request("resources/list", json!({ "cursor": cursor }))["error"], refused);
        for wrong in [&*forged, "", "second", "0", &"A".repeat(100_000)] {
            assert_eq!(alice.request("tools/list", json!({ "cursor": wrong }))["error"], refused, "{wrong}");
        }
        assert_eq!(alice.request("tools/list", json!({ "cursor": 5 }))["error"]["code"], -32602);
    }
}

// Proves: N-05, TL-18.
#[test]
fn headers_of_a_provided_tool_mirror_its_arguments() {
    let served = Served::new(|server| server.tools(personal()));
    let client = Client::new(served.port, Era::Modern);
    let call = |arguments: Value, header: Option<&str>| -> (u16, Value) {
        let mut request: Request = client.call_request(json!(1), "last", arguments);
        if let Some(header) = header {
            request = request.header("Mcp-Param-Region", header);
        }
        let response = request.send(served.port);
        (response.status, response.json())
    };
    let there = json!({ "place": { "region": "eu" } });
    assert_eq!(call(there.clone(), Some("eu")).0, 200);
    assert_eq!(call(json!({}), None).0, 200);
    for (arguments, header) in [(there.clone(), None), (there, Some("us")), (json!({}), Some("eu"))] {
        let (status, answer) = call(arguments, header);
        assert_eq!((status, &answer["error"]["code"]), (400, &json!(-32020)), "{answer}");
    }
    // On older revisions the annotation means nothing.
    let client = Client::new(served.port, ERAS[0]);
    assert!(client.call("last", json!({ "place": { "region": "eu" } }))["result"]["isError"].is_null());
}

/// What a tool that is added at run time takes.
#[derive(Deserialize, JsonSchema)]
struct Greeting {
    /// Whom to greet.
    name: String,
    times: Option<u8>,
}

#[test]
fn containers_change_while_the_server_runs() {
    let (tools_of, resources, prompts) = (ToolSet::new(), ResourceSet::new(), PromptSet::new());
    let served = {
        let (tools, resources, prompts) = (tools_of.clone(), resources.clone(), prompts.clone());
        Served::new(|server| server.tools(tools).resources(resources).prompts(prompts))
    };
    for era in ERAS {
        let client = Client::new(served.port, era);
        assert_eq!(client.call("greet", json!({ "name": "you" }))["error"]["code"], -32602);
        tools_of
            .add("greet", "Greet somebody.", async |greeting: Greeting| {
                Ok(ToolResult::text(format!("Hello {}", greeting.name).repeat(greeting.times.unwrap_or(1).into())))
            })
            .unwrap();
        let listed = client.request("tools/list", json!({}));
        let greet = listed["result"]["tools"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&greet["name"], &greet["inputSchema"]["additionalProperties"]), (&json!("greet"), &json!(false)));
        assert_eq!(greet["inputSchema"]["required"], json!(["name"]));
        let answer = client.call("greet", json!({ "name": "you" }));
        assert_eq!(answer["result"]["content"][0]["text"], "Hello you");
        assert_eq!(client.call("greet", json!({ "nam": "you" }))["result"]["isError"], true);
        assert!(tools_of.remove("greet") && !tools_of.remove("greet"));
        assert_eq!(client.call("greet", json!({ "name": "you" }))["error"]["message"], "Unknown tool: greet");

        resources.add_text(Resource::new("news://today", "today").with_mime_type("text/markdown"), "# News").unwrap();
        let listed = client.request("resources/list", json!({}));
        assert_eq!(listed["result"]["resources"][0]["uri"], "news://today");
        let read = client.read("news://today");
        let contents = json!([{ "uri": "news://today", "mimeType": "text/markdown", "text": "# News" }]);
        assert_eq!(read["result"]["contents"], contents);
        assert!(resources.remove("news://today"));
        assert_eq!(client.read("news://today")["error"]["data"], json!({ "uri": "news://today" }));

        let mut prompt = Prompt::new("review");
        prompt.arguments = vec![{
            let mut argument = PromptArgument::new("code");
            argument.required = true;
            argument
        }];
        prompts
            .add(prompt, async |arguments: BTreeMap<String, String>| {
                Ok(PromptResult::new([PromptMessage::user(format!("Review {}", arguments["code"]))]))
            })
            .unwrap();
        let get = |arguments: Value| client.request("prompts/get", json!({ "name": "review", "arguments": arguments }));
        assert_eq!(get(json!({ "code": "x" }))["result"]["messages"][0]["content"]["text"], "Review x");
        assert_eq!(get(json!({}))["error"]["code"], -32602);
        assert_eq!(get(json!({ "code": "x", "more": "y" }))["error"]["code"], -32602);
        let reference = json!({ "type": "ref/prompt", "name": "review" });
        let complete = json!({ "ref": reference, "argument": { "name": "code", "value": "" } });
        let values = || client.request("completion/complete", complete.clone())["result"]["completion"].clone();
        assert_eq!(values()["values"], json!([]));
        let completes = async |typed: String, known: BTreeMap<String, String>| {
            Ok(Completion::new([format!("{typed}.rs"), format!("{known:?}")]))
        };
        prompts.add_completion("review", "code", completes).unwrap();
        assert_eq!(values()["values"], json!([".rs", "{}"]));
        assert!(prompts.add_completion("review", "none", completes).is_err());
        assert!(prompts.add_completion("none", "code", completes).is_err());
        assert!(prompts.remove("review"));
        assert_eq!(get(json!({ "code": "x" }))["error"]["message"], "Unknown prompt: review");
    }
}

#[test]
fn variables_of_templates_in_a_container_are_completed_with_what_is_known() {
    let (resources, prompts) = (ResourceSet::new(), PromptSet::new());
    let template = ResourceTemplate::new("file://{folder}/{name}", "file");
    resources.add_template(template.clone(), async |_| Ok(ResourceResult::NotFound)).unwrap();
    let names = async |typed: String, known: BTreeMap<String, String>| {
        let folder = known.get("folder").cloned().unwrap_or_default();
        if folder == "broken" {
            return Err(ToolError::new("The folder `broken` can't be read"));
        }
        Ok(Completion::new((0..150).map(move |number| format!("{folder}-{typed}{number}"))))
    };
    resources.add_completion("file://{folder}/{name}", "name", names).unwrap();
    assert!(resources.add_completion("file://{folder}/{name}", "size", names).is_err());
    assert!(resources.add_completion("file://{folder}", "folder", names).is_err());
    let mut greet = Prompt::new("greet");
    greet.arguments.push(PromptArgument::new("whom"));
    prompts.add(greet, async |_| Ok(PromptResult::default())).unwrap();
    prompts.add_completion("greet", "whom", async |typed, _| Ok(Completion::new([typed]))).unwrap();
    let inner = Server::named("inner", "1").prompts(prompts);
    let served = Served::new(|server| server.resources(resources.clone()).mount("inner", inner));
    for era in ERAS {
        let client = Client::new(served.port, era);
        let complete = |folder: &str, variable: &str| {
            let reference = json!({ "type": "ref/resource", "uri": "file://{folder}/{name}" });
            let argument = json!({ "name": variable, "value": "v" });
            let context = json!({ "arguments": { "folder": folder } });
            client.request("completion/complete", json!({ "ref": reference, "argument": argument, "context": context }))
        };
        let completion = complete("a", "name")["result"]["completion"].clone();
        assert_eq!(completion["values"].as_array().unwrap().len(), 100);
        assert_eq!((&completion["values"][7], &completion["total"]), (&json!("a-v7"), &json!(150)));
        assert_eq!(completion["hasMore"], true);
        assert_eq!(complete("a", "folder")["result"]["completion"]["values"], json!([]));
        assert_eq!(complete("broken", "name")["error"]["message"], "The folder `broken` can't be read");
        let reference = json!({ "type": "ref/prompt", "name": "inner_greet" });
        let argument = json!({ "name": "whom", "value": "Ann" });
        let completed = client.request("completion/complete", json!({ "ref": reference, "argument": argument }));
        assert_eq!(completed["result"]["completion"]["values"], json!(["Ann"]));
    }
    // Another one in its place begins anew.
    resources.add_template(template, async |_| Ok(ResourceResult::NotFound)).unwrap();
    let client = Client::new(served.port, ERAS[0]);
    let reference = json!({ "type": "ref/resource", "uri": "file://{folder}/{name}" });
    let complete = json!({ "ref": reference, "argument": { "name": "name", "value": "" } });
    assert_eq!(client.request("completion/complete", complete)["result"]["completion"]["values"], json!([]));
}

// Proves: RS-08.
#[test]
fn provided_lists_and_resources_are_kept_as_long_as_they_say() {
    let hour = CacheHint { ttl: Duration::from_secs(3_600), public: true };
    let resources = ResourceSet::new();
    let add = |uri: &str, result: ResourceResult| {
        let resource = Resource::new(uri, "x").with_mime_type("text/markdown");
        resources.add(resource, move || std::future::ready(Ok(result.clone()))).unwrap();
    };
    add("kept://text", ResourceResult::Text("text".into()).cached(hour));
    add("kept://not", ResourceResult::Text("text".into()));
    add("kept://twice", ResourceResult::Text("text".into()).cached(hour).cached(CacheHint { public: false, ..hour }));
    let server = || Server::named("kept", "1").resources(resources.clone()).list_ttl(Duration::from_secs(60));
    let said = |result: &Value| (result["ttlMs"].clone(), result["cacheScope"].clone());
    for (filtered, scope) in [(false, "public"), (true, "private")] {
        let server = if filtered { server().visible(|_, _| true) } else { server() };
        let (port, running, runtime) = start(server);
        let client = Client::new(port, Era::Modern);
        let result = |method: &str, params: Value| client.request(method, params)["result"].clone();
        assert_eq!(said(&result("resources/list", json!({}))), (json!(60_000), json!("private")));
        let read = |uri: &str| result("resources/read", json!({ "uri": uri }));
        assert_eq!(said(&read("kept://text")), (json!(3_600_000), json!(scope)));
        assert_eq!(read("kept://text")["contents"][0]["mimeType"], "text/markdown");
        assert_eq!(said(&read("kept://twice")), (json!(3_600_000), json!("private")));
        assert_eq!(said(&read("kept://not")), (json!(0), json!("private")));
        runtime.block_on(running.stop());
        runtime.shutdown_background();
    }
}

// Proves: TL-01, TL-04.
#[test]
fn what_no_client_could_use_is_not_added() {
    let tools = ToolSet::new();
    let add = |name: &str| tools.add(name, "x", async |_: Greeting| Ok(ToolResult::text("x")));
    for name in ["", "with space", "ümlaut", &"x".repeat(129)] {
        assert!(add(name).is_err(), "{name}");
    }
    assert!(tools.add("text", "x", async |_: String| Ok(ToolResult::text("x"))).is_err());
    let far = json!({ "type": "object", "properties": { "a": { "$ref": "https://schema.example/a" } } });
    assert!(tools.add_tool(Tool::new("far", "x", &far), async |_: Value| Ok(ToolResult::text("x"))).is_err());
    assert!(tools.is_empty());
    assert!(ResourceSet::new().add_text(Resource::new("no-scheme", "x"), "x").is_err());
    let template = ResourceTemplate::new("notes://{id", "x");
    assert!(ResourceSet::new().add_template(template, async |_| Ok(ResourceResult::NotFound)).is_err());
}

// Proves: CA-03, RS-07, TL-15.
#[test]
fn what_is_hidden_is_answered_byte_for_byte_like_what_is_not_there() {
    let hides = |principal: Option<&mcp_runtime::auth::Principal>, item: Item<'_>| match item {
        Item::Tool("echo" | "last") | Item::Resource("secret://1") => {
            principal.is_some_and(|principal| &*principal.subject == "alice")
        }
        Item::Tool("wait") => panic!("a filter that panics hides"),
        _ => true,
    };
    let resources = ResourceSet::new();
    resources.add_text(Resource::new("secret://1", "secret"), "s").unwrap();
    let served = Served::new(|server| {
        server.authorize(tokens()).tools(personal()).resources(resources).visible(hides).page_size(3)
    });
    for era in ERAS {
        let (alice, bob) = (Client::new_as(served.port, era, Some("t1")), Client::new_as(served.port, era, Some("t2")));
        let bobs = tools(&bob);
        assert!(!bobs.iter().any(|name| name == "echo" || name == "last" || name == "wait"), "{bobs:?}");
        let alices = tools(&alice);
        assert!(alices.iter().any(|name| name == "echo") && alices.iter().any(|name| name == "last"), "{alices:?}");
        assert_eq!(alice.call("echo", json!({ "text": "x" }))["result"]["content"][0]["text"], "x");
        for tool in ["echo", "last", "wait"] {
            let hidden = bob.call_request(json!(1), tool, json!({ "text": "x" })).send(served.port);
            let missing = bob.call_request(json!(1), "zzzz", json!({ "text": "x" })).send(served.port);
            let (hidden_text, missing_text) = (hidden.text(), missing.text().replace("zzzz", tool));
            assert_eq!((hidden.status, hidden_text), (missing.status, missing_text));
        }
        assert_eq!(alice.read("secret://1")["result"]["contents"][0]["text"], "s");
        let (hidden, missing) = (bob.read("secret://1"), bob.read("secret://2"));
        assert_eq!(hidden.to_string(), missing.to_string().replace("secret://2", "secret://1"));
        let (listed, _) = walk(&bob, "resources/list", "resources", "uri");
        assert_eq!(listed, [""; 0]);
    }
}

/// Declared under names that providers have, too.
#[derive(Clone)]
struct Covered;

#[mcp_server(name = "covered")]
impl Covered {
    /// Tell.
    #[tool]
    fn tell(&self) -> &'static str {
        "declared"
    }

    /// Tell.
    #[prompt]
    fn told(&self) -> &'static str {
        "declared"
    }

    /// One.
    #[resource("kept://one")]
    fn one(&self) -> &'static str {
        "declared"
    }

    /// Any.
    #[resource("kept://items/{id}")]
    fn item(&self, id: String) -> String {
        format!("declared {id}")
    }
}

// Proves: TL-15.
#[test]
fn a_name_that_is_hidden_is_nobodys_and_listing_and_calling_agree() {
    let (tools_of, resources, prompts) = (ToolSet::new(), ResourceSet::new(), PromptSet::new());
    tools_of.add("tell", "x", async |_: Greeting| Ok(ToolResult::text("provided"))).unwrap();
    prompts
        .add(Prompt::new("told"), async |_: BTreeMap<String, String>| {
            Ok(PromptResult::new([PromptMessage::user("provided")]))
        })
        .unwrap();
    for uri in ["kept://one", "kept://items/7"] {
        resources.add_text(Resource::new(uri, "x"), "provided").unwrap();
    }
    let hides = |principal: Option<&mcp_runtime::auth::Principal>, item: Item<'_>| {
        let hidden = matches!(
            item,
            Item::Tool("tell")
                | Item::Prompt("told")
                | Item::Resource("kept://one")
                | Item::Template("kept://items/{id}")
        );
        !hidden || principal.is_some_and(|principal| &*principal.subject == "alice")
    };
    let server = Server::new(Covered).authorize(tokens()).tools(tools_of).prompts(prompts).resources(resources);
    let (port, running, runtime) = start(server.visible(hides));
    for era in ERAS {
        let (alice, bob) = (Client::new_as(port, era, Some("t1")), Client::new_as(port, era, Some("t2")));
        let names = |client: &Client, list: &str, name: &str| {
            walk(client, &format!("{list}/list"), list, name)
                .0
                .into_iter()
                .filter(|name| name.starts_with('t'))
                .collect()
        };
        let uris = |client: &Client| walk(client, "resources/list", "resources", "uri").0;
        let get = |client: &Client, name: &str| client.request("prompts/get", json!({ "name": name, "arguments": {} }));
        // What a principal may know of is what was declared; who has the name besides has it in vain.
        let known: [Vec<String>; 2] = [names(&alice, "tools", "name"), names(&alice, "prompts", "name")];
        assert_eq!(known, [["tell"], ["told"]]);
        assert_eq!(alice.call("tell", json!({}))["result"]["content"][0]["text"], "declared");
        assert_eq!(get(&alice, "told")["result"]["messages"][0]["content"]["text"], "declared");
        assert_eq!(alice.read("kept://one")["result"]["contents"][0]["text"], "declared");
        assert_eq!(alice.read("kept://items/7")["result"]["contents"][0]["text"], "declared 7");
        // What is hidden is hidden by its name, whoever has it.
        let hidden: [Vec<String>; 2] = [names(&bob, "tools", "name"), names(&bob, "prompts", "name")];
        assert_eq!(hidden, [[""; 0]; 2]);
        let same = |hidden: Value, missing: Value, names: [&str; 2]| {
            assert_eq!(hidden.to_string(), missing.to_string().replace(names[1], names[0]));
        };
        same(bob.call("tell", json!({ "name": "x" })), bob.call("zzzz", json!({ "name": "x" })), ["tell", "zzzz"]);
        same(get(&bob, "told"), get(&bob, "zzzz"), ["told", "zzzz"]);
        same(bob.read("kept://one"), bob.read("kept://two"), ["kept://one", "kept://two"]);
        // A template is a name like any other: what a provider has under a URI of its own is listed and read.
        assert_eq!(uris(&bob), ["kept://items/7"]);
        assert_eq!(bob.read("kept://items/7")["result"]["contents"][0]["text"], "provided");
        same(bob.read("kept://items/8"), bob.read("kept://other/8"), ["kept://items/8", "kept://other/8"]);
    }
    runtime.block_on(running.stop());
    runtime.shutdown_background();
}

/// Resources that are pages of an endless book, for each caller its own.
struct Book;

impl ResourceProvider for Book {
    fn list<'a>(&'a self, _: &'a Context, cursor: Option<&'a str>) -> BoxFuture<'a, Result<Page<Resource>, ToolError>> {
        Box::pin(async move {
            let first: u32 = cursor.map_or(Ok(0), str::parse).map_err(|_| ToolError::new("no such page"))?;
            let pages = (first..first + 10).map(|page| Resource::new(format!("book://{page}"), format!("page {page}")));
            Ok(if first < 90 { Page::more(pages, (first + 10).to_string()) } else { Page::last(pages) })
        })
    }

    fn templates<'a>(
        &'a self,
        _: &'a Context,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Page<ResourceTemplate>, ToolError>> {
        Box::pin(async { Ok(Page::last([ResourceTemplate::new("book://{page}", "a page")])) })
    }

    fn read<'a>(&'a self, cx: &'a Context, uri: &'a str) -> BoxFuture<'a, Result<ResourceResult, ToolError>> {
        Box::pin(async move {
            Ok(match uri.strip_prefix("book://") {
                Some(page) => ResourceResult::Text(format!("{page} for {}", subject(cx))),
                None => ResourceResult::NotFound,
            })
        })
    }
}

// Proves: RS-01.
#[test]
fn providers_are_asked_one_after_the_other() {
    let set = ResourceSet::new();
    set.add_text(Resource::new("set://1", "one"), "one").unwrap();
    let served = Served::new(|server| server.resources(Book).resources(set).page_size(7));
    for era in ERAS {
        let client = Client::new(served.port, era);
        let (uris, sizes) = walk(&client, "resources/list", "resources", "uri");
        assert_eq!((uris.len(), uris.last().map(String::as_str)), (101, Some("set://1")));
        assert!(sizes.iter().all(|size| *size <= 7), "{sizes:?}");
        let (templates, _) = walk(&client, "resources/templates/list", "resourceTemplates", "uriTemplate");
        assert_eq!(templates, ["book://{page}"]);
        assert_eq!(client.read("book://5")["result"]["contents"][0]["text"], "5 for nobody");
        assert_eq!(client.read("set://1")["result"]["contents"][0]["text"], "one");
        assert!(client.read("set://2")["error"].is_object());
    }
    let discovered = Client::new(served.port, Era::Modern).request("server/discover", json!({}));
    assert!(discovered["result"]["capabilities"]["resources"].is_object(), "{discovered}");
    assert_eq!(discovered["result"]["supportedVersions"], json!([MODERN]));
}

#[test]
fn the_example_has_tools_from_data_and_tools_that_it_learns() {
    let server = HttpServer::start("dynamic");
    for (era, phrase) in ERAS.into_iter().zip(["hello", "secret_hello"]) {
        let client = Client::new(server.port, era);
        let text = |answer: Value| answer["result"]["content"][0]["text"].as_str().unwrap_or_default().to_owned();
        assert_eq!(text(client.call("units_miles_to_km", json!({ "value": 10 }))), "16.09344");
        assert_eq!(client.call("units_miles_to_km", json!({}))["result"]["isError"], true);
        let learned = client.call("learn", json!({ "name": phrase, "phrase": "Hello!" }));
        assert_eq!(text(learned), format!("`{phrase}` is a tool now"));
        let refused = client.call("learn", json!({ "name": "no name", "phrase": "Hello!" }));
        assert_eq!(refused["result"]["isError"], true);
        // The filter hides from whoever is nobody.
        let hidden = phrase.starts_with("secret_");
        assert_eq!(tools(&client).contains(&phrase.to_owned()), !hidden);
        assert_eq!(text(client.call(phrase, json!({}))), if hidden { "" } else { "Hello!" });
    }
}
