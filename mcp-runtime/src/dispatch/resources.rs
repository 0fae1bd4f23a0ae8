//! Resources, read.

use super::{
    Dispatch, refused_as_fault,
    run::{Calling, Resource, Stop},
};
use crate::{
    call::{Carrier, Context, Fault, Item, Outcome, ResourceResult},
    protocol::{CacheHint, ResourceContents, plainly_spelled},
    wire::Raw,
};

impl Dispatch {
    /// Reads a resource: the one of this URI, or else of the first template that it fits.
    pub(super) async fn read_resource(
        &self,
        asked: &str,
        carrier: &Carrier,
        cx: &mut Context,
    ) -> Result<Outcome, Stop> {
        // Whatever decides by the URI who may read it sees each in one spelling.
        let plain = plainly_spelled(asked);
        let uri = &*plain;
        let handles = self.by_handle(carrier);
        let located = self.catalogue.locate(uri, handles);
        let shown = |index: usize| {
            let spelled = self.catalogue.spelled(index, uri, handles);
            self.shows_resource(index, spelled.as_deref().unwrap_or(uri), cx.principal())
        };
        let Some((index, variables)) = located.filter(|(index, _)| shown(*index)) else {
            if self.shows(Item::Resource(uri), cx)
                && let Some(outcome) = self.read_provided_resource(uri, cx).await?
            {
                return Ok(outcome);
            }
            return Err(Fault::resource_not_found(asked).into());
        };
        let Some((resource, checks)) = self.catalogue.resource(index) else { return Err(Fault::internal().into()) };
        let arguments = Raw::from(&*variables);
        let calling =
            Calling { function: Resource(index), card: &resource.function, checks, arguments: &arguments, carrier };
        let result = self.call(calling, cx).await?.map_err(|refusal| refused_as_fault(&refusal))?;
        let (result, said) = result.split();
        let contents = contents(asked, resource.mime_type, result).ok_or_else(|| Fault::resource_not_found(asked))?;
        Ok(Outcome::Resource { contents, cache: self.cache_of_read(said.unwrap_or(resource.cache), cx) })
    }

    /// How long and by whom what was read may be kept, if this is what it says.
    pub(super) fn cache_of_read(&self, said: CacheHint, cx: &Context) -> CacheHint {
        // What the client was asked for is not in the request by which it could be found again.
        if cx.answers().is_some() {
            return CacheHint::NONE;
        }
        // Who may know of it is asked anew each time: what was shared could not be taken back.
        CacheHint { public: said.public && self.visible.is_none(), ..said }
    }
}

/// What was read, under the URI that was asked for and of the type that is known of it; `None` where there is no such
/// resource.
pub(super) fn contents(uri: &str, mime_type: Option<&str>, result: ResourceResult) -> Option<Vec<ResourceContents>> {
    match result {
        ResourceResult::Text(text) => Some(vec![ResourceContents::text(uri, mime_type.unwrap_or("text/plain"), text)]),
        ResourceResult::Blob(bytes) => {
            Some(vec![ResourceContents::blob(uri, mime_type.unwrap_or("application/octet-stream"), bytes)])
        }
        ResourceResult::Json(text) => {
            Some(vec![ResourceContents::text(uri, mime_type.unwrap_or("application/json"), text)])
        }
        // Nothing is never the contents of something that exists.
        ResourceResult::Contents(contents) => Some(contents).filter(|contents| !contents.is_empty()),
        ResourceResult::NotFound => None,
        ResourceResult::Cached { result, .. } => contents(uri, mime_type, *result),
    }
}
