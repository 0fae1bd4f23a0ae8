//! Resources, read.

use super::{
    Dispatch, method_not_found, refused_as_fault,
    run::{Calling, Resource, Stop},
};
use crate::{
    call::{Carrier, Context, Fault, Item, Outcome, ResourceResult},
    protocol::{CacheHint, ResourceContents},
    service::ResourceCard,
    wire::Raw,
};

impl Dispatch {
    /// Reads a resource: the one of this URI, or else of the first template that it fits.
    pub(super) async fn read_resource(&self, uri: &str, carrier: &Carrier, cx: &mut Context) -> Result<Outcome, Stop> {
        if !self.offered.resources {
            return Err(method_not_found().into());
        }
        let located = self.catalogue.locate(uri, self.by_handle(carrier));
        let Some((index, variables)) = located.filter(|(index, _)| self.shows_resource(*index, uri, cx)) else {
            if self.shows(Item::Resource(uri), cx)
                && let Some(outcome) = self.read_provided_resource(uri, cx).await?
            {
                return Ok(outcome);
            }
            return Err(Fault::resource_not_found(uri).into());
        };
        let Some((resource, checks)) = self.catalogue.resource(index) else { return Err(Fault::internal().into()) };
        let arguments = Raw::from(&*variables);
        let calling =
            Calling { function: Resource(index), card: &resource.function, checks, arguments: &arguments, carrier };
        let result = self.call(calling, cx).await?.map_err(|refusal| refused_as_fault(&refusal))?;
        let contents = contents(uri, resource, result).ok_or_else(|| Fault::resource_not_found(uri))?;
        // What was asked for is not in the request by which it could be found again.
        let cache = if cx.answers().is_some() { CacheHint::NONE } else { resource.cache };
        Ok(Outcome::Resource { contents, cache })
    }

    /// Whether the caller may know of this declared resource; of one that fits a template, it must know both.
    pub(super) fn shows_resource(&self, index: usize, uri: &str, cx: &Context) -> bool {
        let Some((resource, _)) = self.catalogue.resource(index) else { return true };
        if self.catalogue.is_template(index) {
            self.shows(Item::Template(resource.uri), cx) && (uri == resource.uri || self.shows(Item::Resource(uri), cx))
        } else {
            self.shows(Item::Resource(resource.uri), cx)
        }
    }
}

/// What was read, under the URI that was asked for; `None` where there is no such resource.
fn contents(uri: &str, card: &ResourceCard, result: ResourceResult) -> Option<Vec<ResourceContents>> {
    match result {
        ResourceResult::Text(text) => {
            Some(vec![ResourceContents::text(uri, card.mime_type.unwrap_or("text/plain"), text)])
        }
        ResourceResult::Blob(bytes) => {
            Some(vec![ResourceContents::blob(uri, card.mime_type.unwrap_or("application/octet-stream"), bytes)])
        }
        ResourceResult::Json(text) => {
            Some(vec![ResourceContents::text(uri, card.mime_type.unwrap_or("application/json"), text)])
        }
        // Nothing is never the contents of something that exists.
        ResourceResult::Contents(contents) => Some(contents).filter(|contents| !contents.is_empty()),
        ResourceResult::NotFound => None,
    }
}
