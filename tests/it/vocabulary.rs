//! The public types of the vocabulary, against the official schemas and the published examples of the newest revision
//! (`tests/schemas/examples`, a folder per definition).

use std::fs;

use mcp_runtime::protocol::{
    Annotations, Content, Icon, LogLevel, LogMessage, Progress, Prompt, PromptArgument, PromptMessage, Resource,
    ResourceContents, ResourceTemplate, Role, TaskStatus, Tool,
    ask::{
        ElicitAction, ElicitRequest, ElicitResult, IncludeContext, ListRootsResult, ModelPreferences, Root,
        SamplingContent, SamplingMessage, SamplingRequest, SamplingResult, ToolChoice,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json, value::to_raw_value};

use crate::{
    official_schema::{REVISIONS, validate},
    programs::root,
};

const NEWEST: &str = "2026-07-28";

/// The published examples of a definition.
fn examples(definition: &str) -> Vec<Value> {
    let folder = root().join("tests/schemas/examples").join(definition);
    let examples: Vec<Value> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|file| serde_json::from_str(&fs::read_to_string(file.unwrap().path()).unwrap()).unwrap())
        .collect();
    assert!(!examples.is_empty(), "{definition} has no example");
    examples
}

/// Fails unless a value comes back from the type as it was.
fn returns<T: Serialize + DeserializeOwned>(value: &Value) {
    let read: T = serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"));
    assert_eq!(&serde_json::to_value(read).unwrap(), value);
}

/// Fails unless every published example of a definition comes back from the type as it was.
fn examples_return<T: Serialize + DeserializeOwned>(definition: &str) {
    for example in examples(definition) {
        returns::<T>(&example);
    }
}

/// Fails unless the value is what the definition says, and comes back from its own text.
fn valid<T: Serialize + DeserializeOwned>(definition: &str, value: &T) {
    let written = serde_json::to_value(value).unwrap();
    validate(NEWEST, definition, &written).unwrap_or_else(|problem| panic!("{problem}"));
    returns::<T>(&written);
}

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

#[test]
fn published_examples_come_back_from_the_types_as_they_were() {
    for definition in ["TextContent", "ImageContent", "AudioContent", "EmbeddedResource", "ResourceLink"] {
        examples_return::<Content>(definition);
    }
    for definition in ["TextResourceContents", "BlobResourceContents"] {
        examples_return::<ResourceContents>(definition);
    }
    examples_return::<Resource>("Resource");
    examples_return::<Root>("Root");
    examples_return::<ListRootsResult>("ListRootsResult");
    for definition in ["TextContent", "ImageContent", "AudioContent", "ToolUseContent", "ToolResultContent"] {
        examples_return::<SamplingContent>(definition);
    }
    examples_return::<SamplingMessage>("SamplingMessage");
    examples_return::<SamplingResult>("CreateMessageResult");
    examples_return::<ModelPreferences>("ModelPreferences");
    examples_return::<ElicitResult>("ElicitResult");
    examples_return::<LogMessage>("LoggingMessageNotificationParams");
}

#[test]
fn published_examples_of_lists_come_back_item_by_item() {
    fn items<T: Serialize + DeserializeOwned>(definition: &str, member: &str) {
        for example in examples(definition) {
            let items = example[member].as_array().expect("a list");
            assert!(!items.is_empty());
            items.iter().for_each(returns::<T>);
        }
    }
    items::<Prompt>("ListPromptsResult", "prompts");
    items::<PromptMessage>("GetPromptResult", "messages");
    items::<Resource>("ListResourcesResult", "resources");
    items::<ResourceTemplate>("ListResourceTemplatesResult", "resourceTemplates");
    for mut example in examples("ProgressNotificationParams") {
        // The token is the request's, not the type's.
        example.as_object_mut().unwrap().remove("progressToken");
        let progress: Progress = serde_json::from_value(example.clone()).unwrap();
        assert_eq!(progress, Progress::new(50.0).with_total(100.0).with_message("Reticulating splines..."));
    }
}

