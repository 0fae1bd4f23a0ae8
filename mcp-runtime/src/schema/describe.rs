//! A tool as clients see it.
//!
//! Takes: a tool's card. Gives: [`Described`]. Knows: the portable profile's root. Must not know: revisions.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{
    argument::{ArgumentType, argument},
    build::{Builder, Contract, Place},
    checks::{self, Checks},
    form::{Form, Kind, Rest},
    header,
    order::Orders,
    walk, write,
};
use crate::{
    protocol::{TaskRule, Tool, ToolExecution},
    service::{FunctionCard, TaskSupport, ToolCard},
};

/// A tool as clients see it, and what its calls need of its schema.
#[derive(Debug)]
pub struct Described {
    /// What `tools/list` shows.
    pub tool: Tool,
    /// What [`decode`](super::decode) needs; the same whatever [`ExtraArgument`] was added.
    pub checks: Checks,
}

/// A required string argument that the framework adds behind the tool's own, and takes for itself before the function
/// sees any: the handle of the session.
#[derive(Clone, Copy, Debug)]
pub struct ExtraArgument<'a> {
    /// Its name; a tool that has an argument of this name can't be described with it.
    pub name: &'a str,
    /// What the model reads of it.
    pub description: &'a str,
}

/// The tool as clients see it: its card with the portable schemas of its arguments and result, and `extra` as its last
/// argument where one is given.
///
/// # Errors
/// A sentence for the developer when a schema can't be made portable: a bad header annotation, a verbatim schema that is
/// no object's, a reference that leads nowhere, a name that is taken.
pub fn describe(tool: &ToolCard, extra: Option<&ExtraArgument<'_>>) -> Result<Described, String> {
    let card = &tool.function;
    let advise = |error: String| format!("tool `{}`: {error}", card.name);
    let mut checks = Checks::of(card).map_err(advise)?;
    let input = match card.input_schema {
        Some(verbatim) => verbatim_input(verbatim, extra).map_err(advise)?,
        None => input(card, &mut checks, extra).map_err(advise)?,
    };
    let output = (tool.output)().schema.map(|schema| output(card.name, schema)).transpose().map_err(advise)?;
    let raw =
        |text: String| RawValue::from_string(text).map_err(|error| advise(format!("its schema is no JSON: {error}")));
    let tool = Tool {
        name: card.name.to_owned(),
        title: card.title.map(str::to_owned),
        description: Some(card.description.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
        input_schema: raw(input)?,
        output_schema: output.map(raw).transpose()?,
        annotations: tool.annotations,
        execution: match tool.task {
            TaskSupport::Forbidden => None,
            TaskSupport::Optional => Some(ToolExecution::tasks(TaskRule::Optional)),
            TaskSupport::Required => Some(ToolExecution::tasks(TaskRule::Required)),
        },
        icons: card.icons.iter().map(Into::into).collect(),
        meta: meta(card).map_err(advise)?,
    };
    Ok(Described { tool, checks })
}

/// The `_meta` of a card as an object.
///
/// # Errors
/// A sentence for the developer when it is no JSON object.
pub(crate) fn meta(card: &FunctionCard) -> Result<Option<Map<String, Value>>, String> {
    let parse = |text| serde_json::from_str(text).map_err(|error| format!("its `meta` is no JSON object: {error}"));
    card.meta.map(parse).transpose()
}

/// The root of the arguments: an object of them, in the order of the parameters, and nothing else.
fn input(card: &FunctionCard, checks: &mut Checks, extra: Option<&ExtraArgument<'_>>) -> Result<String, String> {
    let mut properties = Vec::with_capacity(card.arguments.len() + 1);
    let mut required: Vec<String> = Vec::new();
    for (index, argument) in card.arguments.iter().enumerate() {
        let name = argument.name;
        if let Some(header) = argument.header
            && let Some(kept) = checks.arguments.get_mut(index)
            && header::annotate(&mut kept.form, header).map_err(|error| format!("argument `{name}`: {error}"))?
        {
            checks.bound_header(index);
        }
        let Some(kept) = checks.arguments.get(index) else { continue };
        properties.push((name.to_owned(), kept.form.clone()));
        if argument.required {
            required.push(name.to_owned());
        }
    }
    if let Some(extra) = extra {
        if card.arguments.iter().any(|argument| argument.name == extra.name) {
            return Err(taken(extra.name));
        }
        let form = Form { description: extra.description.to_owned(), ..Form::of(Kind::String) };
        properties.push((extra.name.to_owned(), form));
        required.push(extra.name.to_owned());
    }
    let root = Form { properties: Some(properties), required, rest: Rest::Closed, ..Form::of(Kind::Object) };
    let definitions: Vec<_> = checks.definitions.iter().map(|(name, form)| (name.clone(), form.clone())).collect();
    let text = write::document(&root, &definitions);
    let schema = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    match header::violations(&schema).into_iter().next() {
        Some(violation) => Err(violation),
        None => Ok(text),
    }
}

fn taken(name: &str) -> String {
    format!("the framework adds an argument `{name}` of its own: name this one otherwise, `#[arg(name = \"…\")]`")
}

/// The schema of a tool whose arguments are the members of `A`: an object of them, and nothing else.
///
/// # Errors
/// A sentence for the developer when the type is no struct, or its schema can't be made portable.
pub(crate) fn input_schema<A: ArgumentType>(tool: &str) -> Result<Box<RawValue>, String> {
    let advise = |error: String| format!("tool `{tool}`: {error}");
    let (mut root, definitions) = root(tool, argument::<A>().schema(), Contract::Input).map_err(advise)?;
    if root.kind != Some(Kind::Object) || !root.any_of.is_empty() {
        return Err(advise("its arguments are the members of a struct; this type is none".to_owned()));
    }
    root.properties.get_or_insert_default();
    if matches!(root.rest, Rest::Open) {
        root.rest = Rest::Closed;
    }
    RawValue::from_string(write::document(&root, &definitions)).map_err(|error| advise(error.to_string()))
}

/// The result, by the serialise contract; any type may stand at its root.
fn output(tool: &str, schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema) -> Result<String, String> {
    let (root, definitions) = root(tool, schema, Contract::Output).map_err(|error| format!("result: {error}"))?;
    Ok(write::document(&root, &definitions))
}

/// The form of one type alone, with the definitions that it refers to.
fn root(
    tool: &str,
    schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
    contract: Contract,
) -> Result<(Form, Vec<(String, Form)>), String> {
    let mut generator = checks::generator(contract);
    let mut orders = Orders::default();
    let mut schema = schema(&mut generator).to_value();
    checks::take_orders(&mut schema, &mut orders);
    let mut definitions = generator.take_definitions(true);
    // A root schema brings its definitions along.
    if let Some(Value::Object(own)) = schema.as_object_mut().and_then(|object| object.remove("$defs")) {
        definitions.extend(own);
    }
    let build = |inline: bool| {
        let mut builder = Builder::new(&definitions, &orders, contract, inline);
        let form = builder.form(&schema, Place::Other)?;
        let definitions = builder.definitions()?;
        Ok(((vec![form], definitions), builder.overflowed()))
    };
    let (mut forms, definitions) = checks::smaller(tool, build)?;
    let mut root = forms.pop().unwrap_or_default();
    // A type that holds itself is a mere reference when nothing is inlined; old clients look for `type` at the root.
    if let Some(name) = root.reference.take()
        && let Some((_, target)) = definitions.iter().find(|(known, _)| *known == name)
    {
        let mut target = target.clone();
        target.overlay(root);
        root = target;
    }
    Ok((root, definitions))
}

/// A schema that the developer wrote, unchanged but for the extra argument.
fn verbatim_input(verbatim: &str, extra: Option<&ExtraArgument<'_>>) -> Result<String, String> {
    let schema: Map<String, Value> =
        serde_json::from_str(verbatim).map_err(|error| format!("its input schema is no JSON object: {error}"))?;
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err(
            "its input schema must say `\"type\": \"object\"`: arguments are an object in every revision".to_owned()
        );
    }
    let properties = schema.get("properties");
    if properties.is_some_and(|properties| !properties.is_object()) {
        return Err("its input schema's `properties` must be an object".to_owned());
    }
    if schema.get("required").is_some_and(|required| !required.is_array()) {
        return Err("its input schema's `required` must be an array".to_owned());
    }
    if let Some(violation) = header::violations(&Value::Object(schema.clone())).into_iter().next() {
        return Err(violation);
    }
    let Some(extra) = extra else { return Ok(verbatim.to_owned()) };
    if properties.and_then(|properties| properties.get(extra.name)).is_some() {
        return Err(taken(extra.name));
    }
    Ok(with_extra(verbatim, extra))
}

/// The text of an object schema with one more required string, every other byte as it was.
fn with_extra(verbatim: &str, extra: &ExtraArgument<'_>) -> String {
    let name = Value::from(extra.name).to_string();
    let form = write::text(&Form { description: extra.description.to_owned(), ..Form::of(Kind::String) });
    let mut members: Vec<(String, String)> = walk::members(verbatim)
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for (key, addition) in [("properties", format!("{name}:{form}")), ("required", name.clone())] {
        let (open, close) = if key == "properties" { ('{', '}') } else { ('[', ']') };
        match members.iter_mut().find(|(known, _)| known == key) {
            Some((_, value)) => {
                let inside = value.trim_start_matches(open).trim_end();
                let inside = inside.strip_suffix(close).unwrap_or(inside).trim_end();
                let comma = if inside.trim().is_empty() { "" } else { "," };
                *value = format!("{open}{inside}{comma}{addition}{close}");
            }
            None => members.push((key.to_owned(), format!("{open}{addition}{close}"))),
        }
    }
    let members: Vec<String> = members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}
