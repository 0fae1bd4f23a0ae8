//! Every kind of result, a schema of one's own, and an argument that is also a header: the server that the official
//! conformance suite tests. Names and texts are the suite's.
//!
//! ```sh
//! cargo run --example everything -- --transport streamable-http --port 3000
//! ```

use std::time::Duration;

use mcp_runtime::{prelude::*, protocol::ResourceContents};

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

/// Has a tool for each kind of result.
#[mcp_server]
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
        tokio::time::sleep(Duration::from_millis(200)).await;
        "Reconnection test completed"
    }
    // ANCHOR_END: close_stream

    /// How often this session has called this tool.
    #[tool]
    pub fn count_calls(calls: &mut Calls) -> String {
        calls.count += 1;
        calls.count.to_string()
    }
}

fn main() -> mcp_runtime::Result {
    everything::serve()
}
