//! What a server has beyond its declaration: providers, and who may know of what.

use std::{sync::Arc, time::Duration};

use super::Server;
#[cfg(feature = "providers")]
use crate::provider::ToolProvider;
use crate::{
    auth::Principal,
    call::Item,
    provider::{PromptProvider, ResourceProvider},
};

impl Server {
    /// Adds tools that are not known at compile time, behind the declared ones and those of earlier providers. Their
    /// arguments are held against their input schemas before they are called.
    ///
    /// Needs the feature `providers`, which brings a validator of all of JSON Schema along.
    #[cfg(feature = "providers")]
    #[cfg_attr(docsrs, doc(cfg(feature = "providers")))]
    pub fn tools(mut self, provider: impl ToolProvider) -> Self {
        self.providers.tools.push(Arc::new(provider));
        self
    }

    /// Adds resources that are not known at compile time, behind the declared ones and those of earlier providers.
    pub fn resources(mut self, provider: impl ResourceProvider) -> Self {
        self.providers.resources.push(Arc::new(provider));
        self
    }

    /// Adds prompts that are not known at compile time, behind the declared ones and those of earlier providers.
    pub fn prompts(mut self, provider: impl PromptProvider) -> Self {
        self.providers.prompts.push(Arc::new(provider));
        self
    }

    /// How many things one page of a list holds, by default 1000; at least 1. Many clients read the first page alone.
    ///
    /// # Source
    /// 2026-07-28 server/utilities/pagination: the server chooses the size.
    pub fn page_size(mut self, size: usize) -> Self {
        self.page_size = Some(size.max(1));
        self
    }

    /// How long clients may keep the lists of tools, prompts and resources, in the place of what was declared
    /// (`list_ttl` of `#[mcp_server]`); by default nobody keeps them. Lists that have a provider's part are never shared.
    ///
    /// # Source
    /// 2026-07-28 server/utilities/caching; older revisions are told nothing.
    pub fn list_ttl(mut self, ttl: Duration) -> Self {
        self.list_ttl = Some(ttl);
        self
    }

    /// Says who may know of what. A tool, prompt, resource or template for which `visible` is false is listed nowhere, and
    /// asking for it is answered like asking for one that does not exist. Called for each item of each request: answer
    /// from memory. A filter that panics hides.
    ///
    /// Whoever subscribes to a resource that is hidden gets the answer of one that is not there yet, and is not told that it
    /// changes: that is asked when a change is announced, and again when it is told.
    ///
    /// A resource of a template is asked for twice: as the template, and as the resource of its URI. The tool that opens a
    /// session for handles is the framework's own and always there. A server whose caches are public does not start with a
    /// filter.
    pub fn visible(mut self, visible: impl Fn(Option<&Principal>, Item<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.visible = Some(Arc::new(visible));
        self
    }
}
