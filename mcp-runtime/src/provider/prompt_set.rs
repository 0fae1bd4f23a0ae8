//! Prompts that can be added and removed while the server runs.

use std::{collections::BTreeMap, fmt, future::Future, sync::Arc};

use super::{
    Page, PromptProvider, SetError,
    completions::Completions,
    set::{Held, Set},
};
use crate::{
    call::{Completion, Context, PromptResult, ToolError},
    changes::Changes,
    protocol::Prompt,
    service::BoxFuture,
};

/// Prompts that can be added and removed while the server runs. Cheap to clone: the program keeps one clone, the server
/// gets another with [`Server::prompts`](crate::Server::prompts). Clients that asked for news of the list are told of each
/// change.
#[derive(Clone, Default)]
pub struct PromptSet(Arc<Set<Entry>>);

type Handler = dyn Fn(BTreeMap<String, String>) -> BoxFuture<'static, Result<PromptResult, ToolError>> + Send + Sync;

struct Entry {
    prompt: Prompt,
    handler: Box<Handler>,
    completions: Completions,
}

impl Held for Entry {
    fn announce(changes: &Changes, _: &str, _: bool) {
        changes.prompts_changed();
    }
}

impl PromptSet {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a prompt, in the place of one of the same name. The handler gets the arguments by name, the required ones among
    /// them.
    ///
    /// # Errors
    /// [`SetError`]: an empty name; a full set.
    pub fn add<F, R>(&self, prompt: Prompt, handler: F) -> Result<(), SetError>
    where
        F: Fn(BTreeMap<String, String>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<PromptResult, ToolError>> + Send + 'static,
    {
        if prompt.name.is_empty() {
            return Err(SetError("a prompt needs a name".into()));
        }
        let handler = Box::new(move |arguments| -> BoxFuture<'static, _> { Box::pin(handler(arguments)) });
        self.0.insert(prompt.name.clone(), Entry { prompt, handler, completions: Completions::default() })
    }

    /// Completes an argument of a prompt that was added: the handler gets what was typed so far and the arguments that the
    /// client knows already. It goes when the prompt is removed or another one takes its place.
    ///
    /// # Errors
    /// [`SetError`]: no such prompt; no such argument of it.
    pub fn add_completion<F, R>(&self, prompt: &str, argument: &str, handler: F) -> Result<(), SetError>
    where
        F: Fn(String, BTreeMap<String, String>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Completion, ToolError>> + Send + 'static,
    {
        let entry =
            self.0.get(prompt).ok_or_else(|| SetError(format!("there is no prompt `{prompt}`: add it first")))?;
        if !entry.prompt.arguments.iter().any(|known| known.name == argument) {
            return Err(SetError(format!(
                "the prompt `{prompt}` has no argument `{argument}` that could be completed"
            )));
        }
        entry.completions.insert(argument.to_owned(), handler);
        Ok(())
    }

    /// Removes the prompt of this name; says whether it was there.
    pub fn remove(&self, name: &str) -> bool {
        self.0.remove(name)
    }

    /// How many prompts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for PromptSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PromptSet").field("prompts", &self.len()).finish()
    }
}

impl PromptProvider for PromptSet {
    fn list<'a>(&'a self, _: &'a Context, cursor: Option<&'a str>) -> BoxFuture<'a, Result<Page<Prompt>, ToolError>> {
        Box::pin(async move { Ok(self.0.page(cursor, |entry| entry.prompt.clone())) })
    }

    fn find<'a>(&'a self, _: &'a Context, name: &'a str) -> BoxFuture<'a, Result<Option<Prompt>, ToolError>> {
        Box::pin(async move { Ok(self.0.get(name).map(|entry| entry.prompt.clone())) })
    }

    fn get<'a>(
        &'a self,
        _: &'a Context,
        name: &'a str,
        arguments: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<PromptResult, ToolError>> {
        match self.0.get(name) {
            Some(entry) => (entry.handler)(arguments.clone()),
            None => Box::pin(async move { Err(ToolError::new(format!("The prompt `{name}` was removed meanwhile"))) }),
        }
    }

    fn complete<'a>(
        &'a self,
        _: &'a Context,
        name: &'a str,
        argument: &'a str,
        value: &'a str,
        known: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Completion, ToolError>> {
        Box::pin(async move {
            match self.0.get(name) {
                Some(entry) => entry.completions.run(argument, value, known).await,
                None => Ok(Completion::default()),
            }
        })
    }

    fn changes(&self) -> bool {
        true
    }

    fn connect(&self, changes: &Changes) {
        self.0.connect(changes);
    }
}
