//! Arguments of tools that are not known at compile time, held against the schema that such a tool brings.
//!
//! Takes: a [`Tool`], arguments. Gives: advice for the model. Knows: all of JSON Schema, through a library. Must not know:
//! Rust types, who made the tool.

use serde_json::Value;

use super::header::{self, Mirrored};
use crate::{call::ToolError, protocol::Tool};

/// The longest input schema that is taken: 1 MiB.
const LONGEST: usize = 1024 * 1024;

/// The dialects that are known, by their URIs without `http://` or `https://` and without `#` at the end. A schema that names
/// none is read in the first one.
const DIALECTS: [&str; 6] = [
    "json-schema.org/draft/2020-12/schema",
    "json-schema.org/draft/2019-09/schema",
    "json-schema.org/draft-07/schema",
    "json-schema.org/draft-06/schema",
    "json-schema.org/draft-04/schema",
    // Without a version it is the newest one.
    "json-schema.org/schema",
];

/// What is kept of a tool's input schema for its calls.
pub(crate) struct Strict {
    /// The arguments that headers mirror.
    pub(crate) mirrored: Vec<Mirrored>,
    #[cfg(feature = "providers")]
    validator: jsonschema::Validator,
}

/// Whether clients can use this tool.
///
/// # Errors
/// What is wrong with it, for the developer.
///
/// # Source
/// 2026-07-28 server/tools §Tool Names; §Tool: `inputSchema` is an object's. A wrong `x-mcp-header` makes clients drop the
/// tool.
pub(crate) fn check_tool(tool: &Tool) -> Result<(), String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if tool.name.is_empty() || tool.name.len() > 128 || !tool.name.bytes().all(legal) {
        return Err("its name must be 1 to 128 letters, digits, `_`, `-` and `.`".to_owned());
    }
    if let Some(schema) = &tool.output_schema {
        let schema: Value =
            serde_json::from_str(schema.get()).map_err(|error| format!("its output schema is no JSON: {error}"))?;
        check_dialect(&schema).map_err(|wrong| format!("its output schema {wrong}"))?;
    }
    Strict::of(tool.input_schema.get()).map(|_| ())
}

/// Whether the dialect of a schema is one that is known.
///
/// # Source
/// 2026-07-28 basic §JSON Schema Usage: 2020-12 unless `$schema` says otherwise; what is not supported is told.
fn check_dialect(schema: &Value) -> Result<(), String> {
    let Some(named) = schema.get("$schema") else { return Ok(()) };
    let uri = named.as_str().map(|uri| uri.strip_suffix('#').unwrap_or(uri));
    let uri = uri.and_then(|uri| uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://")));
    if uri.is_some_and(|uri| DIALECTS.contains(&uri)) {
        return Ok(());
    }
    let named: String = named.to_string().chars().take(200).collect();
    Err(format!(
        "names the dialect {named} in `$schema`, which is not supported: leave it out for 2020-12, or name 2019-09 or draft \
         7, 6 or 4"
    ))
}

/// The schema as a value: an object's, without wrong header annotations.
fn read(schema: &str) -> Result<Value, String> {
    if schema.len() > LONGEST {
        return Err(format!("its input schema has {} bytes; at most {LONGEST} are taken", schema.len()));
    }
    let value: Value = serde_json::from_str(schema).map_err(|error| format!("its input schema is no JSON: {error}"))?;
    if value.get("type").and_then(Value::as_str) != Some("object") {
        return Err("its input schema must say `\"type\": \"object\"`: arguments are an object".to_owned());
    }
    check_dialect(&value).map_err(|wrong| format!("its input schema {wrong}"))?;
    match header::violations(&value).into_iter().next() {
        Some(violation) => Err(violation),
        None => Ok(value),
    }
}

#[cfg(feature = "providers")]
impl Strict {
    /// Reads an input schema.
    ///
    /// # Errors
    /// What is wrong with it, for the developer: no schema of an object, a reference to somewhere else, a wrong header
    /// annotation.
    pub(crate) fn of(schema: &str) -> Result<Self, String> {
        let value = read(schema)?;
        let validator = jsonschema::options()
            .with_retriever(Nowhere)
            // Patterns of a peer's making: what can't be matched in linear time gives up early.
            .with_pattern_options(jsonschema::PatternOptions::fancy_regex().backtrack_limit(100_000))
            .build(&value)
            .map_err(|error| format!("its input schema can't be used: {}", short(&error)))?;
        Ok(Self { mirrored: header::mirrored(&value), validator })
    }

    /// Holds arguments, an object as JSON text, against the schema.
    ///
    /// # Errors
    /// Everything that is wrong, for the model to read.
    pub(crate) fn check(&self, tool: &str, arguments: &str) -> Result<(), ToolError> {
        use super::{advice, check::MOST_TOLD};
        let value: Value = serde_json::from_str(arguments)
            .map_err(|error| ToolError::new(format!("Invalid arguments for `{tool}`: {error}")))?;
        if self.validator.is_valid(&value) {
            return Ok(());
        }
        let mut errors = self.validator.iter_errors(&value);
        let told: Vec<(String, String)> =
            errors.by_ref().take(MOST_TOLD).map(|error| (path(&error), short(&error))).collect();
        let untold = errors.take(1_000).count();
        let lines = told.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        Err(ToolError::new(advice::invalid_arguments(tool, lines, untold)))
    }
}

#[cfg(not(feature = "providers"))]
impl Strict {
    /// Reads an input schema. Without the feature `providers` no server has a tool whose arguments would be held against
    /// one, so none is prepared.
    pub(crate) fn of(schema: &str) -> Result<Self, String> {
        Ok(Self { mirrored: header::mirrored(&read(schema)?) })
    }

    /// Without the feature `providers` no tool is called that would need this.
    pub(crate) fn check(&self, _: &str, _: &str) -> Result<(), ToolError> {
        Err(ToolError::internal("this program was built without the feature `providers` of mcp-runtime"))
    }
}

/// References lead to the schema itself and to nowhere else, whatever other crates of the program switch on.
#[cfg(feature = "providers")]
struct Nowhere;

#[cfg(feature = "providers")]
impl jsonschema::Retrieve for Nowhere {
    fn retrieve(&self, uri: &jsonschema::Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err(format!("`{uri}` is somewhere else: references lead into the schema itself").into())
    }
}

/// Where something is wrong: `items[2].name`.
#[cfg(feature = "providers")]
fn path(error: &jsonschema::ValidationError<'_>) -> String {
    use super::check::member_path;
    let pointer = error.instance_path().to_string();
    let path = pointer.split('/').skip(1).fold(String::new(), |path, step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        if !path.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("{path}[{step}]")
        } else {
            member_path(&path, &step)
        }
    });
    if path.is_empty() { "arguments".to_owned() } else { path }
}

/// What is wrong, as long as a model reads.
#[cfg(feature = "providers")]
fn short(error: &dyn std::fmt::Display) -> String {
    let text: String = error.to_string();
    let mut letters = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let mut text: String = letters.by_ref().take(200).collect();
    if letters.next().is_some() {
        text.push('…');
    }
    text
}

#[cfg(all(test, feature = "providers"))]
mod tests;
