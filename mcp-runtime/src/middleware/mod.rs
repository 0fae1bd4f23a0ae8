//! What stands around every operation: logging, timing, limits, and what users write.
//!
//! Takes: a call on its way. Gives: its answer, or another one. Knows: what is asked for, and by whom. Must not know: how it
//! is answered, revisions.

mod answer;
mod logging;
mod rate_limit;
mod timing;

use std::sync::Arc;

pub use self::{
    answer::Answer,
    logging::Logging,
    rate_limit::RateLimit,
    timing::{Timed, Timing},
};
use crate::{
    call::{Call, Context, Fault, Item, Operation, Outcome, Reference},
    service::BoxFuture,
};

/// Something that stands around every operation: [`Server::wrap`](crate::Server::wrap).
///
/// It sees calls of tools, prompts, resources, completions and lists, in every revision and over every transport; not the
/// handshake, not `ping` and `server/discover`, which ask for nothing of the server's own. For HTTP itself there is
/// [`Server::layer`](crate::Server::layer).
///
/// A function that asks the client runs again with the answers, and what stands around it runs again with it: a limit counts
/// each run.
///
/// Of a call that becomes a task it sees the request that makes the task, and each by which the client looks, answers or
/// cancels; not the run of the function, which belongs to no request: a timing is that of making the task, a limit counts
/// the tasks that are made. How many run at once is limited by [`Tasks`](crate::Tasks).
///
/// A panic fails its request alone, with -32603.
pub trait Middleware: Send + Sync + 'static {
    /// Answers an operation: with what [`Next::run`] gives, or without running it.
    ///
    /// # Errors
    /// [`Fault`]: a JSON-RPC error for the client's program. What the model shall read is an
    /// [`Answer::tool_error`] instead.
    fn handle<'a>(&'a self, next: Next<'a>) -> BoxFuture<'a, Result<Answer, Fault>>;
}

/// An operation on its way, and the rest of that way.
pub struct Next<'a> {
    rest: &'a [Arc<dyn Middleware>],
    end: &'a dyn End,
    call: &'a mut Call,
}

/// The end of the way: what answers the operation itself.
pub(crate) trait End: Sync {
    fn answer<'a>(&'a self, call: &'a mut Call) -> BoxFuture<'a, Result<Outcome, Fault>>;
}

impl<'a> Next<'a> {
    /// The whole way; the last of `rest` sees the call first.
    pub(crate) fn new(rest: &'a [Arc<dyn Middleware>], end: &'a dyn End, call: &'a mut Call) -> Self {
        Self { rest, end, call }
    }

    /// The method, as it is on the wire: `tools/call`.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.call.operation.method()
    }

    /// What is asked for, by the name that the client gave: it need not exist, and it may be long. `None` for lists and
    /// tasks.
    #[must_use]
    pub fn item(&self) -> Option<Item<'_>> {
        match &self.call.operation {
            Operation::CallTool { name, .. } => Some(Item::Tool(name)),
            Operation::GetPrompt { name, .. } => Some(Item::Prompt(name)),
            Operation::ReadResource { uri } => Some(Item::Resource(uri)),
            Operation::Complete(what) => Some(match &what.reference {
                Reference::Prompt(name) => Item::Prompt(name),
                Reference::Resource(uri) => Item::Template(uri),
            }),
            Operation::List { .. } | Operation::Task(_) | Operation::Session(_) => None,
        }
    }

    /// The arguments of a tool or prompt: a JSON object as text, not yet checked.
    #[must_use]
    pub fn arguments(&self) -> Option<&str> {
        match &self.call.operation {
            Operation::CallTool { arguments, .. } | Operation::GetPrompt { arguments, .. } => Some(arguments.as_str()),
            _ => None,
        }
    }

    /// The request.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.call.context
    }

    /// Runs what is behind: the next middleware, or the operation itself.
    ///
    /// # Errors
    /// [`Fault`]: the operation failed as protocol.
    #[must_use]
    pub fn run(self) -> BoxFuture<'a, Result<Answer, Fault>> {
        match self.rest.split_last() {
            Some((next, rest)) => next.handle(Next { rest, ..self }),
            None => Box::pin(async move { self.end.answer(self.call).await.map(Answer::new) }),
        }
    }
}
