//! Resources that can be added and removed while the server runs.

use std::{collections::BTreeMap, fmt, future::Future, sync::Arc};

use super::{
    Page, ResourceProvider, SetError,
    completions::Completions,
    has_scheme,
    set::{Held, Set},
};
use crate::{
    call::{Completion, Context, ResourceResult, ToolError},
    changes::Changes,
    protocol::{Resource, ResourceContents, ResourceTemplate, UriTemplate},
    service::BoxFuture,
};

/// Resources and templates of them that can be added and removed while the server runs. Cheap to clone: the program keeps
/// one clone, the server gets another with [`Server::resources`](crate::Server::resources). Clients that asked for news of
/// the list are told of each change, and those that subscribed to a resource, that another one took its place.
#[derive(Clone, Default)]
pub struct ResourceSet(Arc<Inner>);

#[derive(Default)]
struct Inner {
    resources: Set<Entry>,
    templates: Set<Family>,
}

type Handler = dyn Fn(BTreeMap<String, String>) -> BoxFuture<'static, Result<ResourceResult, ToolError>> + Send + Sync;

struct Entry {
    resource: Resource,
    handler: Box<Handler>,
}

struct Family {
    template: ResourceTemplate,
    uris: UriTemplate,
    handler: Box<Handler>,
    completions: Completions,
}

impl Held for Entry {
    fn announce(changes: &Changes, uri: &str, replaced: bool) {
        changes.resources_changed();
        // What stands in its place reads otherwise.
        if replaced {
            changes.resource_updated(uri);
        }
    }
}

impl Held for Family {
    fn announce(changes: &Changes, _: &str, _: bool) {
        changes.resources_changed();
    }
}

impl ResourceSet {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a resource, in the place of one of the same URI. The handler reads it.
    ///
    /// # Errors
    /// [`SetError`]: a URI without a scheme; a full set.
    pub fn add<F, R>(&self, resource: Resource, handler: F) -> Result<(), SetError>
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<ResourceResult, ToolError>> + Send + 'static,
    {
        check_scheme(&resource.uri)?;
        let handler = Box::new(move |_| -> BoxFuture<'static, _> { Box::pin(handler()) });
        self.0.resources.insert(resource.uri.clone(), Entry { resource, handler })
    }

    /// Adds a resource that is this text.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_text(&self, resource: Resource, text: impl Into<Arc<str>>) -> Result<(), SetError> {
        let text = text.into();
        self.add(resource, move || {
            let text = text.to_string();
            async move { Ok(ResourceResult::Text(text)) }
        })
    }

    /// Adds a family of resources, in the place of one with the same template. The handler gets the variables of the URI by
    /// name.
    ///
    /// # Errors
    /// [`SetError`]: a template that can't be read; a full set.
    pub fn add_template<F, R>(&self, template: ResourceTemplate, handler: F) -> Result<(), SetError>
    where
        F: Fn(BTreeMap<String, String>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<ResourceResult, ToolError>> + Send + 'static,
    {
        check_scheme(&template.uri_template)?;
        let uris = UriTemplate::parse(&template.uri_template)
            .map_err(|error| SetError(format!("the template `{}`: {error}", template.uri_template)))?;
        let handler = Box::new(move |variables| -> BoxFuture<'static, _> { Box::pin(handler(variables)) });
        let family = Family { template, uris, handler, completions: Completions::default() };
        self.0.templates.insert(family.template.uri_template.clone(), family)
    }

    /// Completes a variable of a template that was added: the handler gets what was typed so far and the variables that the
    /// client knows already. It goes when the template is removed or another one takes its place.
    ///
    /// # Errors
    /// [`SetError`]: no such template; no such variable of it.
    pub fn add_completion<F, R>(&self, template: &str, variable: &str, handler: F) -> Result<(), SetError>
    where
        F: Fn(String, BTreeMap<String, String>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Completion, ToolError>> + Send + 'static,
    {
        let family = self.0.templates.get(template);
        let family = family.ok_or_else(|| SetError(format!("there is no template `{template}`: add it first")))?;
        if !family.uris.variables().any(|known| known == variable) {
            return Err(SetError(format!("`{template}` has no variable `{variable}` that could be completed")));
        }
        family.completions.insert(variable.to_owned(), handler);
        Ok(())
    }

    /// Removes the resource of this URI or the family with this template; says whether it was there.
    pub fn remove(&self, uri: &str) -> bool {
        self.0.resources.remove(uri) || self.0.templates.remove(uri)
    }

    /// How many resources and templates there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.resources.len() + self.0.templates.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn check_scheme(uri: &str) -> Result<(), SetError> {
    if has_scheme(uri) {
        return Ok(());
    }
    Err(SetError(format!("`{uri}` is no URI: it begins with a scheme, such as `notes://`")))
}

impl fmt::Debug for ResourceSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ResourceSet").field("resources", &self.len()).finish()
    }
}

impl ResourceProvider for ResourceSet {
    fn list<'a>(&'a self, _: &'a Context, cursor: Option<&'a str>) -> BoxFuture<'a, Result<Page<Resource>, ToolError>> {
        Box::pin(async move { Ok(self.0.resources.page(cursor, |entry| entry.resource.clone())) })
    }

    fn templates<'a>(
        &'a self,
        _: &'a Context,
        cursor: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Page<ResourceTemplate>, ToolError>> {
        Box::pin(async move { Ok(self.0.templates.page(cursor, |family| family.template.clone())) })
    }

    fn read<'a>(&'a self, _: &'a Context, uri: &'a str) -> BoxFuture<'a, Result<ResourceResult, ToolError>> {
        Box::pin(async move {
            let (result, mime_type) = if let Some(entry) = self.0.resources.get(uri) {
                ((entry.handler)(BTreeMap::new()).await?, entry.resource.mime_type.clone())
            } else {
                let fits = |family: &Arc<Family>| {
                    let variables = family.uris.matches(uri)?;
                    let variables = variables.into_iter().map(|(name, value)| (name.to_string(), value));
                    Some((family.clone(), variables.collect()))
                };
                let Some((family, variables)) = self.0.templates.find_map(fits) else {
                    return Ok(ResourceResult::NotFound);
                };
                ((family.handler)(variables).await?, family.template.mime_type.clone())
            };
            let (result, said) = result.split();
            // What was read says its type, if the resource says one.
            let result = match (result, mime_type) {
                (ResourceResult::Text(text) | ResourceResult::Json(text), Some(kind)) => {
                    ResourceResult::Contents(vec![ResourceContents::text(uri, kind, text)])
                }
                (ResourceResult::Blob(bytes), Some(kind)) => {
                    ResourceResult::Contents(vec![ResourceContents::blob(uri, kind, bytes)])
                }
                (result, _) => result,
            };
            Ok(match said {
                Some(cache) => result.cached(cache),
                None => result,
            })
        })
    }

    fn complete<'a>(
        &'a self,
        _: &'a Context,
        template: &'a str,
        variable: &'a str,
        value: &'a str,
        known: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Completion, ToolError>> {
        Box::pin(async move {
            match self.0.templates.get(template) {
                Some(family) => family.completions.run(variable, value, known).await,
                None => Ok(Completion::default()),
            }
        })
    }

    fn changes(&self) -> bool {
        true
    }

    fn connect(&self, changes: &Changes) {
        self.0.resources.connect(changes);
        self.0.templates.connect(changes);
    }
}
