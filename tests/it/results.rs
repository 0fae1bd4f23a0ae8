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

// Proves: TL-07.
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

/// An account.
#[derive(Serialize, JsonSchema)]
struct Account {
    #[serde(with = "mcp_runtime::as_string")]
    #[schemars(schema_with = "mcp_runtime::as_string::schema::<u64>")]
    id: u64,
    #[serde(with = "mcp_runtime::as_string")]
    #[schemars(schema_with = "mcp_runtime::as_string::schema::<i128>")]
    balance: i128,
}

/// Integers that JavaScript would round.
#[mcp_server(name = "bank")]
mod bank {
    use super::Account;

    /// Book an amount.
    #[tool]
    pub fn book(
        /// The account.
        #[arg(as_string)]
        id: u64,
        #[arg(as_string, default = -9_007_199_254_740_993)] amount: i128,
        #[arg(as_string)] before: Option<i128>,
    ) -> Account {
        Account { id, balance: before.unwrap_or_default() + amount }
    }
}

#[test]
fn wide_integers_go_both_ways_as_digits() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let running = runtime.block_on(bank::server().port(0).start()).unwrap();
    for era in [Era::Legacy("2025-11-25"), Era::Modern] {
        let client = Client::new(running.address().port(), era);
        let listed = client.request("tools/list", json!({}));
        let tool = &listed["result"]["tools"][0];
        assert_eq!(
            tool["inputSchema"],
            json!({
                "type": "object",
                "properties": {
                    "id": {
                        "type": "string",
                        "description": "The account. (the digits of an integer 0–18446744073709551615)",
                        "pattern": "^(0|[1-9][0-9]*)$",
                    },
                    "amount": {
                        "type": "string",
                        "description": "the digits of an integer -170141183460469231731687303715884105728 to \
                                        170141183460469231731687303715884105727, default \"-9007199254740993\"",
                        "pattern": "^(0|-?[1-9][0-9]*)$",
                        "default": "-9007199254740993",
                    },
                    "before": {
                        "type": "string",
                        "description": "the digits of an integer -170141183460469231731687303715884105728 to \
                                        170141183460469231731687303715884105727",
                        "pattern": "^(0|-?[1-9][0-9]*)$",
                    },
                },
                "required": ["id"],
                "additionalProperties": false,
            })
        );
        let booked = |arguments: Value| {
            let answer = client.call("book", arguments);
            conforms(&tool["outputSchema"], &answer["result"]["structuredContent"]);
            answer["result"]["structuredContent"].clone()
        };
        assert_eq!(
            booked(json!({ "id": "18446744073709551615", "before": "1" })),
            json!({ "id": "18446744073709551615", "balance": "-9007199254740992" })
        );
        // A model that writes a number anyway is understood.
        assert_eq!(booked(json!({ "id": 5, "amount": 0 })), json!({ "id": "5", "balance": "0" }));
        let refused = client.call("book", json!({ "id": "18446744073709551616" }));
        assert_eq!(refused["result"]["isError"], true);
        let text = refused["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("expected the digits of an integer 0–18446744073709551615, got string"), "{text}");
    }
}
