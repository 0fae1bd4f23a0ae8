//! What is known of the declared functions, gathered once at the start.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::list::{Named, Names};
use crate::{
    call::List,
    protocol::{Lists, UriTemplate},
    schema::{
        Checks, DescribedResource, ExtraArgument, Mirrored, describe, describe_prompt, describe_resource,
        inexact_integers, mirrored, violations,
    },
    service::{CompletionReference, FunctionCard, ResourceCard, ServerCard},
};

/// What is known of the declared functions.
pub(crate) struct Catalogue {
    card: &'static ServerCard,
    /// By function: what decoding its arguments needs of their schemas.
    tools: Vec<ToolChecks>,
    prompts: Vec<Checks>,
    resources: Vec<Checks>,
    completions: Vec<Checks>,
    /// Where a session id or process carries the state.
    plain: Addresses,
    /// Where handles do: what borrows it is a template with a variable for the handle.
    with_handles: Addresses,
    /// What is listed where a session id or process carries the state.
    pub(super) names: Names,
    /// What is listed where handles do.
    pub(super) names_with_handles: Names,
}

/// What calls of a tool need of its schema.
struct ToolChecks {
    checks: Checks,
    /// The arguments that headers mirror.
    mirrored: Vec<Mirrored>,
}

/// Which resource a URI names.
#[derive(Default)]
struct Addresses {
    uris: HashMap<Box<str>, usize>,
    templates: Vec<(UriTemplate, usize)>,
}

/// Everything that is listed, and what calls need to know of it.
pub(crate) struct Described {
    pub(crate) catalogue: Catalogue,
    /// Where a session id or process carries the state.
    pub(crate) lists: Lists,
    /// Where handles do, without the tool that mints them.
    pub(crate) with_handles: Lists,
}

/// A function that can't be described, and what to change.
pub(crate) struct Indescribable {
    pub(crate) function: &'static str,
    pub(crate) advice: String,
}

impl Catalogue {
    /// Describes all functions; `extra` is the argument by which a call names its session where handles carry it.
    pub(crate) fn of(card: &'static ServerCard, extra: &ExtraArgument<'_>) -> Result<Described, Indescribable> {
        let mut described = Described {
            catalogue: Self {
                card,
                tools: Vec::new(),
                prompts: Vec::new(),
                resources: Vec::new(),
                completions: Vec::new(),
                plain: Addresses::default(),
                with_handles: Addresses::default(),
                names: Names::default(),
                names_with_handles: Names::default(),
            },
            lists: Lists::default(),
            with_handles: Lists::default(),
        };
        described.tools(extra)?;
        described.prompts(extra)?;
        described.resources(extra)?;
        for completion in card.completions {
            let checks = checks(&completion.function)?;
            described.catalogue.completions.push(checks);
        }
        Ok(described)
    }

    /// Enters a tool of the framework's own, listed last where handles carry the state.
    pub(crate) fn add_framework_tool(&mut self, name: &'static str) {
        self.names_with_handles.tools.push(Named { shown: name.into(), list: List::Tools, declared: name });
    }

    /// Whether any argument is mirrored by a header.
    pub(crate) fn has_mirrors(&self) -> bool {
        self.tools.iter().any(|tool| !tool.mirrored.is_empty())
    }

    pub(super) fn tool(&self, index: usize) -> Option<(&'static FunctionCard, &Checks, &[Mirrored])> {
        let ToolChecks { checks, mirrored } = self.tools.get(index)?;
        Some((&self.card.tools.get(index)?.function, checks, mirrored))
    }

    pub(super) fn prompt(&self, index: usize) -> Option<(&'static FunctionCard, &Checks)> {
        Some((&self.card.prompts.get(index)?.function, self.prompts.get(index)?))
    }

    pub(super) fn resource(&self, index: usize) -> Option<(&'static ResourceCard, &Checks)> {
        Some((self.card.resources.get(index)?, self.resources.get(index)?))
    }

