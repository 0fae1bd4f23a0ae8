//! A function, run: on a draft of its session where it borrows one, again when the draft lost a race.

use std::{panic::AssertUnwindSafe, task::Poll, time::Duration};

use futures_util::FutureExt;

use super::{Dispatch, Handles, cookies, unavailable};
use crate::{
    call::{
        Carrier, Completion, Context, Fault, NoSession, PromptResult, ResourceResult, ToolError, ToolResult, chain,
    },
    schema::{Arguments, Checks},
    service::{BoxFuture, FunctionCard, Run, Service, boxed},
    session::{Behind, Ended, PartSlot, StateError},
    wire::{Code, Raw},
};

/// A lost race runs the function again, up to so many times in all.
const ATTEMPTS: u32 = 8;

/// A declared function, by its kind and its index in the card.
pub(super) trait Function: Sync {
    /// What it gives back.
    type Output: Send;

    /// Runs it once.
    fn run<'r>(&'r self, service: &'r dyn Service, run: Run<'r>) -> BoxFuture<'r, Result<Self::Output, ToolError>>;

    /// Whether what it gave back is a success, so that its drafts are committed.
    fn succeeded(_: &Self::Output) -> bool {
        true
    }
}

/// A tool's function.
pub(super) struct Tool(pub(super) usize);
/// A prompt's function.
pub(super) struct Prompt(pub(super) usize);
/// A resource's function.
pub(super) struct Resource(pub(super) usize);
/// A completion's function.
pub(super) struct Completer(pub(super) usize);

impl Function for Tool {
    type Output = ToolResult;

    fn run<'r>(&'r self, service: &'r dyn Service, run: Run<'r>) -> BoxFuture<'r, Result<ToolResult, ToolError>> {
        service.call_tool(self.0, run)
    }

    fn succeeded(result: &ToolResult) -> bool {
        !result.is_error
    }
}

impl Function for Prompt {
    type Output = PromptResult;

    fn run<'r>(&'r self, service: &'r dyn Service, run: Run<'r>) -> BoxFuture<'r, Result<PromptResult, ToolError>> {
        service.get_prompt(self.0, run)
    }
}

impl Function for Resource {
    type Output = ResourceResult;

    fn run<'r>(&'r self, service: &'r dyn Service, run: Run<'r>) -> BoxFuture<'r, Result<ResourceResult, ToolError>> {
        service.read_resource(self.0, run)
    }

    fn succeeded(result: &ResourceResult) -> bool {
        !matches!(result, ResourceResult::NotFound)
    }
}

impl Function for Completer {
    type Output = Completion;

    fn run<'r>(&'r self, service: &'r dyn Service, run: Run<'r>) -> BoxFuture<'r, Result<Completion, ToolError>> {
        service.complete(self.0, run)
    }
}

/// Why a call gave nothing, not even a refusal.
pub(super) enum Stop {
    /// It failed as protocol.
    Failed(Fault),
    /// The function stopped to ask: the context has the questions.
    Asked,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

/// What one call of a function works with.
pub(super) struct Calling<'a, F> {
    pub(super) function: F,
    pub(super) card: &'static FunctionCard,
    pub(super) checks: &'a Checks,
    /// An object as JSON text.
    pub(super) arguments: &'a Raw,
    pub(super) carrier: &'a Carrier,
}

impl Dispatch {
    /// Calls a function, whatever its kind. A panic is a fault of this call alone.
    pub(super) async fn call<F: Function>(
        &self,
        calling: Calling<'_, F>,
        cx: &mut Context,
    ) -> Result<Result<F::Output, ToolError>, Stop> {
        // Around all of it: a user's type can panic when it is decoded or encoded, too.
        AssertUnwindSafe(self.call_unguarded(&calling, cx))
            .catch_unwind()
            .await
            .unwrap_or_else(|panic| Err(panicked(calling.card.name, panic).into()))
            .and_then(|result| match result {
                // What can't be answered with a result is no refusal either.
                Err(refusal) => Ok(Err(refusal.or_fault()?)),
                result => Ok(result),
            })
    }

