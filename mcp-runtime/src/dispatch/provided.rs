//! What providers have, called: held against its description first.

use std::{
    collections::{BTreeMap, HashMap},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::FutureExt;
use serde_json::value::RawValue;

use super::{
    Dispatch, internal, refused_as_fault,
    resources::contents,
    run::{Stop, panicked, until_asked},
};
use crate::{
    call::{Answered, Context, Fault, Item, Outcome, ToolError, ToolResult},
    protocol::Tool,
    provider::{MOST_PAGES, PromptProvider, ResourceProvider},
    schema::{Mirrored, Strict},
    service::BoxFuture,
    wire::{Code, Raw},
};

/// So many schemas are kept ready for the next call.
const MOST_KEPT: usize = 256;

/// The schemas of provided tools, ready for the next call: by their text, so that a tool that changes is another one.
#[derive(Default)]
pub(crate) struct Kept(Mutex<HashMap<Box<str>, Arc<Strict>>>);

impl Kept {
    fn get(&self, schema: &str) -> Result<Arc<Strict>, String> {
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(schema) {
            return Ok(known.clone());
        }
        let strict = Arc::new(Strict::of(schema)?);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(schema.into(), strict.clone());
        Ok(strict)
    }
}

impl Dispatch {
    /// Calls a tool of the first provider that has it; `None` where none has.
    pub(super) async fn call_provided_tool(
        &self,
        name: &str,
        arguments: &Raw,
        cx: &Context,
    ) -> Result<Option<Outcome>, Stop> {
        for provider in &self.providers.tools {
            let tool = match guarded(cx, name, provider.find(cx, name)).await? {
                Ok(None) => continue,
                Ok(Some(tool)) => tool,
                Err(refusal) => return Ok(Some(Outcome::of_tool(Answered::Framework, refused(&refusal)))),
            };
            let strict = match self.kept.get(tool.input_schema.get()) {
                Ok(strict) => strict,
                Err(wrong) => {
                    tracing::error!(tool = name, "a provided tool can't be called: {wrong}");
                    let message = format!("The tool `{name}` can't be called: {wrong}");
                    return Err(Fault::new(Code::INTERNAL_ERROR, message).into());
                }
            };
            check_mirrors(&strict.mirrored, arguments, cx)?;
            let Tool { output_schema, .. } = tool;
            let result = match strict.check(name, arguments.as_str()) {
                Err(refusal) => Err(refusal),
                Ok(()) => match serde_json::from_str::<&RawValue>(arguments.as_str()) {
                    Ok(arguments) => guarded(cx, name, provider.call(cx, name, arguments)).await?,
                    Err(error) => return Err(internal("reading arguments", &error).into()),
                },
            };
            let result = match result {
                Err(refusal) => refused(&refusal.or_fault()?),
                Ok(result) => result,
            };
            return Ok(Some(Outcome::of_tool(Answered::Provided { output_schema }, result)));
        }
        Ok(None)
    }

    /// Gets a prompt of the first provider that has it; `None` where none has.
    pub(super) async fn get_provided_prompt(
        &self,
        name: &str,
        arguments: &Raw,
        cx: &Context,
    ) -> Result<Option<Outcome>, Stop> {
        for provider in &self.providers.prompts {
            let found = guarded(cx, name, provider.find(cx, name)).await?;
            let Some(prompt) = found.map_err(|refusal| refused_as_fault(&refusal))? else { continue };
            let arguments: BTreeMap<String, String> =
                serde_json::from_str(arguments.as_str()).map_err(|error| internal("arguments of a prompt", &error))?;
            let missing = prompt.arguments.iter().find(|known| known.required && !arguments.contains_key(&known.name));
            if let Some(missing) = missing {
                let message = format!("The prompt needs the argument `{}`", missing.name);
                return Err(Fault::new(Code::INVALID_PARAMS, message).into());
            }
            if arguments.keys().any(|name| !prompt.arguments.iter().any(|known| known.name == *name)) {
                let known: Vec<_> = prompt.arguments.iter().map(|known| format!("`{}`", known.name)).collect();
                let message = format!("The prompt has no such argument; known are {}", known.join(", "));
                return Err(Fault::new(Code::INVALID_PARAMS, message).into());
            }
            let result = guarded(cx, name, provider.get(cx, name, &arguments)).await?;
            let result = result.map_err(refused_whole)?;
            return Ok(Some(Outcome::Prompt(Box::new(result))));
        }
        Ok(None)
    }

    /// Reads a resource of the first provider that has it; `None` where none has.
    pub(super) async fn read_provided_resource(&self, uri: &str, cx: &Context) -> Result<Option<Outcome>, Stop> {
        for provider in &self.providers.resources {
            let result = guarded(cx, uri, provider.read(cx, uri)).await?;
            let (result, said) = result.map_err(refused_whole)?.split();
            let Some(contents) = contents(uri, None, result) else { continue };
            let cache = self.cache_of_read(said.unwrap_or_default(), cx);
            return Ok(Some(Outcome::Resource { contents, cache }));
        }
        Ok(None)
    }

    /// The first provider that has a prompt of this name.
    pub(super) async fn provider_of_prompt(
        &self,
        name: &str,
        cx: &Context,
    ) -> Result<Option<&dyn PromptProvider>, Fault> {
        for provider in &self.providers.prompts {
            let found = guarded_quiet(name, provider.find(cx, name)).await?;
            if found.map_err(|refusal| refused_as_fault(&refusal))?.is_some() {
                return Ok(Some(&**provider));
            }
        }
        Ok(None)
    }

    /// The first provider that has a template with this text, on the first pages of its list.
    pub(super) async fn provider_of_template(
        &self,
        text: &str,
        cx: &Context,
    ) -> Result<Option<&dyn ResourceProvider>, Fault> {
        if !self.shows(Item::Template(text), cx) {
            return Ok(None);
        }
        for provider in &self.providers.resources {
            let mut cursor = None;
            for _ in 0..MOST_PAGES {
                let page = guarded_quiet(text, provider.templates(cx, cursor.as_deref())).await?;
                let page = page.map_err(|refusal| refused_as_fault(&refusal))?;
                if page.items.iter().any(|template| template.uri_template == text) {
                    return Ok(Some(&**provider));
                }
                let Some(next) = page.next else { break };
                cursor = Some(next);
            }
        }
        Ok(None)
    }
}

/// Holds what came beside a call against the arguments that it mirrors.
pub(super) fn check_mirrors(mirrored: &[Mirrored], arguments: &Raw, cx: &Context) -> Result<(), Fault> {
    let Some(mirrors) = cx.mirrors() else { return Ok(()) };
    for Mirrored { path, header } in mirrored {
        let path: Vec<&str> = path.iter().map(|name| &**name).collect();
        mirrors.check(header, &path, arguments).map_err(|wrong| Fault::new(Code::HEADER_MISMATCH, wrong))?;
    }
    Ok(())
}

/// Awaits what a provider does, until it gives something or has asked something; its panic is a fault of this request
/// alone.
async fn guarded<T>(cx: &Context, what: &str, future: BoxFuture<'_, T>) -> Result<T, Stop> {
    cx.set_may_ask(true);
    let guarded = AssertUnwindSafe(until_asked(cx, future)).catch_unwind().await;
    guarded.unwrap_or_else(|panic| Err(panicked(what, panic).into()))
}

/// The same where nothing can be asked.
pub(super) async fn guarded_quiet<T>(what: &str, future: BoxFuture<'_, T>) -> Result<T, Fault> {
    AssertUnwindSafe(future).catch_unwind().await.map_err(|panic| panicked(what, panic))
}

/// A provider that can't list: not the client's mistake.
pub(super) fn listing_failed(error: &ToolError) -> Fault {
    Fault::new(Code::INTERNAL_ERROR, error.message())
}

/// What a prompt or resource refuses, or what it failed with as protocol.
fn refused_whole(refusal: ToolError) -> Fault {
    refusal.or_fault().map_or_else(|fault| fault, |refusal| refused_as_fault(&refusal))
}

fn refused(refusal: &ToolError) -> ToolResult {
    ToolResult::error(refusal.message())
}
