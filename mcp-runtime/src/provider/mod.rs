//! Tools, resources and prompts that are not known at compile time: what is asked for each request.
//!
//! Takes: a request's context, names, cursors. Gives: pages of what there is, and what a call of it gives back. Knows: who
//! asks. Must not know: revisions, how pages are joined, what was declared.

mod completions;
#[cfg(feature = "files")]
#[cfg_attr(docsrs, doc(cfg(feature = "files")))]
pub mod files;
mod prefixed;
mod prompt_set;
mod resource_set;
mod set;
mod tool_set;

use std::{collections::BTreeMap, fmt, sync::Arc};

use prefixed::Prefixed;
use serde_json::value::RawValue;

pub use self::{prompt_set::PromptSet, resource_set::ResourceSet, set::SetError, tool_set::ToolSet};
use crate::{
    auth::Principal,
    call::{Completion, Context, PromptResult, ResourceResult, ToolError, ToolResult},
    changes::{Changes, ListChanges},
    protocol::{Prompt, Resource, ResourceTemplate, Tool},
    service::BoxFuture,
};

/// A page of what a provider has.
///
/// # Shape
/// An empty `next` is a cursor like any other; only `None` is the end.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the list goes on, at most 2048 bytes of the provider's own choice; clients get it sealed. `None` at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The last page: these, and the end.
    pub fn last(items: impl IntoIterator<Item = T>) -> Self {
        Self { items: items.into_iter().collect(), next: None }
    }

    /// A page behind which the list goes on at `next`.
    pub fn more(items: impl IntoIterator<Item = T>, next: impl Into<String>) -> Self {
        Self { items: items.into_iter().collect(), next: Some(next.into()) }
    }
}

/// Tools that are not known at compile time: [`Server::tools`](crate::Server::tools).
///
/// Each method sees the [`Context`] of its request, so it may answer each [principal](Context::principal) differently. A
/// panic fails its request alone.
pub trait ToolProvider: Send + Sync + 'static {
    /// A page of the tools that this caller has, from `cursor` on: a [`Page::next`] of an earlier page of the same caller.
    ///
    /// A tool that no client could use (a name with other characters than letters, digits and `_-.`, a schema that is no
    /// object's) is left out, and the log says why; so is one whose name a declared tool has.
    ///
    /// # Errors
    /// [`ToolError`]: -32603 with its text.
    fn list<'a>(&'a self, cx: &'a Context, cursor: Option<&'a str>) -> BoxFuture<'a, Result<Page<Tool>, ToolError>>;

    /// The tool of this name, if this caller has it: `None` passes the call on to the next provider.
    ///
    /// By default [`list`](Self::list) is searched, at most 100 pages of it: whoever can look a name up should.
    ///
    /// # Errors
    /// [`ToolError`], for the model to read.
    fn find<'a>(&'a self, cx: &'a Context, name: &'a str) -> BoxFuture<'a, Result<Option<Tool>, ToolError>> {
        Box::pin(async move {
            let mut cursor = None;
            for _ in 0..MOST_PAGES {
                let page = self.list(cx, cursor.as_deref()).await?;
                if let Some(tool) = page.items.into_iter().find(|tool| tool.name == name) {
                    return Ok(Some(tool));
                }
                let Some(next) = page.next else { break };
                cursor = Some(next);
            }
            Ok(None)
        })
    }

    /// Calls a tool that [`find`](Self::find) gave. `arguments` are an object that the tool's input schema accepts.
    ///
    /// # Errors
    /// [`ToolError`], for the model to read.
    fn call<'a>(
        &'a self,
        cx: &'a Context,
        name: &'a str,
        arguments: &'a RawValue,
    ) -> BoxFuture<'a, Result<ToolResult, ToolError>>;

    /// Whether the list can become another one while the server runs, for the same caller; by default it can't. Clients are
    /// promised news of it then (`listChanged`), and the provider announces them: see [`connect`](Self::connect).
    fn changes(&self) -> bool {
        false
    }

    /// The server starts, and this is where the provider announces that the list is another one now:
    /// [`Changes::tools_changed`]. Called once for each server that has the provider, before the first request. By default
    /// nothing happens.
    fn connect(&self, changes: &Changes) {
        let _ = changes;
    }
}