    async fn call_unguarded<F: Function>(
        &self,
        calling: &Calling<'_, F>,
        cx: &mut Context,
    ) -> Result<Result<F::Output, ToolError>, Stop> {
        let &Calling { ref function, card, checks, arguments, .. } = calling;
        let undecoded = Arguments::new(arguments.as_str(), checks);
        if card.parts.is_empty() {
            if cx.cookies().is_none() {
                return self.run(function, card, undecoded, &mut [], cx).await;
            }
            return Box::pin(self.run_with_cookie(function, card, undecoded, cx)).await;
        }
        self.run_with_state(calling, undecoded, cx).await
    }

    /// Runs a function without state, and does what it did to the session of its cookie.
    async fn run_with_cookie<F: Function>(
        &self,
        function: &F,
        card: &'static FunctionCard,
        arguments: Arguments<'_>,
        cx: &Context,
    ) -> Result<Result<F::Output, ToolError>, Stop> {
        let result = self.run(function, card, arguments, &mut [], cx).await?;
        if result.as_ref().is_ok_and(F::succeeded)
            && let Err(error) = self.settle(None, cx).await
        {
            return Ok(Err(state_failed(card, error)?));
        }
        Ok(result)
    }

    /// The session that the handle in the arguments names; `None` for every handle that names none of the caller's.
    async fn named_session(
        &self,
        arguments: &Raw,
        card: &'static FunctionCard,
        cx: &mut Context,
    ) -> Result<Option<Behind>, Fault> {
        let Some(handle) = handle(arguments, self.handles.argument) else { return Ok(None) };
        let read = self.sessions.read_handle(&handle, cx.principal(), card.parts).await;
        let Some(behind) = read.map_err(|error| unavailable(&error))? else { return Ok(None) };
        cx.set_session_id(behind.id.clone());
        Ok(Some(behind))
    }

    /// Runs a function on a draft of its session, commits the draft, and runs again on a lost race.
    ///
    /// Boxed, so that calls without state do not carry its size around; a block, because the arguments of an async function
    /// are kept twice.
    fn run_with_state<'a, F: Function>(
        &'a self,
        calling: &'a Calling<'a, F>,
        undecoded: Arguments<'a>,
        cx: &'a mut Context,
    ) -> BoxFuture<'a, Result<Result<F::Output, ToolError>, Stop>> {
        boxed(async move {
            let &Calling { ref function, card, arguments, carrier, .. } = calling;
            let (session, ahead, undecoded) = match carrier {
                // A cookie comes before a handle, which a model that was told to sends all the same.
                Carrier::Session(key) if self.handles.offered && cx.cookies().is_some() => {
                    (*key, cx.take_ahead(), undecoded.without(self.handles.argument))
                }
                Carrier::Session(key) => (*key, cx.take_ahead(), undecoded),
                Carrier::Refused(why) => return Err(cookies::no_session(*why).into()),
                Carrier::None => return Ok(Err(no_session(card))),
                Carrier::Handle => match self.named_session(arguments, card, cx).await? {
                    Some(Behind { key, ahead, .. }) => (key, ahead, undecoded.without(self.handles.argument)),
                    None => return Ok(Err(self.bad_handle())),
                },
            };
            // A task may begin long after its request.
            let mut ahead = ahead.filter(|_| !cx.is_task());
            let idle = self.sessions.idle(session);
            for attempt in 0..ATTEMPTS {
                if attempt > 0 {
                    Box::pin(tokio::time::sleep(jitter(attempt))).await;
                }
                let turns = !cx.is_task();
                let begin = cx.cookies().map(|_| boxed(self.begin(session, card.parts, ahead.take(), cx)));
                // Matched where it is: what has a name is kept twice.
                let mut draft = match match begin {
                    None => self.state.begin(session, card.parts, idle, turns, ahead.take(), None).await,
                    Some(begin) => begin.await,
                } {
                    Ok(draft) => draft,
                    Err(error) => return Ok(Err(state_failed(card, error)?)),
                };
                // Whoever stops to ask leaves here, without its draft and its turn.
                let result = match self.run(function, card, undecoded, &mut draft.slots, cx).await? {
                    Ok(result) if F::succeeded(&result) => result,
                    // Dropping the draft discards it.
                    refusal => {
                        self.tell_seen(&draft, cx);
                        return Ok(refusal);
                    }
                };
                let ended = match cx.cookies() {
                    None => self.state.commit(draft, self.sessions.owner(cx.principal()), None).await,
                    Some(_) => Box::pin(self.settle(Some(draft), cx)).await,
                };
                match ended {
                    Ok(Ended::Saved) => return Ok(Ok(result)),
                    Ok(Ended::Lost) => {}
                    Err(error) => return Ok(Err(state_failed(card, error)?)),
                }
            }
            let message = "Other calls kept changing this session's state, nothing was written: try again";
            let data = serde_json::json!({ "kind": "conflict" });
            Err(Fault::new(Code::INTERNAL_ERROR, message).with_data(data).into())
        })
    }

    /// Runs a function once, until it gives something or has asked something, for as long as it may.
    async fn run<'a, F: Function>(
        &'a self,
        function: &'a F,
        card: &'static FunctionCard,
        arguments: Arguments<'a>,
        parts: &'a mut [PartSlot],
        cx: &'a Context,
    ) -> Result<Result<F::Output, ToolError>, Stop> {
        cx.set_may_ask(card.asks);
        let run = until_asked(cx, function.run(&*self.service, Run { arguments, parts, cx }));
        let Some(deadline) = card.deadline else { return run.await };
        Box::pin(tokio::time::timeout(deadline, run)).await.unwrap_or_else(|_| {
            cx.cancel();
            Ok(Err(ToolError::too_late(card.name, deadline)))
        })
    }

    fn bad_handle(&self) -> ToolError {
        let Handles { argument, minting_tool, .. } = self.handles;
        ToolError::new(format!(
            "This `{argument}` is missing, unknown or expired. Call `{minting_tool}` and pass the `{argument}` that it \
             returns, exactly as it is"
        ))
    }
}

