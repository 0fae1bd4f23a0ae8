//! How the arguments of something in a container may go on.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    call::{Completion, ToolError},
    service::BoxFuture,
};

type Handler =
    dyn Fn(String, BTreeMap<String, String>) -> BoxFuture<'static, Result<Completion, ToolError>> + Send + Sync;

/// By the name of the argument or variable: what completes it.
#[derive(Default)]
pub(super) struct Completions(RwLock<BTreeMap<String, Arc<Handler>>>);

impl Completions {
    /// Adds one, in the place of another for the same argument.
    pub(super) fn insert<F, R>(&self, argument: String, handler: F)
    where
        F: Fn(String, BTreeMap<String, String>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Completion, ToolError>> + Send + 'static,
    {
        let handler = move |value, known| -> BoxFuture<'static, _> { Box::pin(handler(value, known)) };
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(argument, Arc::new(handler));
    }

    /// The values that fit; none for an argument that nothing completes.
    pub(super) async fn run(
        &self,
        argument: &str,
        value: &str,
        known: &BTreeMap<String, String>,
    ) -> Result<Completion, ToolError> {
        let handler = self.0.read().unwrap_or_else(PoisonError::into_inner).get(argument).cloned();
        match handler {
            Some(handler) => handler(value.to_owned(), known.clone()).await,
            None => Ok(Completion::default()),
        }
    }
}
