//! Requests whose parameters are the same in every revision, read.

use super::cookies;
use crate::{
    call::{Completing, Fault, List, Offered, Operation, Reference},
    wire::{Code, Raw, Request},
};

/// What a request asks for; `None` for a method that is none of these, or of a capability that the server does not have:
/// whatever its parameters are.
pub(super) fn read(request: &Request, offered: &Offered) -> Result<Option<Operation>, Fault> {
    Ok(Some(match &*request.method {
        "tools/call" if offered.tools => call_tool(request)?,
        "tools/list" if offered.tools => list(request, List::Tools)?,
        "prompts/list" if offered.prompts => list(request, List::Prompts)?,
        "prompts/get" if offered.prompts => get_prompt(request)?,
        "resources/list" if offered.resources => list(request, List::Resources)?,
        "resources/templates/list" if offered.resources => list(request, List::Templates)?,
        "resources/read" if offered.resources => Operation::ReadResource { uri: string(request, "uri")?.into() },
        "completion/complete" if offered.completion() => complete(request)?,
        _ => return offered.cookies.map_or(Ok(None), |offered| cookies::read(request, offered)),
    }))
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(Code::INVALID_PARAMS, message)
}

/// A parameter that must be a string.
fn string(request: &Request, name: &str) -> Result<String, Fault> {
    request
        .params
        .string(name)
        .map(Into::into)
        .ok_or_else(|| invalid(format!("{} needs `params.{name}`, a string", request.method)))
}

fn list(request: &Request, list: List) -> Result<Operation, Fault> {
    let cursor = match request.params.get("cursor") {
        // Some clients send null for what they leave out.
        Some(cursor) if cursor.as_str() != "null" => {
            Some(cursor.string().ok_or_else(|| invalid("`params.cursor` must be a string"))?.into())
        }
        _ => None,
    };
    Ok(Operation::List { list, cursor })
}

fn call_tool(request: &Request) -> Result<Operation, Fault> {
    let Some(name) = request.params.string("name") else {
        return Err(invalid("tools/call needs `params.name`, a string"));
    };
    Ok(Operation::CallTool { name: name.into(), arguments: arguments(request)? })
}

/// The arguments of a call, an object; `{}` where none came.
fn arguments(request: &Request) -> Result<Raw, Fault> {
    match request.params.get("arguments") {
        None => Ok(Raw::from("{}")),
        Some(arguments) if arguments.is_object() => Ok(arguments.clone()),
        Some(_) => Err(invalid("`params.arguments` must be an object")),
    }
}

fn get_prompt(request: &Request) -> Result<Operation, Fault> {
    let name = string(request, "name")?.into();
    let arguments = match request.params.get("arguments") {
        // Some clients send null for what they leave out.
        Some(null) if null.as_str() == "null" => Raw::from("{}"),
        _ => arguments(request)?,
    };
    if arguments.members().is_none_or(|members| members.iter().any(|(_, value)| value.string().is_none())) {
        return Err(invalid("`params.arguments` of a prompt must be an object of strings"));
    }
    Ok(Operation::GetPrompt { name, arguments })
}

fn complete(request: &Request) -> Result<Operation, Fault> {
    let complaint = "completion/complete needs `params.ref`: {\"type\":\"ref/prompt\",\"name\":…} or \
                     {\"type\":\"ref/resource\",\"uri\":…}";
    let reference = request.params.get("ref").and_then(Raw::members).ok_or_else(|| invalid(complaint))?;
    let text = |name: &str| reference.get(name).and_then(Raw::string);
    let reference = match text("type").as_deref() {
        Some("ref/prompt") => text("name").map(|name| Reference::Prompt(name.into())),
        Some("ref/resource") => text("uri").map(|uri| Reference::Resource(uri.into())),
        _ => None,
    };
    let reference = reference.ok_or_else(|| invalid(complaint))?;
    let complaint = "completion/complete needs `params.argument`, an object with the strings `name` and `value`";
    let argument = request.params.get("argument").and_then(Raw::members).ok_or_else(|| invalid(complaint))?;
    let text = |name: &str| argument.get(name).and_then(Raw::string).ok_or_else(|| invalid(complaint));
    let (argument, value) = (text("name")?.into(), text("value")?.into());
    let context = request.params.get("context").and_then(Raw::members);
    let known = context.as_ref().and_then(|context| context.get("arguments")).and_then(Raw::members);
    let known = known.iter().flat_map(|known| known.iter());
    // What is no string is none of the prompt's arguments.
    let known = known.filter_map(|(name, value)| Some((name.into(), value.string()?.into()))).collect();
    Ok(Operation::Complete(Box::new(Completing { reference, argument, value, known })))
}
