//! Providers of a mounted server: their tools and prompts under its prefix.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::value::RawValue;

use super::{Page, PromptProvider, ToolProvider};
use crate::{
    call::{Completion, Context, PromptResult, ToolError, ToolResult},
    changes::Changes,
    protocol::{Prompt, Tool},
    service::BoxFuture,
};

/// A provider under a prefix.
pub(super) struct Prefixed<P: ?Sized> {
    pub(super) prefix: String,
    pub(super) provider: Arc<P>,
}

impl<P: ?Sized> Prefixed<P> {
    fn outer(&self, name: &str) -> String {
        format!("{}_{name}", self.prefix)
    }

    /// The provider's own name of it; `None` for a name without the prefix.
    fn inner<'n>(&self, name: &'n str) -> Option<&'n str> {
        name.strip_prefix(&self.prefix)?.strip_prefix('_')
    }
}

impl ToolProvider for Prefixed<dyn ToolProvider> {
    fn list<'a>(&'a self, cx: &'a Context, cursor: Option<&'a str>) -> BoxFuture<'a, Result<Page<Tool>, ToolError>> {
        Box::pin(async move {
            let mut page = self.provider.list(cx, cursor).await?;
            page.items.iter_mut().for_each(|tool| tool.name = self.outer(&tool.name));
            Ok(page)
        })
    }

    fn find<'a>(&'a self, cx: &'a Context, name: &'a str) -> BoxFuture<'a, Result<Option<Tool>, ToolError>> {
        Box::pin(async move {
            let Some(name) = self.inner(name) else { return Ok(None) };
            let tool = self.provider.find(cx, name).await?;
            Ok(tool.map(|tool| Tool { name: self.outer(&tool.name), ..tool }))
        })
    }

    fn call<'a>(
        &'a self,
        cx: &'a Context,
        name: &'a str,
        arguments: &'a RawValue,
    ) -> BoxFuture<'a, Result<ToolResult, ToolError>> {
        self.provider.call(cx, self.inner(name).unwrap_or(name), arguments)
    }

    fn changes(&self) -> bool {
        self.provider.changes()
    }

    fn connect(&self, changes: &Changes) {
        self.provider.connect(changes);
    }
}

impl PromptProvider for Prefixed<dyn PromptProvider> {
    fn list<'a>(&'a self, cx: &'a Context, cursor: Option<&'a str>) -> BoxFuture<'a, Result<Page<Prompt>, ToolError>> {
        Box::pin(async move {
            let mut page = self.provider.list(cx, cursor).await?;
            page.items.iter_mut().for_each(|prompt| prompt.name = self.outer(&prompt.name));
            Ok(page)
        })
    }

    fn find<'a>(&'a self, cx: &'a Context, name: &'a str) -> BoxFuture<'a, Result<Option<Prompt>, ToolError>> {
        Box::pin(async move {
            let Some(name) = self.inner(name) else { return Ok(None) };
            let prompt = self.provider.find(cx, name).await?;
            Ok(prompt.map(|prompt| Prompt { name: self.outer(&prompt.name), ..prompt }))
        })
    }

    fn get<'a>(
        &'a self,
        cx: &'a Context,
        name: &'a str,
        arguments: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<PromptResult, ToolError>> {
        self.provider.get(cx, self.inner(name).unwrap_or(name), arguments)
    }

    fn complete<'a>(
        &'a self,
        cx: &'a Context,
        name: &'a str,
        argument: &'a str,
        value: &'a str,
        known: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Completion, ToolError>> {
        self.provider.complete(cx, self.inner(name).unwrap_or(name), argument, value, known)
    }

    fn changes(&self) -> bool {
        self.provider.changes()
    }

    fn connect(&self, changes: &Changes) {
        self.provider.connect(changes);
    }
}
