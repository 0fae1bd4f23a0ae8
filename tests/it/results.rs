//! Typed results from outside: what comes back is what the list of tools announced, nulls and all.

use mcp_runtime::prelude::*;
use serde_json::{Value, json};

use crate::support::client::{Client, Era};

/// Where something is.
#[derive(Serialize, JsonSchema)]
struct Place {
    latitude: f64,
    /// Above the sea.
    height: Option<i32>,
}

/// How it looks.
#[derive(Serialize, JsonSchema)]
enum Look {
    Plain,
    /// With a pattern.
    Patterned {
        colour: Option<String>,
    },
}

/// What was found.
#[derive(Default, Serialize, JsonSchema)]
struct Found {
    name: Option<String>,
    place: Option<Place>,
    look: Option<Look>,
    looks: Vec<Option<Look>>,
    /// The same of something inside.
    within: Option<Box<Found>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Tools whose results have members that may be nothing.
#[mcp_server(name = "finder")]
mod finder {
    use super::{Found, Look, Place};
    use mcp_runtime::{Reply, ToolError};

    /// Find nothing.
    #[tool]
    pub fn nothing() -> Found {
        Found::default()
    }

    /// Find something that lacks this and that.
    #[tool]
    pub fn something() -> Reply<Found> {
        let place = Some(Place { latitude: 47.5, height: None });
        let looks = vec![None, Some(Look::Plain), Some(Look::Patterned { colour: None })];
        let within = Found { place, looks, ..Found::default() };
        let look = Some(Look::Patterned { colour: Some("red".into()) });
        Reply::new(Found { name: Some("it".into()), look, within: Some(Box::new(within)), ..Found::default() }, "it")
    }

    /// Find no place at all.
    #[tool]
    pub fn nowhere() -> Result<Option<Place>, ToolError> {
        Ok(None)
    }

    /// Find places, some of them nowhere.
    #[tool]
    pub fn places() -> Vec<Option<Place>> {
        vec![None, Some(Place { latitude: -1.0, height: None })]
    }
}

#[test]
fn what_is_none_conforms_to_the_announced_output_schema_in_every_revision_that_announces_one() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let running = runtime.block_on(finder::server().port(0).start()).unwrap();
    for era in [Era::Legacy("2025-06-18"), Era::Legacy("2025-11-25"), Era::Modern] {
        let client = Client::new(running.address().port(), era);
        let listed = client.request("tools/list", json!({}));
        let tools = listed["result"]["tools"].as_array().unwrap();
        assert_eq!(tools.len(), 4);
        for tool in tools {
            let schema = &tool["outputSchema"];
            let answer = client.call(tool["name"].as_str().unwrap(), json!({}));
            let structured = answer["result"].get("structuredContent").unwrap_or_else(|| panic!("{answer}"));
            assert!(structured.to_string().contains("null"), "{structured}");
            conforms(schema, structured);
            // The schemas are worth something: they refuse what is no null and no place.
            let mut wrong = structured.clone();
            assert!(replace_null(&mut wrong, &json!([[[1]]])), "{wrong}");
            assert!(!jsonschema::draft202012::is_valid(schema, &wrong), "{wrong} conforms to {schema}");
        }
    }
}

/// By both drafts that clients use: the TypeScript clients validate by draft-07, the Python clients by what it says.
fn conforms(schema: &Value, structured: &Value) {
    for validator in [jsonschema::draft202012::new(schema), jsonschema::draft7::new(schema)] {
        if let Err(error) = validator.expect("a schema").validate(structured) {
            panic!("{structured}\nis refused by\n{schema}:\n{error} at {}", error.instance_path());
        }
    }
}

/// Puts something else in the place of the first null.
fn replace_null(value: &mut Value, with: &Value) -> bool {
    match value {
        Value::Null => {
            *value = with.clone();
            true
        }
        Value::Object(members) => members.values_mut().any(|value| replace_null(value, with)),
        Value::Array(elements) => elements.iter_mut().any(|value| replace_null(value, with)),
        _ => false,
    }
}
