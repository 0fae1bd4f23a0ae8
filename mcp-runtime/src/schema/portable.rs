//! A check of finished tools against what the known clients refuse or silently change.
//!
//! Takes: [`Tool`]s. Gives: what is wrong with them. Knows: the clients' limits. Must not know: Rust types, calls.

use serde_json::{Map, Value};

use super::{formats::is_portable_format, header};
use crate::protocol::Tool;

/// The longest name of a tool: clients prefix it with the server's and stop at 60 to 64 characters.
const LONGEST_NAME: usize = 48;

/// The longest name of a property (Gemini).
const LONGEST_PROPERTY: usize = 64;

/// The longest description, in characters: VS Code cuts at 1,024.
const LONGEST_DESCRIPTION: usize = 1_024;

/// Panics with a list of everything that some known client would refuse or silently change, for a test of your own
/// server.
///
/// ```
/// # let tools: Vec<mcp_runtime::protocol::Tool> = Vec::new();
/// mcp_runtime::schema::assert_portable(&tools);
/// ```
///
/// # Panics
/// When there is anything to list: that is its purpose.
pub fn assert_portable(tools: &[Tool]) {
    let mut found: Vec<String> = Vec::new();
    for (index, tool) in tools.iter().enumerate() {
        if tools.iter().take(index).any(|other| other.name == tool.name) {
            found.push("another tool has the same name".to_owned() + &format!(": `{}`", tool.name));
        }
        found.extend(violations(tool).into_iter().map(|violation| format!("`{}`: {violation}", tool.name)));
    }
    assert!(found.is_empty(), "{} violations of the portable profile:\n- {}", found.len(), found.join("\n- "));
}

/// Everything in a tool that some known client would refuse or silently change, one sentence each.
///
/// # Source
/// Our choice, from the published limits and bugs of Claude, OpenAI and Codex, VS Code, Gemini, Cursor, opencode and the
/// official SDKs' clients.
#[must_use]
pub fn violations(tool: &Tool) -> Vec<String> {
    let mut lint = Lint { found: Vec::new(), definitions: Map::new() };
    lint.tool(tool);
    lint.found
}

struct Lint {
    found: Vec<String>,
    definitions: Map<String, Value>,
}

impl Lint {
    fn say(&mut self, path: &str, what: impl std::fmt::Display) {
        self.found.push(format!("{path}: {what}"));
    }

    fn tool(&mut self, tool: &Tool) {
        if !is_name(&tool.name, true) || tool.name.len() > LONGEST_NAME {
            self.say("name", format!("must be letters, digits, `_` and `-`, start with a letter or `_`, and have at most {LONGEST_NAME} of them"));
        }
        match tool.description.as_deref() {
            None | Some("") => self.say("description", "is missing; some clients make one up"),
            Some(text) => self.length("description", text),
        }
        self.document("inputSchema", tool.input_schema.get(), true);
        if let Some(schema) = &tool.output_schema {
            self.document("outputSchema", schema.get(), false);
        }
    }

    fn document(&mut self, path: &str, text: &str, input: bool) {
        let schema: Value = match serde_json::from_str(text) {
            Ok(schema) => schema,
            Err(error) => return self.say(path, format!("is no JSON: {error}")),
        };
        let Value::Object(root) = &schema else { return self.say(path, "must be an object") };
        self.definitions = root.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default();
        if input {
            self.input_root(path, root);
        }
        self.schema(path, &schema);
        let definitions = std::mem::take(&mut self.definitions);
        for (name, schema) in &definitions {
            self.definitions.clone_from(&definitions);
            self.schema(&format!("{path}.$defs.{name}"), schema);
        }
        for violation in header::violations(&schema) {
            self.say(path, violation);
        }
    }

    fn input_root(&mut self, path: &str, root: &Map<String, Value>) {
        if root.get("type").and_then(Value::as_str) != Some("object") {
            self.say(path, "`type` must be \"object\"");
        }
        if !root.get("properties").is_some_and(Value::is_object) {
            self.say(path, "`properties` is missing; some clients fail without it");
        }
        if root.get("additionalProperties") != Some(&Value::Bool(false)) {
            self.say(path, "`additionalProperties` must be false, or misspelt arguments go unnoticed");
        }
        for key in ["anyOf", "oneOf", "allOf", "not", "if", "enum", "$ref"] {
            if root.contains_key(key) {
                self.say(path, format!("`{key}` at the root: the Claude API refuses it, VS Code strips it"));
            }
        }
    }

