//! A line in the log for each operation.

use std::time::Instant;

use super::{Answer, Middleware, Next};
use crate::{
    call::{Fault, Item},
    service::BoxFuture,
};

/// So many bytes of a name that a client sent are logged.
const LONGEST: usize = 128;

/// Writes a line to the log (`tracing`, level `INFO`) for each operation: what was asked for, by whom, how it ended, how
/// long it took. Never the arguments and results, which may hold what nobody else should read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Logging;

impl Middleware for Logging {
    fn handle<'a>(&'a self, next: Next<'a>) -> BoxFuture<'a, Result<Answer, Fault>> {
        Box::pin(async move {
            let begun = Instant::now();
            let method = next.method();
            let name: Option<Box<str>> = next.item().map(|item| shortened(name(item)).into());
            let subject = next.context().principal().map(|principal| principal.subject.clone());
            let session: Option<Box<str>> = next.context().session_label().map(|session| session.into_owned().into());
            let answer = next.run().await;
            let ended = match &answer {
                Ok(answer) if answer.is_error() => "refused",
                Ok(_) => "done",
                Err(_) => "failed",
            };
            let code = answer.as_ref().err().map(|fault| fault.code.0);
            let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            // Names and subjects are a peer's words: shown with their control characters escaped.
            tracing::info!(method, name = ?name, subject = ?subject, session, ended, code, micros, "operation");
            answer
        })
    }
}

fn name<'a>(item: Item<'a>) -> &'a str {
    match item {
        Item::Tool(name) | Item::Prompt(name) | Item::Resource(name) | Item::Template(name) => name,
    }
}

fn shortened(name: &str) -> &str {
    let end = (0..=name.len().min(LONGEST)).rev().find(|&end| name.is_char_boundary(end)).unwrap_or(0);
    &name[..end]
}
