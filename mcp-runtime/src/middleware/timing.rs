//! How long operations take.

use std::time::{Duration, Instant};

use super::{Answer, Middleware, Next};
use crate::{call::Fault, call::Item, service::BoxFuture};

/// Tells a function of yours how long each operation took: what feeds a histogram.
#[derive(Clone, Debug)]
pub struct Timing<F>(F);

/// One operation, timed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Timed<'a> {
    /// The method: `tools/call`.
    pub method: &'static str,
    /// What was asked for, by the client's own word: not fit for the label of a metric before it is known to exist.
    pub item: Option<Item<'a>>,
    /// How long it took, in all that is wrapped.
    pub took: Duration,
    /// It ended well: with a result, and not one of a tool that says no.
    pub succeeded: bool,
}

impl<F: Fn(Timed<'_>) + Send + Sync + 'static> Timing<F> {
    /// Tells this function, which should not wait.
    pub fn new(tell: F) -> Self {
        Self(tell)
    }
}

impl<F: Fn(Timed<'_>) + Send + Sync + 'static> Middleware for Timing<F> {
    fn handle<'a>(&'a self, next: Next<'a>) -> BoxFuture<'a, Result<Answer, Fault>> {
        Box::pin(async move {
            let begun = Instant::now();
            let (method, item) = (next.method(), next.item().map(Owned::of));
            let answer = next.run().await;
            let succeeded = answer.as_ref().is_ok_and(|answer| !answer.is_error());
            let item = item.as_ref().map(Owned::item);
            (self.0)(Timed { method, item, took: begun.elapsed(), succeeded });
            answer
        })
    }
}

/// An item that outlives the call.
pub(super) enum Owned {
    Tool(Box<str>),
    Prompt(Box<str>),
    Resource(Box<str>),
    Template(Box<str>),
}

impl Owned {
    pub(super) fn of(item: Item<'_>) -> Self {
        match item {
            Item::Tool(name) => Self::Tool(name.into()),
            Item::Prompt(name) => Self::Prompt(name.into()),
            Item::Resource(uri) => Self::Resource(uri.into()),
            Item::Template(uri) => Self::Template(uri.into()),
        }
    }

    pub(super) fn item(&self) -> Item<'_> {
        match self {
            Self::Tool(name) => Item::Tool(name),
            Self::Prompt(name) => Item::Prompt(name),
            Self::Resource(uri) => Item::Resource(uri),
            Self::Template(uri) => Item::Template(uri),
        }
    }
}
