//! Who may know of what.

use std::{panic::AssertUnwindSafe, sync::Arc};

use super::{Dispatch, run::panicked};
use crate::{
    auth::Principal,
    call::{Context, Item, Tells},
};

impl Dispatch {
    /// Whether the caller may know of this; what it may not know of is answered like what is not there.
    pub(super) fn shows(&self, item: Item<'_>, cx: &Context) -> bool {
        self.shows_to(cx.principal(), item)
    }

    fn shows_to(&self, principal: Option<&Principal>, item: Item<'_>) -> bool {
        let Some(visible) = &self.visible else { return true };
        unless_panicked("the filter of `visible`", || visible(principal, item))
    }

    /// Whether somebody may know of this declared resource; of one that fits a template, it must know both.
    pub(super) fn shows_resource(&self, index: usize, uri: &str, principal: Option<&Principal>) -> bool {
        let Some((resource, _)) = self.catalogue.resource(index) else { return true };
        let shows = |item| self.shows_to(principal, item);
        if self.catalogue.is_template(index) {
            shows(Item::Template(resource.uri)) && (uri == resource.uri || shows(Item::Resource(uri)))
        } else {
            shows(Item::Resource(resource.uri))
        }
    }

    /// Who may be told that a resource changed; `None` where everybody may be told of all.
    pub(crate) fn tells(&self) -> Option<Tells> {
        if self.visible.is_none() && self.providers.resources.is_empty() {
            return None;
        }
        let me = self.me.clone();
        Some(Arc::new(move |principal, uri| me.upgrade().is_some_and(|dispatch| dispatch.may_be_told(principal, uri))))
    }

    /// What can be neither listed nor read is no news either, whichever way the state of a session is carried.
    fn may_be_told(&self, principal: Option<&Principal>, uri: &str) -> bool {
        let located = [false, true].map(|handles| self.catalogue.locate(uri, handles));
        if located.iter().any(Option::is_some) {
            return located.iter().flatten().all(|(index, _)| self.shows_resource(*index, uri, principal));
        }
        let mut providers = self.providers.resources.iter();
        self.shows_to(principal, Item::Resource(uri))
            && providers.all(|provider| unless_panicked("a provider's `shows`", || provider.shows(principal, uri)))
    }
}

/// What a filter says; one that panics hides.
fn unless_panicked(what: &str, filter: impl FnOnce() -> bool) -> bool {
    std::panic::catch_unwind(AssertUnwindSafe(filter)).unwrap_or_else(|panic| {
        panicked(what, panic);
        false
    })
}