/// Resources that are not known at compile time: [`Server::resources`](crate::Server::resources).
///
/// As with [`ToolProvider`], each method sees the [`Context`] of its request.
pub trait ResourceProvider: Send + Sync + 'static {
    /// A page of the resources that this caller has, from `cursor` on.
    ///
    /// # Errors
    /// [`ToolError`]: -32603 with its text.
    fn list<'a>(&'a self, cx: &'a Context, cursor: Option<&'a str>)
    -> BoxFuture<'a, Result<Page<Resource>, ToolError>>;

    /// A page of the templates that this caller has, from `cursor` on; by default there are none.
    ///
    /// # Errors
    /// [`ToolError`]: -32603 with its text.
    fn templates<'a>(
        &'a self,
        cx: &'a Context,
        cursor: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Page<ResourceTemplate>, ToolError>> {
        let _ = (cx, cursor);
        Box::pin(async { Ok(Page::last([])) })
    }

    /// Reads the resource of this URI, exactly as the client wrote it: [`ResourceResult::NotFound`] passes it on to the
    /// next provider, for one that is not this provider's and for one that the caller may not know of.
    /// [`ResourceResult::cached`] says how long it may be kept; without that, nobody keeps it.
    ///
    /// # Errors
    /// [`ToolError`]: -32602 with its text, or -32603 when it is masked.
    fn read<'a>(&'a self, cx: &'a Context, uri: &'a str) -> BoxFuture<'a, Result<ResourceResult, ToolError>>;

    /// Whether this caller, subscribed to it or to something that it is a part of, may be told that the resource of this URI
    /// changed; by default everybody may. A provider that reads something for one caller and not for another says so here,
    /// and `true` of what is not its own. Asked at each announcement for each subscriber: answer from memory. A panic hides.
    ///
    /// # Source
    /// Our choice, because news of a resource say that it is there.
    fn shows(&self, principal: Option<&Principal>, uri: &str) -> bool {
        let _ = (principal, uri);
        true
    }

    /// How a variable of the template with this text may go on: the values that fit what was typed, the most fitting first. `known` are the variables that
    /// the client knows already. By default nothing is known of any.
    ///
    /// # Errors
    /// [`ToolError`]: -32602 with its text, or -32603 when it is masked.
    fn complete<'a>(
        &'a self,
        cx: &'a Context,
        template: &'a str,
        variable: &'a str,
        value: &'a str,
        known: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Completion, ToolError>> {
        let _ = (cx, template, variable, value, known);
        Box::pin(async { Ok(Completion::default()) })
    }

    /// Whether the list can become another one while the server runs, for the same caller; by default it can't. Clients are
    /// promised news of it then (`listChanged`), and the provider announces them: see [`connect`](Self::connect).
    fn changes(&self) -> bool {
        false
    }

    /// The server starts, and this is where the provider announces that the list is another one now:
    /// [`Changes::resources_changed`]. Called once for each server that has the provider, before the first request. By default
    /// nothing happens.
    fn connect(&self, changes: &Changes) {
        let _ = changes;
    }
}

