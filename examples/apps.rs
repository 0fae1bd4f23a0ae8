//! A tool with a page of its own (MCP Apps): hosts that can show it do, all others show the text.
//!
//! ```sh
//! cargo run --example apps -- --transport streamable-http
//! ```

use mcp_runtime::{prelude::*, protocol::ResourceContents};
use serde_json::{Value, json};

/// The extension, as server and client declare it.
const APPS: &str = "io.modelcontextprotocol/ui";
/// The type of its pages.
const PAGE: &str = "text/html;profile=mcp-app";

/// What the page shows: it is given the structured result.
#[derive(Serialize, JsonSchema)]
struct Shades {
    /// From dark to light, such as `#3366cc`.
    shades: Vec<String>,
}

// ANCHOR: asks
/// Whether the client of this call shows pages.
fn shows_pages(cx: &Context) -> bool {
    let types = cx.extension(APPS).and_then(|settings| settings.get("mimeTypes")).and_then(Value::as_array);
    types.is_some_and(|types| types.iter().any(|known| known == PAGE))
}
// ANCHOR_END: asks

// ANCHOR: declare
/// Shades of colours.
#[mcp_server(name = "palette")]
mod palette {
    use super::*;

    /// Show the shades of a colour.
    #[tool(read_only, meta = r#"{ "ui": { "resourceUri": "ui://palette/shades" } }"#)]
    pub fn shades(
        cx: &Context,
        /// Six hexadecimal digits, such as 3366cc.
        colour: String,
    ) -> Result<Reply<Shades>, ToolError> {
        let shades = shades_of(&colour).ok_or("A colour has six hexadecimal digits, such as 3366cc")?;
        let list = shades.join(", ");
        // The text is for the model, and all that other hosts show: it says the same with and without the page.
        let text = if shows_pages(cx) { format!("The person sees these shades: {list}") } else { list };
        Ok(Reply::new(Shades { shades }, text))
    }

    /// The page, which asks its host for the result.
    #[resource("ui://palette/shades", mime_type = "text/html;profile=mcp-app")]
    pub fn page() -> ResourceContents {
        ResourceContents::text("ui://palette/shades", PAGE, include_str!("apps.html"))
            .with_meta("ui", json!({ "prefersBorder": true }))
    }
}
// ANCHOR_END: declare

/// Five mixtures with black and with white.
fn shades_of(colour: &str) -> Option<Vec<String>> {
    let bytes = colour.strip_prefix('#').unwrap_or(colour);
    if bytes.len() != 6 || !bytes.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let [_, red, green, blue] = u32::from_str_radix(bytes, 16).ok()?.to_be_bytes();
    let mixed = |part: u8, step: u32| match step {
        0..=2 => u32::from(part) * (step + 1) / 3,
        _ => u32::from(part) + (255 - u32::from(part)) * (step - 2) / 3,
    };
    let shade = |step| format!("#{:02x}{:02x}{:02x}", mixed(red, step), mixed(green, step), mixed(blue, step));
    Some((0..5).map(shade).collect())
}

// ANCHOR: server
fn main() -> mcp_runtime::Result {
    palette::server().extension(APPS, json!({})).serve()
}
// ANCHOR_END: server
