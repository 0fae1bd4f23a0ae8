//! Several declarations as one: what is mounted gets a prefix.
//!
//! Takes: services and their prefixes. Gives: a [`Service`] with a card of all their functions. Knows: which function is
//! whose. Must not know: how servers are run.

use std::{collections::HashMap, sync::Arc};

use super::{
    BoxFuture, CompletionCard, CompletionReference, FunctionCard, PromptCard, ResourceCard, Run, ServerCard, Service,
    ToolCard, no_such,
};
use crate::{
    call::{Completion, PromptResult, ResourceResult, ToolError, ToolResult},
    protocol::CacheHint,
    session::{PartCard, PartType},
};

/// The longest name that clients take.
const LONGEST_NAME: usize = 64;
/// The longest key of session state that stores take.
const LONGEST_KEY: usize = 128;

/// Several declarations as one.
pub(crate) struct Composite {
    card: &'static ServerCard,
    members: Vec<Arc<dyn Service>>,
    tools: Functions,
    prompts: Functions,
    resources: Functions,
    completions: Functions,
}

/// The functions of one kind: whose they are, by their index in the common card, and that index by their name.
#[derive(Default)]
struct Functions {
    owners: Vec<Owner>,
    names: HashMap<String, usize>,
}

/// A member and the function's index in its card.
#[derive(Clone, Copy)]
struct Owner {
    member: usize,
    index: usize,
}

impl Functions {
    /// Enters a function; `Err` is whose name it has.
    fn enter(&mut self, name: &str, owner: Owner) -> Result<(), Owner> {
        if let Some(other) = self.names.get(name).and_then(|index| self.owners.get(*index)) {
            return Err(*other);
        }
        self.names.insert(name.to_owned(), self.owners.len());
        self.owners.push(owner);
        Ok(())
    }
}

impl Composite {
    /// This declaration with others mounted under prefixes: their tools and prompts become `prefix_name`, their session
    /// state `prefix/key`; their resources keep their URIs.
    ///
    /// The common card lives as long as the process: it is made once, at the start.
    ///
    /// # Errors
    /// A sentence for the developer: a prefix that is none or given twice, a name that is taken or too long.
    pub(crate) fn of(root: Arc<dyn Service>, mounts: Vec<(String, Arc<dyn Service>)>) -> Result<Self, String> {
        let mut prefixes = vec![String::new()];
        let mut members = vec![root];
        for (prefix, service) in mounts {
            check_prefix(&prefix)?;
            if prefixes.contains(&prefix) {
                return Err(format!("two servers are mounted at `{prefix}`: give one of them another prefix"));
            }
            prefixes.push(prefix);
            members.push(service);
        }
        let mut joined = Joined::default();
        for (member, (service, prefix)) in members.iter().zip(&prefixes).enumerate() {
            joined.add(member, service.card(), prefix, &prefixes)?;
        }
        let own = prefixes.first().and(members.first()).map(|root| root.card()).unwrap_or(&ServerCard::BLANK);
        let cards = || members.iter().map(|service| service.card());
        let cache = CacheHint {
            ttl: cards().map(|card| card.cache.ttl).min().unwrap_or_default(),
            public: cards().all(|card| card.cache.public),
        };
        let card = ServerCard {
            instructions: instructions(cards().zip(&prefixes)),
            tools: joined.tool_cards.leak(),
            prompts: joined.prompt_cards.leak(),
            resources: joined.resource_cards.leak(),
            completions: joined.completion_cards.leak(),
            changes: cards().any(|card| card.changes),
            cache,
            ..*own
        };
        let Joined { tools, prompts, resources, completions, .. } = joined;
        Ok(Self { card: Box::leak(Box::new(card)), members, tools, prompts, resources, completions })
    }

    /// The member whose function stands at `index`, and the index that it has there.
    fn owner(&self, functions: &Functions, index: usize) -> Option<(&dyn Service, usize)> {
        let owner = functions.owners.get(index)?;
        Some((&**self.members.get(owner.member)?, owner.index))
    }
}

/// A card in the making.
#[derive(Default)]
struct Joined {
    tools: Functions,
    prompts: Functions,
    resources: Functions,
    completions: Functions,
    tool_cards: Vec<ToolCard>,
    prompt_cards: Vec<PromptCard>,
    resource_cards: Vec<ResourceCard>,
    completion_cards: Vec<CompletionCard>,
}

impl Joined {
    fn add(
        &mut self,
        member: usize,
        card: &'static ServerCard,
        prefix: &str,
        prefixes: &[String],
    ) -> Result<(), String> {
        let taken = |kind: &str, name: &str, other: Owner| {
            format!(
                "{kind} `{name}` is there twice: in {} and in {}; rename one, or mount under another prefix",
                place(prefixes, other.member),
                place(prefixes, member)
            )
        };
        for (index, tool) in card.tools.iter().enumerate() {
            let function = prefixed(&tool.function, prefix)?;
            let entered = self.tools.enter(function.name, Owner { member, index });
            entered.map_err(|other| taken("the tool", function.name, other))?;
            self.tool_cards.push(ToolCard { function, ..*tool });
        }
        for (index, prompt) in card.prompts.iter().enumerate() {
            let function = prefixed(&prompt.function, prefix)?;
            let entered = self.prompts.enter(function.name, Owner { member, index });
            entered.map_err(|other| taken("the prompt", function.name, other))?;
            self.prompt_cards.push(PromptCard { function });
        }
        for (index, resource) in card.resources.iter().enumerate() {
            let function = prefixed(&resource.function, prefix)?;
            let entered = self.resources.enter(resource.uri, Owner { member, index });
            entered.map_err(|other| taken("the resource", resource.uri, other))?;
            self.resource_cards.push(ResourceCard { function, ..*resource });
        }
        for (index, completion) in card.completions.iter().enumerate() {
            let function = prefixed(&completion.function, prefix)?;
            let reference = match completion.reference {
                CompletionReference::Prompt(name) => CompletionReference::Prompt(joined(prefix, name)),
                reference @ CompletionReference::Resource(_) => reference,
            };
            self.completions.owners.push(Owner { member, index });
            self.completion_cards.push(CompletionCard { function, reference, ..*completion });
        }
        Ok(())
    }
}

