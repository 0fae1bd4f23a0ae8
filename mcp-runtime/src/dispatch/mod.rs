//! An operation, answered.
//!
//! Takes: a [`Call`]. Gives: an [`Outcome`] or a [`Fault`]. Knows: functions, drafts of session state, when to run again.
//! Must not know: revisions, headers, bytes on a wire.

mod catalogue;
mod completion;
mod cookies;
mod list;
mod position;
mod prompts;
mod provided;
mod resources;
mod run;
mod tasks;
mod tools;
mod visibility;

use std::sync::{Arc, Weak};

pub(crate) use catalogue::{Catalogue, Described, Indescribable};
pub(crate) use provided::Kept;
use provided::guarded_quiet;

use run::Stop;

use crate::{
    call::{Call, Carrier, Fault, Offered, Operation, Outcome, ToolError, Visible, chain},
    middleware::{End, Middleware, Next},
    provider::Providers,
    service::{BoxFuture, Service},
    session::{SessionRoom, StateRoom},
    tasks::TaskRoom,
    wire::Code,
};

/// What dispatching works with.
pub(crate) struct Dispatch {
    pub(crate) service: Arc<dyn Service>,
    pub(crate) sessions: Arc<SessionRoom>,
    pub(crate) state: StateRoom,
    /// What is known of the declared functions.
    pub(crate) catalogue: Catalogue,
    /// How handles are spoken of.
    pub(crate) handles: Handles,
    /// What the server offers at all.
    pub(crate) offered: Offered,
    /// What is not known at compile time.
    pub(crate) providers: Providers,
    /// The schemas of provided tools.
    pub(crate) kept: Kept,
    /// Who may know of what; everybody of everything without it.
    pub(crate) visible: Option<Visible>,
    /// So many things are on one page of a list.
    pub(crate) page_size: usize,
    /// What stands around every operation.
    pub(crate) middleware: Vec<Arc<dyn Middleware>>,
    /// Calls that outlive their requests.
    pub(crate) tasks: Arc<TaskRoom>,
    /// Itself, for those calls.
    pub(crate) me: Weak<Dispatch>,
}

/// How handles are spoken of.
#[derive(Clone, Copy)]
pub(crate) struct Handles {
    /// The argument that carries one.
    pub(crate) argument: &'static str,
    /// The tool that mints one.
    pub(crate) minting_tool: &'static str,
    /// Whether there is anything that a handle could name.
    pub(crate) offered: bool,
}

impl Dispatch {
    /// Answers one operation, through whatever stands around it, or stops with what has to be asked before.
    pub(crate) async fn dispatch(&self, call: &mut Call) -> Result<Outcome, Fault> {
        if self.middleware.is_empty() && call.context.cookies().is_none() {
            self.operation(call).await
        } else {
            Box::pin(self.wrapped(call)).await
        }
    }

    /// Answers an operation in the session of its cookie, and as what stands around it wants.
    async fn wrapped(&self, call: &mut Call) -> Result<Outcome, Fault> {
        self.use_cookie(call).await?;
        if self.middleware.is_empty() {
            return self.operation(call).await;
        }
        let of_tool = matches!(call.operation, Operation::CallTool { .. });
        let answer = guarded_quiet("a middleware", Next::new(&self.middleware, self, call).run()).await??;
        if !answer.answers(of_tool) {
            tracing::error!("a middleware answered a method with the result of another");
            return Err(Fault::internal());
        }
        Ok(answer.into_outcome())
    }

    /// Answers one operation.
    async fn operation(&self, call: &mut Call) -> Result<Outcome, Fault> {
        let Call { operation, carrier, context } = call;
        let outcome = match operation {
            Operation::CallTool { name, arguments } => self.call_tool(name, arguments, carrier, context).await,
            // What is rarer than a tool's call is boxed, so that the future of every call stays small.
            Operation::List { list, cursor } => match self.whole_list(*list, cursor.as_deref(), carrier) {
                Some(outcome) => Ok(outcome),
                None => Box::pin(self.list(*list, cursor.as_deref(), carrier, context)).await.map_err(Stop::Failed),
            },
            Operation::GetPrompt { name, arguments } => {
                Box::pin(self.get_prompt(name, arguments, carrier, context)).await
            }
            Operation::ReadResource { uri } => Box::pin(self.read_resource(uri, carrier, context)).await,
            Operation::Complete(what) => Box::pin(self.complete(what, carrier, context)).await,
            Operation::Task(call) => Box::pin(self.task(call, carrier, context)).await,
            Operation::Session(asked) => Box::pin(self.session(asked, context)).await,
        };
        // What stands around an operation can't stop to ask: it would not be polled again.
        context.set_may_ask(false);
        match outcome {
            Ok(outcome) => Ok(outcome),
            Err(Stop::Failed(fault)) => Err(fault),
            Err(Stop::Asked) => context.take_questions().unwrap_or_else(|| Err(Fault::internal())).map(Outcome::Ask),
        }
    }

    /// Whether handles carry the state of this call.
    fn by_handle(&self, carrier: &Carrier) -> bool {
        *carrier == Carrier::Handle && self.handles.offered
    }
}

impl End for Dispatch {
    fn answer<'a>(&'a self, call: &'a mut Call) -> BoxFuture<'a, Result<Outcome, Fault>> {
        Box::pin(self.operation(call))
    }
}

/// The method belongs to a capability that this server does not have.
fn method_not_found() -> Fault {
    Fault::new(Code::METHOD_NOT_FOUND, "Method not found")
}

/// A refusal where there is no result for the model to read.
fn refused_as_fault(refusal: &ToolError) -> Fault {
    if refusal.is_internal() {
        Fault::new(Code::INTERNAL_ERROR, refusal.message())
    } else {
        Fault::new(Code::INVALID_PARAMS, refusal.message())
    }
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> Fault {
    tracing::error!(error = %chain(error), "sessions are unavailable");
    Fault::unavailable()
}

fn internal(what: &str, error: &(dyn std::error::Error + 'static)) -> Fault {
    tracing::error!(error = %chain(error), "{what} failed");
    Fault::internal()
}

/// A name as it may be repeated to whoever sent it.
fn abridged(name: &str) -> &str {
    let end = (0..=name.len().min(128)).rev().find(|&end| name.is_char_boundary(end)).unwrap_or(0);
    &name[..end]
}