    /// The resource of this URI, with its variables as a JSON object: the one that has just this URI, or else the first
    /// template that it fits.
    pub(super) fn locate(&self, uri: &str, handles: bool) -> Option<(usize, String)> {
        let addresses = if handles { &self.with_handles } else { &self.plain };
        if let Some(index) = addresses.uris.get(uri) {
            return Some((*index, "{}".to_owned()));
        }
        addresses.templates.iter().find_map(|(template, index)| {
            let variables: Map<String, Value> =
                template.matches(uri)?.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
            Some((*index, Value::Object(variables).to_string()))
        })
    }

    /// A URI that fits the template at this index, as the template spells it.
    pub(super) fn spelled(&self, index: usize, uri: &str, handles: bool) -> Option<String> {
        let addresses = if handles { &self.with_handles } else { &self.plain };
        let (template, _) = addresses.templates.iter().find(|(_, template)| *template == index)?;
        let values = template.matches(uri)?;
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, &**value)).collect();
        template.expand(&values).ok()
    }

    /// Whether the resource at this index was declared as a template.
    pub(super) fn is_template(&self, index: usize) -> bool {
        self.plain.templates.iter().any(|(_, template)| *template == index)
    }

    /// The resource that a client names by its declared URI or template, or by a URI that fits it.
    pub(super) fn named_resource(&self, text: &str) -> Option<usize> {
        let declared = |handles: bool| {
            let addresses = if handles { &self.with_handles } else { &self.plain };
            addresses.templates.iter().find(|(template, _)| template.as_str() == text).map(|(_, index)| *index)
        };
        let exact = self.card.resources.iter().position(|resource| resource.uri == text);
        let index = exact.or_else(|| declared(false)).or_else(|| declared(true));
        index.or_else(|| self.locate(text, false).map(|(index, _)| index))
    }

    /// The function that completes this argument.
    pub(super) fn completion(
        &self,
        reference: CompletionReference,
        argument: &str,
    ) -> Option<(usize, &'static FunctionCard, &Checks)> {
        let mut all = self.card.completions.iter().zip(&self.completions).enumerate();
        all.find(|(_, (card, _))| card.reference == reference && card.argument == argument)
            .map(|(index, (card, checks))| (index, &card.function, checks))
    }

    /// The texts that an argument may be, where its type is a list of them, and that begin as it was typed.
    pub(super) fn choices(&self, reference: CompletionReference, argument: &str, typed: &str) -> Vec<String> {
        let (cards, checks): (Vec<_>, _) = match reference {
            CompletionReference::Prompt(name) => (
                self.card.prompts.iter().map(|card| (name == card.function.name, &card.function)).collect(),
                &self.prompts,
            ),
            CompletionReference::Resource(uri) => {
                (self.card.resources.iter().map(|card| (uri == card.uri, &card.function)).collect(), &self.resources)
            }
        };
        let found = cards.into_iter().zip(checks).find(|((named, _), _)| *named);
        let Some(((_, card), checks)) = found else { return Vec::new() };
        let Some(index) = card.arguments.iter().position(|known| known.name == argument) else { return Vec::new() };
        checks.choices(index).filter(|choice| choice.starts_with(typed)).map(str::to_owned).collect()
    }
}