/// Prompts that are not known at compile time: [`Server::prompts`](crate::Server::prompts).
///
/// As with [`ToolProvider`], each method sees the [`Context`] of its request.
pub trait PromptProvider: Send + Sync + 'static {
    /// A page of the prompts that this caller has, from `cursor` on.
    ///
    /// # Errors
    /// [`ToolError`]: -32603 with its text.
    fn list<'a>(&'a self, cx: &'a Context, cursor: Option<&'a str>) -> BoxFuture<'a, Result<Page<Prompt>, ToolError>>;

    /// The prompt of this name, if this caller has it: `None` passes the request on to the next provider.
    ///
    /// By default [`list`](Self::list) is searched, at most 100 pages of it: whoever can look a name up should.
    ///
    /// # Errors
    /// [`ToolError`]: -32602 with its text, or -32603 when it is masked.
    fn find<'a>(&'a self, cx: &'a Context, name: &'a str) -> BoxFuture<'a, Result<Option<Prompt>, ToolError>> {
        Box::pin(async move {
            let mut cursor = None;
            for _ in 0..MOST_PAGES {
                let page = self.list(cx, cursor.as_deref()).await?;
                if let Some(prompt) = page.items.into_iter().find(|prompt| prompt.name == name) {
                    return Ok(Some(prompt));
                }
                let Some(next) = page.next else { break };
                cursor = Some(next);
            }
            Ok(None)
        })
    }

    /// Fills in a prompt that [`find`](Self::find) gave. `arguments` are those that the prompt has, the required ones among
    /// them.
    ///
    /// # Errors
    /// [`ToolError`]: -32602 with its text, or -32603 when it is masked.
    fn get<'a>(
        &'a self,
        cx: &'a Context,
        name: &'a str,
        arguments: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<PromptResult, ToolError>>;

    /// How an argument of the prompt of this name may go on: the values that fit what was typed, the most fitting first. `known` are the arguments that
    /// the client knows already. By default nothing is known of any.
    ///
    /// # Errors
    /// [`ToolError`]: -32602 with its text, or -32603 when it is masked.
    fn complete<'a>(
        &'a self,
        cx: &'a Context,
        name: &'a str,
        argument: &'a str,
        value: &'a str,
        known: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Completion, ToolError>> {
        let _ = (cx, name, argument, value, known);
        Box::pin(async { Ok(Completion::default()) })
    }

    /// Whether the list can become another one while the server runs, for the same caller; by default it can't. Clients are
    /// promised news of it then (`listChanged`), and the provider announces them: see [`connect`](Self::connect).
    fn changes(&self) -> bool {
        false
    }

    /// The server starts, and this is where the provider announces that the list is another one now:
    /// [`Changes::prompts_changed`]. Called once for each server that has the provider, before the first request. By default
    /// nothing happens.
    fn connect(&self, changes: &Changes) {
        let _ = changes;
    }
}

/// A name is searched on at most so many pages.
pub(crate) const MOST_PAGES: usize = 100;

/// All providers of a server, in the order in which they are asked.
#[derive(Clone, Default)]
pub(crate) struct Providers {
    pub(crate) tools: Vec<Arc<dyn ToolProvider>>,
    pub(crate) resources: Vec<Arc<dyn ResourceProvider>>,
    pub(crate) prompts: Vec<Arc<dyn PromptProvider>>,
}

impl Providers {
    /// Which lists can become others while the server runs.
    pub(crate) fn changing(&self) -> ListChanges {
        ListChanges {
            tools: self.tools.iter().any(|provider| provider.changes()),
            prompts: self.prompts.iter().any(|provider| provider.changes()),
            resources: self.resources.iter().any(|provider| provider.changes()),
        }
    }

    /// Tells all of them where to announce.
    pub(crate) fn connect(&self, changes: &Changes) {
        self.tools.iter().for_each(|provider| provider.connect(changes));
        self.prompts.iter().for_each(|provider| provider.connect(changes));
        self.resources.iter().for_each(|provider| provider.connect(changes));
    }

    /// All of them, with tools and prompts under a prefix; resources keep their URIs.
    pub(crate) fn under(self, prefix: &str) -> Self {
        fn all<P: ?Sized>(providers: Vec<Arc<P>>, prefix: &str) -> impl Iterator<Item = Prefixed<P>> {
            providers.into_iter().map(|provider| Prefixed { prefix: prefix.to_owned(), provider })
        }
        Self {
            tools: all(self.tools, prefix).map(|provider| Arc::new(provider) as Arc<dyn ToolProvider>).collect(),
            resources: self.resources,
            prompts: all(self.prompts, prefix).map(|provider| Arc::new(provider) as Arc<dyn PromptProvider>).collect(),
        }
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [self.tools.len(), self.resources.len(), self.prompts.len()];
        formatter.debug_tuple("Providers").field(&counts).finish()
    }
}

/// Whether a URI begins with a scheme, as clients want it.
pub(crate) fn has_scheme(uri: &str) -> bool {
    let legal = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    uri.split_once(':').is_some_and(|(scheme, _)| legal(scheme))
}
