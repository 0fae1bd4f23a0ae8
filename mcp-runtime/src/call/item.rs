//! One thing that a server has, by the name under which clients ask for it.

use std::sync::Arc;

use crate::auth::Principal;

/// Says who may know of what.
pub(crate) type Visible = Arc<dyn Fn(Option<&Principal>, Item<'_>) -> bool + Send + Sync>;

/// Says who may be told that the resource of a URI changed.
pub(crate) type Tells = Arc<dyn Fn(Option<&Principal>, &str) -> bool + Send + Sync>;

/// One thing that a server has, by the name under which clients ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Item<'a> {
    /// The tool of this name.
    Tool(&'a str),
    /// The prompt of this name.
    Prompt(&'a str),
    /// The resource of this URI.
    Resource(&'a str),
    /// The template of resources with this text.
    Template(&'a str),
}
