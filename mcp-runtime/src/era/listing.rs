//! Tools, in the shape of a revision.

use serde::Serialize;
use serde_json::{
    Map, Value, json,
    value::{RawValue, to_raw_value},
};

use crate::protocol::{Icon, Tool, ToolAnnotations, Version, version::Facts};

/// Tools as the revision shows them.
pub(super) fn tools(tools: &[Tool], version: Version) -> Result<Vec<Box<RawValue>>, serde_json::Error> {
    tools.iter().map(|tool| to_raw_value(&View::of(tool, version.facts())?)).collect()
}

/// Whether revisions whose structured results are objects get this output as `{"result": …}`.
pub(super) fn must_wrap(schema: &RawValue) -> bool {
    let schema: Value = serde_json::from_str(schema.get()).unwrap_or_default();
    schema.get("type").and_then(Value::as_str) != Some("object")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    input_schema: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_schema: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<ToolAnnotations>,
    #[serde(skip_serializing_if = "<[Icon]>::is_empty")]
    icons: &'a [Icon],
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<&'a Map<String, Value>>,
}

impl<'a> View<'a> {
    fn of(tool: &'a Tool, facts: &Facts) -> Result<Self, serde_json::Error> {
        let output_schema = match tool.output_schema.as_deref().filter(|_| facts.structured) {
            Some(schema) if !facts.any_output && must_wrap(schema) => Some(wrapped(schema)?),
            schema => schema.map(ToOwned::to_owned),
        };
        Ok(Self {
            name: &tool.name,
            title: tool.title.as_deref().filter(|_| facts.titles),
            description: tool.description.as_deref(),
            input_schema: &tool.input_schema,
            output_schema,
            annotations: Some(tool.annotations).filter(|annotations| facts.annotations && !annotations.is_empty()),
            icons: if facts.icons { &tool.icons } else { &[] },
            meta: tool.meta.as_ref().filter(|_| facts.object_meta),
        })
    }
}

/// The schema of `{"result": …}`; definitions stay at the root, where references look for them.
fn wrapped(schema: &RawValue) -> Result<Box<RawValue>, serde_json::Error> {
    let mut inner: Value = serde_json::from_str(schema.get())?;
    let definitions = inner.as_object_mut().and_then(|inner| inner.remove("$defs"));
    let mut outer = json!({ "type": "object", "properties": { "result": inner }, "required": ["result"] });
    if let Some(definitions) = definitions {
        outer["$defs"] = definitions;
    }
    to_raw_value(&outer)
}
