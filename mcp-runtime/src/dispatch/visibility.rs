//! Who may know of what.

use std::panic::AssertUnwindSafe;

use super::{Dispatch, run::panicked};
use crate::call::{Context, Item};

impl Dispatch {
    /// Whether the caller may know of this; what it may not know of is answered like what is not there.
    pub(super) fn shows(&self, item: Item<'_>, cx: &Context) -> bool {
        let Some(visible) = &self.visible else { return true };
        // A filter that panics hides.
        std::panic::catch_unwind(AssertUnwindSafe(|| visible(cx.principal(), item))).unwrap_or_else(|panic| {
            panicked("the filter of `visible`", panic);
            false
        })
    }
}
