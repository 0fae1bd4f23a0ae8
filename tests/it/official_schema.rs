//! Validation against the official schemas, one per revision, as they were published (`tests/schemas`).
//!
//! - *Takes*: a revision, what a message answers, the message.
//! - *Gives*: nothing, or what is wrong with it.
//! - *Knows*: how each revision names the types of its messages.
//! - *Must not know*: our server.

use std::{
    collections::HashMap,
    fs,
    ops::RangeInclusive,
    sync::{LazyLock, Mutex, PoisonError},
};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::programs::root;

/// Every revision that has a schema, oldest first.
pub(crate) const REVISIONS: [&str; 5] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];

/// The schema of the extension for tasks on 2026-07-28.
const TASKS_EXTENSION: &str = "tasks-extension";

/// The codes below which JSON-RPC and the specification reserve what they do not use.
const RESERVED: RangeInclusive<i64> = -32768..=-32000;

/// What 2026-07-28 uses of them.
const CODES: [i64; 8] = [-32700, -32600, -32601, -32602, -32603, -32020, -32021, -32022];

/// Fails unless a message that came after this text was sent is what the revision's schema says.
///
/// The text may hold a request, several, something that is none, or the name of an HTTP method; the message may be an
/// answer, several, or something that the server says on its own.
pub(crate) fn assert_valid(revision: &str, sent: &str, message: &Value) {
    if let Err(problem) = validate_after(revision, sent, message) {
        panic!("{problem}\nafter: {sent}");
    }
}

fn validate_after(revision: &str, sent: &str, message: &Value) -> Result<(), String> {
    if let Value::Array(messages) = message {
        if messages.is_empty() {
            return Err("an empty batch is no answer".into());
        }
        return messages.iter().try_for_each(|message| validate_after(revision, sent, message));
    }
    if message.get("method").is_some() {
        return validate_server_message(revision, message);
    }
    let requests = match serde_json::from_str(sent) {
        Ok(Value::Array(requests)) => requests,
        Ok(request) => vec![request],
        Err(_) => Vec::new(),
    };
    let request = requests.iter().find(|request| request.get("id").is_some() && request["id"] == message["id"]);
    // An id such as 1.0 comes back as the integer that it is.
    let request = request.or_else(|| requests.first().filter(|_| requests.len() == 1));
    let method = request.and_then(|request| request["method"].as_str()).unwrap_or_default();
    validate_answer(revision, method, message)
}

/// Checks a message that answers a request of this method: its envelope, and its result or error.
///
/// An error without an `id` passes where the revision can't express it (up to 2025-06-18), if all else is right.
pub(crate) fn validate_answer(revision: &str, method: &str, message: &Value) -> Result<(), String> {
    if let Some(error) = message.get("error") {
        return validate_error(revision, error, message);
    }
    // Up to 2025-06-18 a response is a result; from then on it is a result or an error.
    let envelope = if has(revision, "JSONRPCResultResponse") { "JSONRPCResultResponse" } else { "JSONRPCResponse" };
    validate(revision, envelope, message)?;
    validate(revision, "JSONRPCMessage", message)?;
    let result = &message["result"];
    let wants_input = result["resultType"] == "input_required";
    if let Some(definition) = extension_result(revision, method, result) {
        return validate(TASKS_EXTENSION, definition, result);
    }
    let definition = match result_type(method) {
        _ if wants_input => "InputRequiredResult",
        _ if method == "tools/call" && result.get("task").is_some() => "CreateTaskResult",
        Some(definition) => definition,
        None => return Err(format!("{method} has no result: {message}")),
    };
    validate(revision, definition, result)
}

/// Checks a message that a server sends on its own: a notification or, up to 2025-11-25, a request.
pub(crate) fn validate_server_message(revision: &str, message: &Value) -> Result<(), String> {
    validate(revision, "JSONRPCMessage", message)?;
    if revision == "2026-07-28" && message["method"] == "notifications/tasks" {
        return validate(TASKS_EXTENSION, "TaskStatusNotification", message);
    }
    let definition = if message.get("id").is_some() { "ServerRequest" } else { "ServerNotification" };
    validate(revision, definition, message)
}

/// Checks a value against a definition of the revision's schema, for example `Tool`.
pub(crate) fn validate(revision: &str, definition: &str, value: &Value) -> Result<(), String> {
    static VALIDATORS: LazyLock<Mutex<HashMap<String, Validator>>> = LazyLock::new(Mutex::default);
    let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let name = format!("{revision}#{definition}");
    if !validators.contains_key(&name) {
        validators.insert(name.clone(), compile(revision, definition)?);
    }
    let problems: Vec<String> = validators[&name]
        .iter_errors(value)
        .map(|problem| format!("at {:?}: {problem}", problem.instance_path().to_string()))
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(format!("not a {name}: {}\n{value}", problems.join("; "))) }
}