/// Where a function comes from, for the developer.
fn place(prefixes: &[String], member: usize) -> String {
    match prefixes.get(member).map(String::as_str) {
        None | Some("") => "the server itself".to_owned(),
        Some(prefix) => format!("what is mounted at `{prefix}`"),
    }
}

/// A function under a prefix, its session state too.
fn prefixed(function: &FunctionCard, prefix: &str) -> Result<FunctionCard, String> {
    if prefix.is_empty() {
        return Ok(*function);
    }
    let name = joined(prefix, function.name);
    if name.len() > LONGEST_NAME {
        let FunctionCard { name: own, .. } = function;
        return Err(format!(
            "`{own}`, mounted at `{prefix}`, would be called `{name}`, which has more than {LONGEST_NAME} characters: \
             choose a shorter prefix"
        ));
    }
    let parts = function.parts.iter().map(|part| {
        let key = format!("{prefix}/{}", part.part.key);
        if key.len() > LONGEST_KEY {
            return Err(format!("the key of session state `{key}` has more than {LONGEST_KEY} bytes"));
        }
        Ok(PartCard { part: PartType { key: key.leak(), ..part.part }, ..*part })
    });
    Ok(FunctionCard { name, parts: parts.collect::<Result<Vec<_>, _>>()?.leak(), ..*function })
}

fn joined(prefix: &str, name: &'static str) -> &'static str {
    if prefix.is_empty() { name } else { format!("{prefix}_{name}").leak() }
}

/// Letters, digits and underscores, a letter at the front: what every client takes in a tool's name.
fn check_prefix(prefix: &str) -> Result<(), String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if prefix.starts_with(|first: char| first.is_ascii_alphabetic()) && prefix.bytes().all(legal) {
        return Ok(());
    }
    Err(format!("`{prefix}` is no prefix to mount at: it has letters, digits and `_`, and begins with a letter"))
}

/// What all of them say of themselves, each mounted one under its prefix.
fn instructions<'a>(cards: impl Iterator<Item = (&'static ServerCard, &'a String)>) -> Option<&'static str> {
    let texts: Vec<String> = cards
        .filter_map(|(card, prefix)| {
            let text = card.instructions?.trim();
            Some(if prefix.is_empty() { text.to_owned() } else { format!("`{prefix}_…`: {text}") })
        })
        .collect();
    (!texts.is_empty()).then(|| &*texts.join("\n\n").leak())
}

impl Service for Composite {
    fn card(&self) -> &'static ServerCard {
        self.card
    }

    fn find_tool(&self, name: &str) -> Option<usize> {
        self.tools.names.get(name).copied()
    }

    fn call_tool<'a>(&'a self, tool: usize, run: Run<'a>) -> BoxFuture<'a, Result<ToolResult, ToolError>> {
        match self.owner(&self.tools, tool) {
            Some((member, tool)) => member.call_tool(tool, run),
            None => Box::pin(async move { Err(no_such("tool", tool)) }),
        }
    }

    fn find_prompt(&self, name: &str) -> Option<usize> {
        self.prompts.names.get(name).copied()
    }

    fn get_prompt<'a>(&'a self, prompt: usize, run: Run<'a>) -> BoxFuture<'a, Result<PromptResult, ToolError>> {
        match self.owner(&self.prompts, prompt) {
            Some((member, prompt)) => member.get_prompt(prompt, run),
            None => Box::pin(async move { Err(no_such("prompt", prompt)) }),
        }
    }

    fn read_resource<'a>(&'a self, resource: usize, run: Run<'a>) -> BoxFuture<'a, Result<ResourceResult, ToolError>> {
        match self.owner(&self.resources, resource) {
            Some((member, resource)) => member.read_resource(resource, run),
            None => Box::pin(async move { Err(no_such("resource", resource)) }),
        }
    }

    fn complete<'a>(&'a self, completion: usize, run: Run<'a>) -> BoxFuture<'a, Result<Completion, ToolError>> {
        match self.owner(&self.completions, completion) {
            Some((member, completion)) => member.complete(completion, run),
            None => Box::pin(async move { Err(no_such("completion", completion)) }),
        }
    }
}

/// A declaration of nothing: what providers and mounts are added to.
pub(crate) struct Blank(&'static ServerCard);

impl Blank {
    /// With this name and version.
    pub(crate) fn new(name: String, version: String) -> Self {
        let card = ServerCard { name: name.leak(), version: version.leak(), ..ServerCard::BLANK };
        Self(Box::leak(Box::new(card)))
    }
}

impl Service for Blank {
    fn card(&self) -> &'static ServerCard {
        self.0
    }

    fn find_tool(&self, _: &str) -> Option<usize> {
        None
    }

    fn call_tool<'a>(&'a self, tool: usize, _: Run<'a>) -> BoxFuture<'a, Result<ToolResult, ToolError>> {
        Box::pin(async move { Err(no_such("tool", tool)) })
    }
}
