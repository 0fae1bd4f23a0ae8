//! Resources that can be added and removed while the server runs.

use std::{collections::BTreeMap, fmt, future::Future, sync::Arc};

use super::{
    Page, ResourceProvider, SetError, has_scheme,
    set::{Held, Set},
};
use crate::{
    call::{Context, ResourceResult, ToolError},
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
        self.0.templates.insert(template.uri_template.clone(), Family { template, uris, handler })
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
            // What was read says its type, if the resource says one.
            Ok(match (result, mime_type) {
                (ResourceResult::Text(text) | ResourceResult::Json(text), Some(kind)) => {
                    ResourceResult::Contents(vec![ResourceContents::text(uri, kind, text)])
                }
                (ResourceResult::Blob(bytes), Some(kind)) => {
                    ResourceResult::Contents(vec![ResourceContents::blob(uri, kind, bytes)])
                }
                (result, _) => result,
            })
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
