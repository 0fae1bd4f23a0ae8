//! The check of finished tools: each of its rules fires.

use serde_json::value::RawValue;

use super::*;
use crate::{protocol::Tool, schema::violations};

fn with_schema(schema: &str) -> Tool {
    let mut tool = described(Vec::new()).tool;
    tool.input_schema = RawValue::from_string(schema.to_owned()).expect("JSON");
    tool
}

/// What is said of a property with this schema.
fn of_property(schema: &str) -> Vec<String> {
    let root = format!(r#"{{"type":"object","properties":{{"it":{schema}}},"additionalProperties":false}}"#);
    violations(&with_schema(&root))
}

#[test]
fn each_keyword_that_some_client_cannot_read_is_named() {
    for (schema, word) in [
        (r#"{"oneOf":[{"type":"string"}]}"#, "oneOf"),
        (r#"{"allOf":[{"type":"string"}]}"#, "allOf"),
        (r#"{"const":"a"}"#, "const"),
        (r#"{"type":"array"}"#, "items"),
        (r#"{"type":["string","null"]}"#, "list"),
        (r#"{"type":"array","items":{},"prefixItems":[{}]}"#, "prefixItems"),
        (r#"{"type":"string","format":"uint32"}"#, "uint32"),
        (r#"{"type":"string","default":null}"#, "null"),
        (r#"{"type":"string","title":"It"}"#, "title"),
        ("true", "Codex"),
        (r##"{"$ref":"#/$defs/Gone"}"##, "Gone"),
        (r#"{"type":"object","required":null}"#, "required"),
        (r#"{"type":"object","required":["gone"]}"#, "gone"),
        (r#"{"type":"object","properties":{"a b":{}}}"#, "a b"),
        (r#"{"type":"number","x-mcp-header":"A"}"#, "header"),
        (r#"{"type":"array","items":{"type":"string","x-mcp-header":"A"}}"#, "header"),
        (r#"{"anyOf":[{"type":"array"}]}"#, "anyOf[0]"),
        (r#"{"type":"object","additionalProperties":{"type":"array"}}"#, "it.*"),
    ] {
        let found = of_property(schema);
        assert!(found.iter().any(|violation| violation.contains(word)), "{schema}: {found:?}");
    }
    let long = format!(r#"{{"type":"string","description":"{}"}}"#, "x".repeat(1_025));
    assert_eq!(of_property(&long).len(), 1);
    assert_eq!(of_property(r#"{"type":"string","description":"fine"}"#), Vec::<String>::new());
    // A property may be called what a keyword is called.
    assert_eq!(of_property(r#"{"type":"object","properties":{"title":{"type":"string"}}}"#), Vec::<String>::new());
}

#[test]
fn the_root_must_be_a_closed_object() {
    for (schema, word) in [
        (r#"{"type":"object","additionalProperties":false}"#, "properties"),
        (r#"{"type":"object","properties":{}}"#, "additionalProperties"),
        (r#"{"properties":{},"additionalProperties":false}"#, "type"),
        (r#"{"type":"object","properties":{},"additionalProperties":false,"anyOf":[]}"#, "anyOf"),
        ("[]", "object"),
    ] {
        let found = violations(&with_schema(schema));
        assert!(found.iter().any(|violation| violation.contains(word)), "{schema}: {found:?}");
    }
}

#[test]
fn names_and_descriptions_are_checked() {
    for name in ["", "1st", "a.b", "a b", "ä", &"x".repeat(49)] {
        let mut tool = described(Vec::new()).tool;
        tool.name = name.to_owned();
        assert_eq!(violations(&tool).len(), 1, "{name}");
    }
    let mut tool = described(Vec::new()).tool;
    tool.description = None;
    assert_eq!(violations(&tool).len(), 1);
}

#[test]
#[should_panic(expected = "another tool has the same name: `book_flight`")]
fn two_tools_of_one_name_panic() {
    let tool = described(Vec::new()).tool;
    crate::schema::assert_portable(&[tool.clone(), tool]);
}