fn validate_error(revision: &str, error: &Value, message: &Value) -> Result<(), String> {
    let envelope = if has(revision, "JSONRPCErrorResponse") { "JSONRPCErrorResponse" } else { "JSONRPCError" };
    let mut complete = message.clone();
    if message.get("id").is_none() && revision <= "2025-06-18" {
        complete["id"] = json!(0);
    }
    validate(revision, envelope, &complete)?;
    validate(revision, "JSONRPCMessage", &complete)?;
    // From 2026-07-28 on the well-known errors have types of their own: some of the error, some of the whole message.
    let code = error["code"].as_i64();
    if has(revision, "HeaderMismatchError")
        && code.is_some_and(|code| !CODES.contains(&code) && RESERVED.contains(&code))
    {
        return Err(format!("{revision} reserves the code of {error} for something else"));
    }
    let (definition, whole) = match code {
        Some(-32700) => ("ParseError", false),
        Some(-32600) => ("InvalidRequestError", false),
        Some(-32601) => ("MethodNotFoundError", false),
        Some(-32602) => ("InvalidParamsError", false),
        Some(-32603) => ("InternalError", false),
        Some(-32020) => ("HeaderMismatchError", true),
        Some(-32021) => ("MissingRequiredClientCapabilityError", true),
        Some(-32022) => ("UnsupportedProtocolVersionError", true),
        _ => return Ok(()),
    };
    if !has(revision, definition) {
        return Ok(());
    }
    validate(revision, definition, if whole { message } else { error })
}

/// The definition, in the extension for tasks, of what a request of this method gets with this result.
fn extension_result(revision: &str, method: &str, result: &Value) -> Option<&'static str> {
    if revision != "2026-07-28" {
        return None;
    }
    match method {
        "tools/call" if result["resultType"] == "task" => Some("CreateTaskResult"),
        "tasks/get" => Some("GetTaskResult"),
        "tasks/update" => Some("UpdateTaskResult"),
        "tasks/cancel" => Some("CancelTaskResult"),
        _ => None,
    }
}

/// The definition of what a request of this method gets.
fn result_type(method: &str) -> Option<&'static str> {
    Some(match method {
        "initialize" => "InitializeResult",
        "server/discover" => "DiscoverResult",
        "ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" => "EmptyResult",
        "tools/list" => "ListToolsResult",
        // Of the experimental sessions, which no schema knows.
        "session/create" | "session/list" | "session/delete" => "Result",
        "tools/call" => "CallToolResult",
        "prompts/list" => "ListPromptsResult",
        "prompts/get" => "GetPromptResult",
        "resources/list" => "ListResourcesResult",
        "resources/templates/list" => "ListResourceTemplatesResult",
        "resources/read" => "ReadResourceResult",
        "completion/complete" => "CompleteResult",
        "tasks/get" => "GetTaskResult",
        "tasks/result" => "GetTaskPayloadResult",
        "tasks/list" => "ListTasksResult",
        "tasks/cancel" => "CancelTaskResult",
        "subscriptions/listen" => "SubscriptionsListenResult",
        _ => return None,
    })
}

fn has(revision: &str, definition: &str) -> bool {
    schema(revision).is_ok_and(|schema| schema.definitions.contains_key(definition))
}

/// A published schema, taken apart.
struct Schema {
    dialect: Value,
    /// `definitions` up to 2025-06-18, `$defs` after it.
    keyword: &'static str,
    definitions: Map<String, Value>,
}

fn schema(revision: &str) -> Result<&'static Schema, String> {
    static SCHEMAS: LazyLock<HashMap<&'static str, Schema>> = LazyLock::new(|| {
        REVISIONS.into_iter().chain([TASKS_EXTENSION]).map(|name| (name, read_schema(name))).collect()
    });
    SCHEMAS.get(revision).ok_or_else(|| format!("{revision} is no revision"))
}

