//! Tools that are not known at compile time: a provider whose tools come from data, and a set that grows while the server
//! runs.
//!
//! ```sh
//! cargo run --example dynamic -- --transport streamable-http
//! ```

use mcp_runtime::{
    Item,
    middleware::{Logging, RateLimit},
    prelude::*,
    protocol::Tool,
    provider::{Page, ToolProvider, ToolSet},
    service::BoxFuture,
};
use serde_json::{Value, json, value::RawValue};

// ANCHOR: provider
/// One conversion: a row of a table that could be a file or a database.
struct Conversion {
    name: &'static str,
    description: &'static str,
    factor: f64,
}

/// Each conversion is a tool.
struct Conversions(Vec<Conversion>);

impl Conversions {
    fn describe(conversion: &Conversion) -> Tool {
        let number = json!({ "type": "number", "description": "What is converted." });
        let schema = json!({ "type": "object", "properties": { "value": number }, "required": ["value"] });
        Tool::new(conversion.name, conversion.description, &schema)
    }
}

impl ToolProvider for Conversions {
    fn list<'a>(&'a self, _: &'a Context, _: Option<&'a str>) -> BoxFuture<'a, Result<Page<Tool>, ToolError>> {
        Box::pin(async move { Ok(Page::last(self.0.iter().map(Self::describe))) })
    }

    fn call<'a>(
        &'a self,
        _: &'a Context,
        name: &'a str,
        arguments: &'a RawValue,
    ) -> BoxFuture<'a, Result<ToolResult, ToolError>> {
        Box::pin(async move {
            let row = self.0.iter().find(|row| row.name == name).ok_or("This conversion is gone")?;
            let arguments: Value = serde_json::from_str(arguments.get()).map_err(ToolError::internal)?;
            // The schema was checked already: it is there and a number.
            let value = arguments["value"].as_f64().unwrap_or_default();
            Ok(ToolResult::text((value * row.factor).to_string()))
        })
    }
}
// ANCHOR_END: provider

// ANCHOR: set
/// Learns phrases: each becomes a tool.
struct Parrot {
    phrases: ToolSet,
}

/// What a phrase takes: nothing.
#[derive(Deserialize, JsonSchema)]
struct Nothing {}

#[mcp_server(name = "dynamic")]
impl Parrot {
    /// Learn a phrase, which becomes a tool.
    #[tool]
    fn learn(&self, name: String, phrase: String) -> Result<String, ToolError> {
        let said = phrase.clone();
        let say = move |_: Nothing| {
            let said = said.clone();
            async move { Ok(ToolResult::text(said)) }
        };
        self.phrases.add(&name, format!("Say: {phrase}"), say).map_err(|error| ToolError::new(error.to_string()))?;
        Ok(format!("`{name}` is a tool now"))
    }
}
// ANCHOR_END: set

fn main() -> mcp_runtime::Result {
    let miles = Conversion { name: "miles_to_km", description: "Convert miles to kilometres.", factor: 1.609344 };
    let pounds = Conversion { name: "pounds_to_kg", description: "Convert pounds to kilograms.", factor: 0.45359237 };
    let phrases = ToolSet::new();
    // ANCHOR: server
    let units = Server::named("units", "1.0.0").tools(Conversions(vec![miles, pounds]));
    let server = Server::new(Parrot { phrases: phrases.clone() })
        .tools(phrases)
        .mount("units", units)
        .visible(|principal, item| {
            principal.is_some() || !matches!(item, Item::Tool(name) if name.starts_with("secret_"))
        })
        .page_size(50)
        .wrap(RateLimit::per_minute(600))
        .wrap(Logging);
    // ANCHOR_END: server
    server.serve()
}