impl Described {
    fn tools(&mut self, extra: &ExtraArgument<'_>) -> Result<(), Indescribable> {
        for card in self.catalogue.card.tools {
            let failed = |advice| Indescribable { function: card.function.name, advice };
            let plain = describe(card, None).map_err(failed)?;
            let stateful = !card.function.parts.is_empty();
            let with_handle =
                if stateful { describe(card, Some(extra)).map_err(failed)?.tool } else { plain.tool.clone() };
            for violation in violations(&plain.tool) {
                let tool = card.function.name;
                tracing::warn!(tool, "some clients will not take this tool as it is: {violation}");
            }
            let inexact = inexact_integers(&plain.tool);
            if !inexact.is_empty() {
                // Most such integers stay small: a hint for whoever asks, not a warning at every start.
                tracing::debug!(
                    tool = card.function.name,
                    "clients in JavaScript round integers beyond 2^53 in its result: {}; where they get that large, \
                     announce them as digits (`mcp_runtime::as_string`)",
                    inexact.join(", ")
                );
            }
            // A schema of our making, or one that was read already.
            let schema = serde_json::from_str(plain.tool.input_schema.get()).unwrap_or_default();
            let name = card.function.name;
            for names in [&mut self.catalogue.names, &mut self.catalogue.names_with_handles] {
                names.tools.push(Named { shown: name.into(), list: List::Tools, declared: name });
            }
            self.with_handles.tools.push(with_handle);
            self.lists.tools.push(plain.tool);
            self.catalogue.tools.push(ToolChecks { checks: plain.checks, mirrored: mirrored(&schema) });
        }
        Ok(())
    }

    fn prompts(&mut self, extra: &ExtraArgument<'_>) -> Result<(), Indescribable> {
        for card in self.catalogue.card.prompts {
            let failed = |advice| Indescribable { function: card.function.name, advice };
            let extra = Some(extra).filter(|_| !card.function.parts.is_empty());
            self.lists.prompts.push(describe_prompt(card, None).map_err(failed)?);
            self.with_handles.prompts.push(describe_prompt(card, extra).map_err(failed)?);
            let name = card.function.name;
            for names in [&mut self.catalogue.names, &mut self.catalogue.names_with_handles] {
                names.prompts.push(Named { shown: name.into(), list: List::Prompts, declared: name });
            }
            self.catalogue.prompts.push(checks(&card.function)?);
        }
        Ok(())
    }

    fn resources(&mut self, extra: &ExtraArgument<'_>) -> Result<(), Indescribable> {
        for (index, card) in self.catalogue.card.resources.iter().enumerate() {
            let failed = |advice: String| Indescribable { function: card.function.name, advice };
            let wrong = |error| failed(format!("its URI `{}`: {error}", card.uri));
            let template = UriTemplate::parse(card.uri).map_err(wrong)?;
            let list = if template.has_variables() { List::Templates } else { List::Resources };
            let Catalogue { plain, with_handles, names, names_with_handles, .. } = &mut self.catalogue;
            add(card, &template, index, None, (plain, &mut self.lists, names), list).map_err(failed)?;
            let extra = Some(extra).filter(|_| !card.function.parts.is_empty());
            let template =
                extra.map_or(Ok(template.clone()), |extra| template.with_query(extra.name)).map_err(wrong)?;
            let lists = (with_handles, &mut self.with_handles, names_with_handles);
            add(card, &template, index, extra, lists, list).map_err(failed)?;
            self.catalogue.resources.push(checks(&card.function)?);
        }
        Ok(())
    }
}

/// Enters a resource under this URI or template; `list` is the one that its declaration belongs to.
fn add(
    card: &ResourceCard,
    template: &UriTemplate,
    index: usize,
    extra: Option<&ExtraArgument<'_>>,
    (addresses, lists, names): (&mut Addresses, &mut Lists, &mut Names),
    list: List,
) -> Result<(), String> {
    let named = Named { shown: template.as_str().into(), list, declared: card.uri };
    match describe_resource(card, template.as_str(), template.has_variables(), extra)? {
        DescribedResource::One(resource) => {
            addresses.uris.insert(template.as_str().into(), index);
            lists.resources.push(resource);
            names.resources.push(named);
        }
        DescribedResource::Many(shown) => {
            addresses.templates.push((template.clone(), index));
            lists.templates.push(shown);
            names.templates.push(named);
        }
    }
    Ok(())
}

fn checks(card: &'static FunctionCard) -> Result<Checks, Indescribable> {
    Checks::of(card).map_err(|advice| Indescribable { function: card.name, advice })
}
