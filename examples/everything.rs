//! Something of every kind: the server that the official conformance suite tests. Names and texts are the suite's.
//!
//! ```sh
//! cargo run --example everything -- --transport streamable-http --port 3000
//! ```

use std::time::Duration;

use mcp_runtime::{
    prelude::*,
    protocol::{LogLevel, ask::SamplingRequest},
};
use serde_json::json;
use tokio::time::sleep;

/// One red pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\
    \0\0\0\x0cIDATx\xdac\xf8\xcf\xc0\0\0\x03\x01\x01\0\xf7\x03AC\0\0\0\0IEND\xaeB`\x82";

/// A millisecond of silence.
const WAV: &[u8] = b"RIFF,\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0@\x1f\0\0\x01\0\x08\0data\x08\0\0\0\
    \x80\x80\x80\x80\x80\x80\x80\x80";

/// Where a person lives.
#[derive(Deserialize, JsonSchema)]
struct Address {
    street: Option<String>,
    city: Option<String>,
}

/// How often this session has called.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Calls {
    count: u64,
}

/// Who somebody is.
#[derive(Deserialize, JsonSchema)]
struct Person {
    /// The name that others see.
    username: String,
    /// Where mail goes.
    email: String,
}

/// Just a name.
#[derive(Deserialize, JsonSchema)]
struct Name {
    /// The first name.
    name: String,
}

/// Just a yes or no.
#[derive(Deserialize, JsonSchema)]
struct Confirmation {
    /// Whether to go on.
    ok: bool,
}

/// A yes or no of another name.
#[derive(Deserialize, JsonSchema)]
struct Agreement {
    /// Whether to do it.
    confirm: bool,
}

/// A color.
#[derive(Deserialize, JsonSchema)]
struct Favorite {
    /// Its name.
    color: String,
}

/// What a prompt is about.
#[derive(Deserialize, JsonSchema)]
struct Background {
    /// In a few words.
    context: String,
}

/// Fields that begin with something.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Profile {
    name: String,
    age: i32,
    score: f64,
    status: Status,
    verified: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self { name: "John Doe".into(), age: 30, score: 95.5, status: Status::Active, verified: true }
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    Active,
    Inactive,
    Pending,
}

/// Has a tool, prompt and resource of each kind.
#[mcp_server(name = "everything", changes)]
mod everything {
    use super::*;

    /// A plain text.
    #[tool(read_only)]
    pub fn test_simple_text() -> &'static str {
        "This is a simple text response for testing."
    }

    /// An image.
    #[tool(read_only)]
    pub fn test_image_content() -> Content {
        Content::image(PNG, "image/png")
    }

    /// A sound.
    #[tool(read_only)]
    pub fn test_audio_content() -> Content {
        Content::audio(WAV, "audio/wav")
    }

    /// A resource with its contents.
    #[tool(read_only)]
    pub fn test_embedded_resource() -> Content {
        let text = "This is an embedded resource content.";
        Content::resource(ResourceContents::text("test://embedded-resource", "text/plain", text))
    }

    /// A text, an image and a resource.
    #[tool(read_only)]
    pub fn test_multiple_content_types() -> Vec<Content> {
        let json = r#"{"test":"data","value":123}"#;
        let resource = ResourceContents::text("test://mixed-content-resource", "application/json", json);
        vec![
            Content::text("Multiple content types test:"),
            Content::image(PNG, "image/png"),
            Content::resource(resource),
        ]
    }

    /// A refusal that the model reads.
    #[tool(read_only)]
    pub fn test_error_handling() -> Result<String, ToolError> {
        Err(ToolError::new("This tool intentionally returns an error for testing"))
    }

    /// An argument that proxies can read, because clients send it as the header `Mcp-Param-Value` as well.
    #[tool(read_only)]
    pub fn test_custom_header(
        /// Any text.
        #[arg(header = "Value")]
        value: String,
    ) -> String {
        value
    }

    /// A person, by a schema of one's own: types can't say that the preferred way of contact is required.
    #[tool(read_only, input_schema = include_str!("person.schema.json"))]
    pub fn json_schema_2020_12_tool(
        name: Option<String>,
        address: Option<Address>,
        #[arg(name = "contactMethod")] contact_method: Option<String>,
        phone: Option<String>,
        email: Option<String>,
    ) -> Result<String, ToolError> {
        let reached = match contact_method.as_deref() {
            Some("phone") => phone.ok_or("give the `phone`, which is the `contactMethod`")?,
            _ => email.ok_or("give the `email`, or `phone` as the `contactMethod`")?,
        };
        let city = address.and_then(|address| address.city.or(address.street)).unwrap_or_else(|| "somewhere".into());
        Ok(format!("{} of {city} is reached at {reached}", name.as_deref().unwrap_or("Someone")))
    }

    // ANCHOR: close_stream
    /// Lets the client go, which comes back for the answer.
    #[tool(read_only)]
    pub async fn test_reconnection(cx: &Context) -> &'static str {
        cx.close_stream(Duration::from_millis(100));
        sleep(Duration::from_millis(200)).await;
        "Reconnection test completed"
    }
    // ANCHOR_END: close_stream

    /// How often this session has called this tool.
    #[tool]
    pub fn count_calls(calls: &mut Calls) -> String {
        calls.count += 1;
        calls.count.to_string()
    }

    /// Tells how far it is.
    #[tool(read_only)]
    pub async fn test_tool_with_progress(cx: &Context) -> &'static str {
        for progress in [0.0, 50.0, 100.0] {
            cx.progress(progress, 100.0, None);
            sleep(Duration::from_millis(50)).await;
        }
        "The work is done."
    }

    /// Says what it does.
    #[tool(read_only)]
    pub async fn test_tool_with_logging(cx: &Context) -> &'static str {
        for step in ["started", "processing data", "completed"] {
            let what = if step == "processing data" {
                "Tool processing data".into()
            } else {
                format!("Tool execution {step}")
            };
            cx.log(LogLevel::Info, what);
            sleep(Duration::from_millis(50)).await;
        }
        "All was said."
    }

    /// Says something only to those who want to hear it.
    #[tool(read_only)]
    pub fn test_logging_tool(cx: &Context) -> &'static str {
        cx.log(LogLevel::Info, "The tool was called");
        "Nothing more to say."
    }

    /// Asks the client's model.
    #[tool(read_only)]
    pub async fn test_sampling(prompt: String, cx: &Context) -> Result<String, AskError> {
        let answer = cx.sample("answer", SamplingRequest::text(prompt).max_tokens(100)).await?;
        Ok(format!("LLM response: {}", answer.text()))
    }

    /// Asks the person for a name and an address.
    #[tool(read_only)]
    pub async fn test_elicitation(message: String, cx: &Context) -> Result<String, AskError> {
        let Person { username, email } = cx.ask("person", Elicit::form::<Person>(message)).await?;
        Ok(format!("User response: {username} <{email}>"))
    }

    /// Asks with a form that is filled in already.
    #[tool(read_only)]
    pub async fn test_elicitation_sep1034_defaults(cx: &Context) -> Result<String, AskError> {
        let profile = cx.ask("profile", Elicit::form::<Profile>("Is this right?")).await?;
        Ok(format!("Elicitation completed: {} is {} years old", profile.name, profile.age))
    }

    /// Asks for choices of all kinds.
    #[tool(read_only)]
    pub async fn test_elicitation_sep1330_enums(cx: &Context) -> Result<String, AskError> {
        let titled = json!([
            { "const": "value1", "title": "First" },
            { "const": "value2", "title": "Second" },
            { "const": "value3", "title": "Third" },
        ]);
        let plain = json!(["option1", "option2", "option3"]);
        let schema = json!({ "type": "object", "properties": {
            "untitledSingle": { "type": "string", "enum": plain },
            "titledSingle": { "type": "string", "oneOf": titled },
            "legacyEnum": { "type": "string", "enum": ["opt1", "opt2"], "enumNames": ["First", "Second"] },
            "untitledMulti": { "type": "array", "items": { "type": "string", "enum": plain } },
            "titledMulti": { "type": "array", "items": { "anyOf": titled } },
        } });
        let chosen = cx.ask("choices", Elicit::raw("Choose", &schema.to_string())).await?;
        Ok(format!("Elicitation completed: {}", json!(chosen)))
    }

    /// Needs a model, whatever the client can do.
    #[tool(read_only)]
    pub async fn test_missing_capability(cx: &Context) -> Result<String, AskError> {
        let answer = cx.sample("answer", SamplingRequest::text("Hello?").max_tokens(10)).await?;
        Ok(answer.text())
    }

    /// Asks the person, and says so.
    #[tool(read_only)]
    pub async fn test_streaming_elicitation(cx: &Context) -> Result<String, AskError> {
        let Name { name } = cx.ask("name", Elicit::form::<Name>("What is your name?")).await?;
        Ok(format!("Hello, {name}!"))
    }

    /// Announces that the tools changed.
    #[tool]
    pub fn test_trigger_tool_change(cx: &Context) -> &'static str {
        cx.changes().tools_changed();
        "The tools changed."
    }

    /// Announces that the prompts changed.
    #[tool]
    pub fn test_trigger_prompt_change(cx: &Context) -> &'static str {
        cx.changes().prompts_changed();
        "The prompts changed."
    }

    /// Asks for a name.
    #[tool(read_only)]
    pub async fn test_input_required_result_elicitation(cx: &Context) -> Result<String, AskError> {
        let Name { name } = cx.ask("user_name", Elicit::form::<Name>("What is your name?")).await?;
        Ok(format!("Hello, {name}!"))
    }

    /// Asks a model.
    #[tool(read_only)]
    pub async fn test_input_required_result_sampling(cx: &Context) -> Result<String, AskError> {
        let question = SamplingRequest::text("What is the capital of France?").max_tokens(100);
        Ok(cx.sample("capital_question", question).await?.text())
    }

    /// Asks for the client's folders.
    #[tool(read_only)]
    pub async fn test_input_required_result_list_roots(cx: &Context) -> Result<String, AskError> {
        let roots = cx.roots().await?;
        Ok(roots.iter().map(|root| root.uri.as_str()).collect::<Vec<_>>().join(", "))
    }

    /// Asks for a yes.
    #[tool(read_only)]
    pub async fn test_input_required_result_request_state(cx: &Context) -> Result<String, AskError> {
        let Confirmation { ok } = cx.ask("confirm", Elicit::form::<Confirmation>("Please confirm")).await?;
        Ok(format!("state-ok: {ok}"))
    }

    /// Asks a person, a model and the client at once.
    #[tool(read_only)]
    pub async fn test_input_required_result_multiple_inputs(cx: &Context) -> Result<String, AskError> {
        let name = cx.ask("user_name", Elicit::form::<Name>("What is your name?"));
        let greeting = cx.sample("greeting", SamplingRequest::text("Say hello.").max_tokens(50));
        let (Name { name }, greeting, roots) = cx.ask_all((name, greeting, cx.roots())).await?;
        Ok(format!("{name}: {} ({} roots)", greeting.text(), roots.len()))
    }

    /// Asks twice.
    #[tool(read_only)]
    pub async fn test_input_required_result_multi_round(cx: &Context) -> Result<String, AskError> {
        let Name { name } = cx.ask("step1", Elicit::form::<Name>("Step 1: What is your name?")).await?;
        let question = "Step 2: What is your favorite color?";
        let Favorite { color } = cx.ask("step2", Elicit::form::<Favorite>(question)).await?;
        Ok(format!("{name} likes {color}"))
    }

    /// Asks for a yes that nobody can make up.
    #[tool(single_use)]
    pub async fn test_input_required_result_tampered_state(cx: &Context) -> Result<String, AskError> {
        let Confirmation { ok } = cx.ask("confirm", Elicit::form::<Confirmation>("Please confirm")).await?;
        Ok(format!("confirmed: {ok}"))
    }

    /// Asks whoever can be asked.
    #[tool(read_only)]
    pub async fn test_input_required_result_capabilities(cx: &Context) -> Result<String, AskError> {
        match cx.ask("name", Elicit::form::<Name>("What is your name?")).await {
            Ok(Name { name }) => Ok(format!("The person says {name}.")),
            Err(AskError::Unsupported(_)) => {
                let answer = cx.sample("name", SamplingRequest::text("Make up a name.").max_tokens(50)).await?;
                Ok(format!("The model says {}.", answer.text()))
            }
            Err(other) => Err(other),
        }
    }

    /// Greets.
    #[tool(read_only)]
    pub fn greet(name: String) -> String {
        format!("Hello, {name}!")
    }

    /// Takes its time.
    #[tool(task)]
    pub async fn slow_compute(seconds: f64, label: Option<String>) -> String {
        sleep(Duration::from_secs_f64(seconds.clamp(0.0, 60.0))).await;
        format!("{} took {seconds} s", label.as_deref().unwrap_or("It"))
    }

    /// Takes its time, and fails.
    #[tool(task = "required")]
    pub async fn failing_job() -> Result<String, ToolError> {
        sleep(Duration::from_secs(1)).await;
        Err(ToolError::new("The job failed, as it always does"))
    }

    /// Takes its time, and breaks.
    #[tool(task = "required")]
    pub async fn protocol_error_job() -> Result<f64, ToolError> {
        sleep(Duration::from_millis(100)).await;
        // No number that JSON could say.
        Ok(f64::NAN)
    }

    /// Deletes a file, if the person agrees.
    #[tool(task = "required")]
    pub async fn confirm_delete(filename: String, cx: &Context) -> Result<String, AskError> {
        let question = format!("Delete {filename}?");
        let Agreement { confirm } = cx.ask("confirm", Elicit::form::<Agreement>(question)).await?;
        Ok(if confirm { format!("{filename} was deleted") } else { format!("{filename} was kept") })
    }

    /// Asks two things at once.
    #[tool(task = "required")]
    pub async fn multi_input(cx: &Context) -> Result<String, AskError> {
        let first = cx.ask("first", Elicit::form::<Name>("The first name?"));
        let second = cx.ask("second", Elicit::form::<Name>("The second name?"));
        let (first, second) = cx.ask_all((first, second)).await?;
        Ok(format!("{} and {}", first.name, second.name))
    }

    /// Asks for a name, then takes its time.
    #[tool(task = "required", ask_first)]
    pub async fn test_tool_with_task(cx: &Context) -> Result<String, AskError> {
        let Name { name } = cx.ask("user_name", Elicit::form::<Name>("What is your name?")).await?;
        sleep(Duration::from_millis(200)).await;
        Ok(format!("Hello, {name}!"))
    }

    /// A text that never changes.
    #[resource("test://static-text", mime_type = "text/plain")]
    pub fn static_text() -> &'static str {
        "This is the content of the static text resource."
    }

    /// An image that never changes.
    #[resource("test://static-binary", mime_type = "image/png")]
    pub fn static_binary() -> Vec<u8> {
        PNG.to_vec()
    }

    /// A text that can be watched.
    #[resource("test://watched-resource", mime_type = "text/plain")]
    pub fn watched_resource() -> &'static str {
        "This resource is watched."
    }

    /// Data by its number.
    #[resource("test://template/{id}/data", mime_type = "application/json")]
    pub fn template_data(id: String) -> String {
        json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") }).to_string()
    }

    /// A plain prompt.
    #[prompt]
    pub fn test_simple_prompt() -> &'static str {
        "This is a simple prompt for testing."
    }

    /// A prompt with two blanks.
    #[prompt]
    pub fn test_prompt_with_arguments(
        /// The first.
        arg1: String,
        /// The second.
        arg2: String,
    ) -> String {
        format!("Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")
    }

    /// Texts that begin as it was typed.
    #[complete(prompt = "test_prompt_with_arguments", argument = "arg1")]
    pub fn complete_arg1(value: String) -> Vec<String> {
        ["test", "testing", "trial"].iter().filter(|word| word.starts_with(&*value)).map(|&word| word.into()).collect()
    }

    /// A prompt that brings a resource along.
    #[prompt]
    pub fn test_prompt_with_embedded_resource(
        /// Which one.
        #[arg(name = "resourceUri")]
        resource_uri: String,
    ) -> Vec<PromptMessage> {
        let text = "Embedded resource content for testing.";
        let resource = Content::resource(ResourceContents::text(resource_uri, "text/plain", text));
        vec![PromptMessage::user(resource), PromptMessage::user("Please process the embedded resource above.")]
    }

    /// A prompt with an image.
    #[prompt]
    pub fn test_prompt_with_image() -> Vec<PromptMessage> {
        let image = Content::image(PNG, "image/png");
        vec![PromptMessage::user(image), PromptMessage::user("Please analyze the image above.")]
    }

    /// A prompt that asks before it speaks.
    #[prompt]
    pub async fn test_input_required_result_prompt(cx: &Context) -> Result<String, AskError> {
        let question = "What context should the prompt use?";
        let Background { context } = cx.ask("user_context", Elicit::form::<Background>(question)).await?;
        Ok(format!("Write a poem about {context}."))
    }
}

fn main() -> mcp_runtime::Result {
    everything::serve()
}