fn read_schema(revision: &str) -> Schema {
    let path = root().join("tests/schemas").join(revision).with_extension("json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut document: Map<String, Value> = serde_json::from_str(&text).expect("a schema is a JSON object");
    let keyword = if document.contains_key("$defs") { "$defs" } else { "definitions" };
    let Some(Value::Object(definitions)) = document.remove(keyword) else { panic!("{revision} has no {keyword}") };
    Schema { dialect: document.remove("$schema").expect("a schema names its dialect"), keyword, definitions }
}

/// A validator of one definition; the others stay within reach of its references.
fn compile(revision: &str, definition: &str) -> Result<Validator, String> {
    let Schema { dialect, keyword, definitions } = schema(revision)?;
    if !definitions.contains_key(definition) {
        return Err(format!("{revision} has no {definition}"));
    }
    let document = json!({
        "$schema": dialect,
        "allOf": [{ "$ref": format!("#/{keyword}/{definition}") }],
        (*keyword): definitions,
    });
    jsonschema::validator_for(&document).map_err(|error| format!("{revision}#{definition}: {error}"))
}

fn passes(revision: &str, method: &str, message: &Value) {
    if let Err(problem) = validate_answer(revision, method, message) {
        panic!("{problem}");
    }
}

fn fails(revision: &str, method: &str, message: &Value) {
    assert!(validate_answer(revision, method, message).is_err(), "{revision} accepts {message}");
}

#[test]
fn every_definition_of_every_revision_can_be_used() {
    for revision in REVISIONS.into_iter().chain([TASKS_EXTENSION]) {
        for definition in schema(revision).expect("it is a revision").definitions.keys() {
            compile(revision, definition).expect("the official schemas are valid");
        }
    }
}

#[test]
fn an_empty_result_answers_a_ping_up_to_2025_11_25_and_needs_a_result_type_after_it() {
    for revision in REVISIONS {
        let bare = json!({ "jsonrpc": "2.0", "id": 1, "result": {} });
        if revision == "2026-07-28" { fails(revision, "ping", &bare) } else { passes(revision, "ping", &bare) }
    }
    passes("2026-07-28", "ping", &json!({ "jsonrpc": "2.0", "id": 1, "result": { "resultType": "complete" } }));
}

#[test]
fn a_list_of_tools_on_2026_07_28_needs_its_caching_hints() {
    let tools = json!([{ "name": "add", "inputSchema": { "type": "object" } }]);
    let bare = json!({ "jsonrpc": "2.0", "id": "a", "result": { "tools": tools } });
    passes("2025-11-25", "tools/list", &bare);
    fails("2026-07-28", "tools/list", &bare);
    let result = json!({ "tools": tools, "resultType": "complete", "ttlMs": 0, "cacheScope": "public" });
    passes("2026-07-28", "tools/list", &json!({ "jsonrpc": "2.0", "id": "a", "result": result }));
}

#[test]
fn an_error_without_an_id_is_exempt_only_where_the_schema_cannot_say_it() {
    let error = json!({ "jsonrpc": "2.0", "error": { "code": -32700, "message": "not JSON" } });
    let null = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32700, "message": "not JSON" } });
    for revision in REVISIONS {
        passes(revision, "tools/call", &error);
        fails(revision, "tools/call", &null);
    }
    fails("2024-11-05", "tools/call", &json!({ "jsonrpc": "2.0", "error": { "code": "none", "message": "?" } }));
}

#[test]
fn a_typed_error_of_2026_07_28_needs_its_data() {
    let mut error = json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32022, "message": "unknown revision" } });
    fails("2026-07-28", "tools/list", &error);
    error["error"]["data"] = json!({ "supported": ["2026-07-28"], "requested": "2099-01-01" });
    passes("2026-07-28", "tools/list", &error);
}

// Proves: J-12.
#[test]
fn a_reserved_code_that_2026_07_28_does_not_use_is_wrong() {
    let error = |code: i64| json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": code, "message": "?" } });
    for code in [-32001, -32002, -32042, -32023, -32099, -32000] {
        fails("2026-07-28", "resources/read", &error(code));
    }
    passes("2025-11-25", "resources/read", &error(-32002));
    passes("2026-07-28", "resources/read", &error(429));
}

#[test]
fn a_question_to_the_client_is_an_answer_on_2026_07_28() {
    let result = json!({ "resultType": "input_required", "requestState": "opaque" });
    passes("2026-07-28", "tools/call", &json!({ "jsonrpc": "2.0", "id": 1, "result": result }));
}

#[test]
fn a_result_that_is_also_an_error_or_has_no_content_is_wrong() {
    for revision in REVISIONS {
        let empty = json!({ "jsonrpc": "2.0", "id": 1, "result": { "resultType": "complete", "isError": true } });
        fails(revision, "tools/call", &empty);
        fails(revision, "no/such/method", &json!({ "jsonrpc": "2.0", "id": 1, "result": {} }));
    }
}

#[test]
fn each_message_of_a_batch_answers_the_request_with_its_id() {
    let sent =
        r#"[{ "jsonrpc": "2.0", "id": 1, "method": "ping" }, { "jsonrpc": "2.0", "id": 2, "method": "tools/list" }]"#;
    let pong = json!({ "jsonrpc": "2.0", "id": 1, "result": {} });
    let tools = json!({ "jsonrpc": "2.0", "id": 2, "result": { "tools": [] } });
    assert_valid("2025-03-26", sent, &json!([tools, pong]));
    let swapped = json!({ "jsonrpc": "2.0", "id": 2, "result": {} });
    assert!(validate_after("2025-03-26", sent, &json!([pong, swapped])).is_err());
    assert!(validate_after("2025-03-26", sent, &json!([])).is_err());
    assert!(validate_after("2025-03-26", "not JSON", &pong).is_err(), "nothing was asked, so there is no result");
    assert_valid("2025-03-26", "not JSON", &json!({ "jsonrpc": "2.0", "error": { "code": -32700, "message": "no" } }));
}

#[test]
fn a_notification_must_be_one_of_the_server() {
    for revision in REVISIONS {
        let changed = json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" });
        let answer = validate_server_message(revision, &changed);
        assert_eq!(answer, Ok(()), "{revision}");
        let client = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert!(validate_server_message(revision, &client).is_err(), "{revision}");
    }
}