// Proves: E-09.
#[test]
fn requests_to_a_client_are_written_as_published() {
    fn written(request: impl Serialize, definition: &str) {
        let written = serde_json::to_value(request).unwrap();
        validate(NEWEST, definition, &written).unwrap();
        assert!(examples(definition).contains(&written), "no published example: {written}");
    }
    written(
        SamplingRequest::text("What is the capital of France?")
            .prefer(ModelPreferences::default().hint("claude-3-sonnet").intelligence(0.8).speed(0.5))
            .system_prompt("You are a helpful assistant.")
            .max_tokens(100),
        "CreateMessageRequestParams",
    );
    let schema = |city: Value| json!({ "type": "object", "properties": { "city": city }, "required": ["city"] });
    let tool = |city| Tool::new("get_weather", "Get current weather for a city", &schema(city));
    written(
        SamplingRequest::text("What's the weather like in Paris and London?")
            .tool(tool(json!({ "type": "string", "description": "City name" })))
            .tool_choice(ToolChoice::Auto)
            .max_tokens(1000),
        "CreateMessageRequestParams",
    );
    let [paris, london] = [("call_abc123", "Paris"), ("call_def456", "London")]
        .map(|(id, city)| SamplingContent::tool_use(id, "get_weather", object(json!({ "city": city }))));
    let results = [
        SamplingContent::tool_result("call_abc123", ["Weather in Paris: 18°C, partly cloudy".into()]),
        SamplingContent::tool_result("call_def456", ["Weather in London: 15°C, rainy".into()]),
    ];
    written(
        SamplingRequest::text("What's the weather like in Paris and London?")
            .message(SamplingMessage::new(Role::Assistant, [paris, london]))
            .message(SamplingMessage::new(Role::User, results))
            .tool(tool(json!({ "type": "string" })))
            .max_tokens(1000),
        "CreateMessageRequestParams",
    );
    let form = json!({ "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] });
    let form = to_raw_value(&form).unwrap();
    written(ElicitRequest::form("Please provide your GitHub username", form), "ElicitRequestFormParams");
    written(
        ElicitRequest::url("Please provide your API key to continue.", "https://mcp.example.com/ui/set_api_key"),
        "ElicitRequestURLParams",
    );
}

// Proves: RS-01, RS-07.
#[test]
fn every_member_of_every_block_has_the_official_shape() {
    let annotations = Annotations::default()
        .with_audience([Role::User, Role::Assistant])
        .with_priority(0.5)
        .with_last_modified("2025-01-12T15:00:58Z");
    let mut icon = Icon::new("https://example.com/icon.png");
    icon.mime_type = Some("image/png".into());
    icon.sizes = vec!["48x48".into()];
    icon.theme = Some("dark".into());
    let resource = Resource::new("file:///a.txt", "a")
        .with_title("A")
        .with_description("The first")
        .with_mime_type("text/plain")
        .with_size(3)
        .with_annotations(annotations.clone())
        .with_icon(icon.clone())
        .with_meta("example.com/a", json!([1]));
    valid("Resource", &resource);
    let template = ResourceTemplate::new("file:///{name}.txt", "files")
        .with_title("Files")
        .with_description("All of them")
        .with_mime_type("text/plain")
        .with_annotations(annotations.clone())
        .with_icon(icon.clone())
        .with_meta("example.com/a", json!(null));
    valid("ResourceTemplate", &template);
    let text = ResourceContents::text("file:///a.txt", "text/plain", "abc").with_meta("example.com/a", json!(1));
    valid("TextResourceContents", &text);
    let blob = ResourceContents::blob("file:///a.bin", "application/octet-stream", [0, 255]);
    assert_eq!(blob.blob.as_deref(), Some("AP8="));
    valid("BlobResourceContents", &blob);
    let blocks = [
        Content::text("abc"),
        Content::image([1], "image/png"),
        Content::audio([2], "audio/wav"),
        Content::from(blob),
        Content::from(resource),
        Content::link("file:///a.txt", "a"),
    ];
    for block in blocks {
        valid("ContentBlock", &block);
        let block = block.with_annotations(annotations.clone()).with_meta("example.com/b", json!({}));
        valid("ContentBlock", &block);
        let written = serde_json::to_value(&block).unwrap();
        assert_eq!(written["annotations"]["priority"], 0.5);
        assert_eq!(written["_meta"]["example.com/b"], json!({}));
        valid("PromptMessage", &PromptMessage::assistant(block));
    }
    let mut prompt = Prompt::new("review");
    prompt.title = Some("Review".into());
    prompt.icons = vec![icon];
    prompt.meta = Some(Map::new());
    let mut argument = PromptArgument::new("code");
    prompt.arguments.push(argument.clone());
    argument.required = true;
    argument.title = Some("Code".into());
    prompt.arguments.push(argument);
    valid("Prompt", &prompt);
}

#[test]
fn what_is_said_to_a_model_and_by_it_has_the_official_shape() {
    let blocks = [
        SamplingContent::text("abc"),
        SamplingContent::image([1], "image/png"),
        SamplingContent::audio([2], "audio/wav"),
        SamplingContent::tool_use("1", "add", object(json!({ "a": 1 }))),
        SamplingContent::tool_result("1", [Content::link("file:///a.txt", "a")]),
        SamplingContent::tool_error("1", "no such city"),
    ];
    for block in &blocks {
        valid("SamplingMessageContentBlock", block);
        valid("SamplingMessage", &SamplingMessage::assistant(block.clone()));
    }
    valid("SamplingMessage", &SamplingMessage::new(Role::User, blocks));
    returns::<SamplingContent>(
        &json!({ "type": "tool_result", "toolUseId": "1", "content": [], "structuredContent": [1], "isError": true }),
    );
    let request = SamplingRequest::text("abc")
        .include_context(IncludeContext::ThisServer)
        .temperature(0.5)
        .stop_at("\n")
        .metadata("provider", json!({ "x": 1 }))
        .tool_choice(ToolChoice::Required);
    assert!(request.needs_context() && request.needs_tools());
    assert!(!SamplingRequest::text("abc").include_context(IncludeContext::None).needs_context());
    assert!(!SamplingRequest::text("abc").needs_tools());
    assert!(SamplingRequest::new([SamplingMessage::user(SamplingContent::tool_error("1", "no"))]).needs_tools());
    validate(NEWEST, "CreateMessageRequestParams", &serde_json::to_value(request).unwrap()).unwrap();
}

#[test]
fn one_text_to_a_model_is_what_every_revision_takes() {
    let request = serde_json::to_value(SamplingRequest::text("abc")).unwrap();
    assert_eq!(
        request,
        json!({ "messages": [{ "role": "user", "content": { "type": "text", "text": "abc" } }], "maxTokens": 1000 })
    );
    for revision in REVISIONS {
        validate(revision, "SamplingMessage", &request["messages"][0]).unwrap();
    }
}

#[test]
fn the_answer_of_a_model_is_read_from_one_block_and_from_several() {
    let read = |content: Value| {
        serde_json::from_value::<SamplingResult>(json!({ "role": "assistant", "content": content, "model": "m" }))
    };
    let one = read(json!({ "type": "text", "text": "Paris" })).unwrap();
    assert_eq!((one.text(), one.tool_uses().count()), ("Paris".into(), 0));
    let several = read(json!([
        { "type": "text", "text": "Let me " },
        { "type": "tool_use", "id": "1", "name": "weather", "input": { "city": "Paris" } },
        { "type": "text", "text": "see." },
    ]))
    .unwrap();
    assert_eq!(several.text(), "Let me see.");
    let uses: Vec<_> = several.tool_uses().collect();
    assert_eq!(uses, [("1", "weather", &object(json!({ "city": "Paris" })))]);
    // And it is the next message of the conversation.
    let request = SamplingRequest::text("The weather in Paris?").message(several);
    assert_eq!(request.messages[1].role, Role::Assistant);
    let error = read(json!({ "type": "video" })).unwrap_err().to_string();
    assert!(error.contains("video"), "{error}");
    assert!(read(json!("Paris")).is_err());
}

// Proves: E-04.
#[test]
fn the_url_of_2025_11_25_has_its_id() {
    let request = ElicitRequest::url("Log in, please", "https://example.com/login").with_elicitation_id("abc");
    validate("2025-11-25", "ElicitRequestURLParams", &serde_json::to_value(&request).unwrap()).unwrap();
    assert_eq!(request.message(), "Log in, please");
}

#[test]
fn what_a_person_did_has_the_words_of_the_schema() {
    for (action, word) in
        [(ElicitAction::Accept, "accept"), (ElicitAction::Decline, "decline"), (ElicitAction::Cancel, "cancel")]
    {
        assert_eq!(serde_json::to_value(action).unwrap(), word);
        valid("ElicitResult", &ElicitResult::without_content(action));
    }
    valid("ElicitResult", &ElicitResult::accept(object(json!({ "a": 1, "b": ["x"], "c": true, "d": "y" }))));
    assert!(serde_json::from_value::<ElicitResult>(json!({ "action": "maybe" })).is_err());
}

// Proves: U-01.
#[test]
fn log_levels_are_ordered_and_parsed_by_their_exact_names() {
    assert!(LogLevel::ALL.is_sorted());
    for level in LogLevel::ALL {
        validate(NEWEST, "LoggingLevel", &json!(level)).unwrap();
        assert_eq!(json!(level), level.as_str());
        assert_eq!(level.as_str().parse(), Ok(level));
    }
    let error = "Warn".parse::<LogLevel>().unwrap_err().to_string();
    assert_eq!(
        error,
        "a log level is one of debug, info, notice, warning, error, critical, alert, emergency, in lower case"
    );
    valid("LoggingMessageNotificationParams", &LogMessage::new(LogLevel::Notice, "abc").with_logger("db"));
}

#[test]
fn a_task_stays_in_three_of_its_states() {
    for status in TaskStatus::ALL {
        validate("2025-11-25", "TaskStatus", &json!(status)).unwrap();
        assert_eq!(json!(status), status.as_str());
    }
    let terminal: Vec<_> = TaskStatus::ALL.into_iter().filter(|status| status.is_terminal()).collect();
    assert_eq!(terminal, [TaskStatus::Completed, TaskStatus::Failed, TaskStatus::Cancelled]);
}