    fn schema(&mut self, path: &str, schema: &Value) {
        let Value::Object(object) = schema else {
            return self.say(path, format!("{schema} in place of a schema: Codex makes a string of it"));
        };
        self.keywords(path, object);
        self.types(path, object);
        self.reference(path, object);
        self.required(path, object);
        for (name, schema) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if !is_name(name, false) || name.len() > LONGEST_PROPERTY {
                self.say(path, format!("property \"{name}\" must be letters, digits and `_` (Gemini)"));
            }
            self.schema(&format!("{path}.{name}"), schema);
        }
        if let Some(items) = object.get("items") {
            self.schema(&format!("{path}[]"), items);
        }
        match object.get("additionalProperties") {
            None | Some(Value::Bool(_)) => {}
            Some(schema) => self.schema(&format!("{path}.*"), schema),
        }
        for key in ["anyOf", "allOf", "oneOf"] {
            for (index, schema) in object.get(key).and_then(Value::as_array).into_iter().flatten().enumerate() {
                self.schema(&format!("{path}.{key}[{index}]"), schema);
            }
        }
    }

    fn keywords(&mut self, path: &str, object: &Map<String, Value>) {
        for key in ["oneOf", "allOf", "not", "if", "then", "else", "prefixItems", "patternProperties", "const"] {
            if object.contains_key(key) {
                self.say(path, format!("`{key}`: Codex drops it"));
            }
        }
        for key in ["unevaluatedProperties", "unevaluatedItems", "dependentSchemas", "$dynamicRef", "$schema", "$id"] {
            if object.contains_key(key) {
                self.say(path, format!("`{key}` is not known to every draft and client"));
            }
        }
        if object.get("title").is_some_and(Value::is_string) {
            self.say(path, "`title` only costs tokens");
        }
        if object.get("default").is_some_and(Value::is_null) {
            self.say(path, "`default` is null");
        }
        if let Some(format) = object.get("format").and_then(Value::as_str)
            && !is_portable_format(format)
        {
            self.say(path, format!("format \"{format}\": validators that do not know it warn or drop the tool"));
        }
        if let Some(text) = object.get("description").and_then(Value::as_str) {
            self.length(path, text);
        }
    }

    fn types(&mut self, path: &str, object: &Map<String, Value>) {
        match object.get("type") {
            Some(Value::Array(_)) => self.say(path, "`type` is a list; Gemini refuses it"),
            Some(Value::String(kind)) if kind == "array" && !object.contains_key("items") => {
                self.say(path, "array without `items`: VS Code refuses the tool");
            }
            _ => {}
        }
    }

    fn reference(&mut self, path: &str, object: &Map<String, Value>) {
        let Some(reference) = object.get("$ref") else { return };
        let name = reference.as_str().and_then(|reference| reference.strip_prefix("#/$defs/"));
        if !name.is_some_and(|name| self.definitions.contains_key(name)) {
            self.say(path, format!("$ref {reference} leads to no `$defs` of the root"));
        }
    }

    fn required(&mut self, path: &str, object: &Map<String, Value>) {
        match object.get("required") {
            None => {}
            Some(Value::Array(names)) => {
                let properties = object.get("properties");
                for name in names.iter().filter_map(Value::as_str) {
                    if properties.and_then(|properties| properties.get(name)).is_none() {
                        self.say(path, format!("`required` names \"{name}\", which is no property"));
                    }
                }
            }
            Some(_) => self.say(path, "`required` must be a list; null loses all tools"),
        }
    }

    fn length(&mut self, path: &str, text: &str) {
        if text.chars().nth(LONGEST_DESCRIPTION).is_some() {
            self.say(path, format!("description has more than {LONGEST_DESCRIPTION} characters; VS Code cuts it"));
        }
    }
}

/// Letters, digits and underscores, in a tool's name dashes too; no digit at the front.
fn is_name(name: &str, dashes: bool) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || (dashes && byte == b'-'))
}
