//! Prompts and resources as clients see them.
//!
//! Takes: cards. Gives: what lists show. Knows: what of an argument a prompt can say. Must not know: revisions.

use super::{ExtraArgument, describe::meta};
use crate::{
    protocol::{Annotations, Prompt, PromptArgument, Resource, ResourceTemplate},
    service::{AnnotationsCard, FunctionCard, PromptCard, ResourceCard},
};

/// A prompt as clients see it, with `extra` as its last argument where one is given.
///
/// # Errors
/// A sentence for the developer when its card can't be shown: `_meta` that is no JSON object, a name that is taken.
pub fn describe_prompt(card: &PromptCard, extra: Option<&ExtraArgument<'_>>) -> Result<Prompt, String> {
    let card = &card.function;
    let advise = |error: String| format!("prompt `{}`: {error}", card.name);
    let argument = |name: &str, description: &str, required: bool| {
        let mut argument = PromptArgument::new(name);
        argument.description = text(description);
        argument.required = required;
        argument
    };
    let arguments = card.arguments.iter();
    let mut arguments: Vec<_> =
        arguments.map(|declared| argument(declared.name, declared.description, declared.required)).collect();
    if let Some(extra) = extra {
        not_taken(card, extra).map_err(advise)?;
        arguments.push(argument(extra.name, extra.description, true));
    }
    let mut prompt = Prompt::new(card.name);
    prompt.title = card.title.map(str::to_owned);
    prompt.description = text(card.description);
    prompt.arguments = arguments;
    prompt.icons = card.icons.iter().map(Into::into).collect();
    prompt.meta = meta(card).map_err(advise)?;
    Ok(prompt)
}

/// A resource as clients see it: one, or a template of many.
#[derive(Clone, Debug)]
pub enum DescribedResource {
    /// One, with a URI of its own.
    One(Resource),
    /// As many as the template has URIs.
    Many(ResourceTemplate),
}

/// A resource as clients see it, under the URI or template `uri`: its own, or its own with the variable `extra`.
///
/// # Errors
/// A sentence for the developer when its card can't be shown: `_meta` that is no JSON object, a name that is taken.
pub fn describe_resource(
    card: &ResourceCard,
    uri: &str,
    is_template: bool,
    extra: Option<&ExtraArgument<'_>>,
) -> Result<DescribedResource, String> {
    let function = &card.function;
    let advise = |error: String| format!("resource `{}`: {error}", function.name);
    if let Some(extra) = extra {
        not_taken(function, extra).map_err(advise)?;
    }
    let (title, description) = (function.title.map(str::to_owned), text(function.description));
    let mime_type = card.mime_type.map(str::to_owned);
    let annotations = annotations(&card.annotations);
    let icons = function.icons.iter().map(Into::into).collect();
    let meta = meta(function).map_err(advise)?;
    Ok(if is_template {
        let mut template = ResourceTemplate::new(uri, function.name);
        (template.title, template.description, template.mime_type) = (title, description, mime_type);
        (template.annotations, template.icons, template.meta) = (annotations, icons, meta);
        DescribedResource::Many(template)
    } else {
        let mut resource = Resource::new(uri, function.name);
        (resource.title, resource.description, resource.mime_type) = (title, description, mime_type);
        (resource.annotations, resource.icons, resource.meta) = (annotations, icons, meta);
        resource.size = card.size;
        DescribedResource::One(resource)
    })
}

fn not_taken(card: &FunctionCard, extra: &ExtraArgument<'_>) -> Result<(), String> {
    if card.arguments.iter().any(|argument| argument.name == extra.name) {
        return Err(format!(
            "the framework adds an argument `{}` of its own: name this one otherwise, `#[arg(name = \"…\")]`",
            extra.name
        ));
    }
    Ok(())
}

fn text(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn annotations(card: &AnnotationsCard) -> Option<Annotations> {
    let annotations = Annotations {
        audience: card.audience.to_vec(),
        priority: card.priority,
        last_modified: card.last_modified.map(str::to_owned),
    };
    (annotations != Annotations::default()).then_some(annotations)
}