/// Polls what a function does until it gives something or has asked something.
pub(super) async fn until_asked<T>(cx: &Context, mut run: BoxFuture<'_, T>) -> Result<T, Stop> {
    std::future::poll_fn(move |task| {
        let polled = run.as_mut().poll(task);
        // Whatever came back of it: a question can be hidden by `select!` or a timeout, but not taken back.
        if cx.has_stopped() {
            return Poll::Ready(Err(Stop::Asked));
        }
        if polled.is_pending() {
            cx.set_waits();
        }
        polled.map(Ok)
    })
    .await
}

/// What a failure of the state means: for the model, for the client's program, or for the operator.
fn state_failed(card: &FunctionCard, error: StateError) -> Result<ToolError, Fault> {
    match error {
        StateError::RolledBack => Err(cookies::no_session(NoSession::RolledBack)),
        StateError::Gone => Ok(ToolError::new("This session was ended meanwhile; nothing was written")),
        StateError::TooLarge { key, bytes, limit } => Ok(ToolError::new(format!(
            "Nothing was written: `{key}` would grow to {bytes} bytes, and a session may keep {limit}. Remove something \
             first"
        ))),
        StateError::TooLargeToCarry { bytes, limit } => Ok(ToolError::new(format!(
            "Nothing was changed: this session's state would grow to {bytes} bytes, and its cookie carries {limit}. Remove \
             something first"
        ))),
        StateError::Undecodable { key, source } => {
            tracing::error!(function = card.name, part = key, error = %chain(&*source), "stored state does not decode");
            Err(Fault::internal())
        }
        StateError::Full => Err(Fault::full("Nothing was written: this server keeps as much session state as it can")),
        StateError::Store(error) => Err(unavailable(&error)),
    }
}

/// What a panic becomes: its text is the operator's alone.
pub(super) fn panicked(function: &str, panic: Box<dyn std::any::Any + Send>) -> Fault {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text");
    tracing::error!(function, panic = ?text, "a function panicked");
    // A payload whose own drop panics must not take the connection with it.
    let _ = std::panic::catch_unwind(AssertUnwindSafe(move || drop(panic)));
    Fault::internal()
}

/// The handle in the arguments, if there is one that is a string.
fn handle(arguments: &Raw, name: &str) -> Option<String> {
    arguments.members()?.get(name)?.string().map(Into::into)
}

fn no_session(card: &FunctionCard) -> ToolError {
    ToolError::new(format!(
        "`{}` keeps state in a session, and this request has none: send `initialize`, then the Mcp-Session-Id that it \
         returns with each request",
        card.name
    ))
}

/// How long to wait before the next attempt: longer each time, and not the same for two losers.
fn jitter(attempt: u32) -> Duration {
    let mut byte = [0_u8; 1];
    // Without randomness two losers may meet again; the number of attempts is bounded.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    Duration::from_micros((u64::from(byte[0]) * 8) << attempt.min(6))
}
