//! An operation, answered.
//!
//! Takes: a [`Call`]. Gives: an [`Outcome`] or a [`Fault`]. Knows: tools, drafts of session state, when to run again.
//! Must not know: revisions, headers, bytes on a wire.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;

use crate::{
    call::{Call, Carrier, Context, Fault, Operation, Outcome, ToolError, ToolResult, chain},
    schema::{Arguments, Checks},
    service::{BoxFuture, Run, Service, ToolCard},
    session::{Ended, PartSlot, SessionKey, SessionRoom, StateError, StateRoom},
    wire::{Code, Raw},
};

/// A lost race runs the tool again, up to so many times in all.
const ATTEMPTS: u32 = 8;

/// What dispatching works with.
pub(crate) struct Dispatch {
    pub(crate) service: Arc<dyn Service>,
    pub(crate) sessions: Arc<SessionRoom>,
    pub(crate) state: StateRoom,
    /// By tool: what decoding its arguments needs of their schemas.
    pub(crate) checks: Vec<Checks>,
    /// How handles are spoken of.
    pub(crate) handles: Handles,
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
    /// Answers one operation.
    pub(crate) async fn dispatch(&self, call: &mut Call) -> Result<Outcome, Fault> {
        match &call.operation {
            Operation::ListTools => Ok(Outcome::Tools { handles: call.carrier == Carrier::Handle }),
            Operation::CallTool { name, arguments } => match self.service.find_tool(name) {
                Some(index) => {
                    // Around all of it: a user's type can panic when it is decoded or encoded, too.
                    let run = self.call_tool(index, arguments, &call.carrier, &mut call.context);
                    let result = AssertUnwindSafe(run)
                        .catch_unwind()
                        .await
                        .unwrap_or_else(|panic| Err(panicked(name, panic)))?;
                    Ok(Outcome::Tool { index: Some(index), result })
                }
                None if self.handles.offered
                    && call.carrier == Carrier::Handle
                    && **name == *self.handles.minting_tool =>
                {
                    self.mint(&call.context)
                }
                None => Err(Fault::new(Code::INVALID_PARAMS, format!("Unknown tool: {}", abridged(name)))),
            },
        }
    }

    /// Runs the minting tool.
    fn mint(&self, cx: &Context) -> Result<Outcome, Fault> {
        let handle = self.sessions.mint_handle(cx.principal());
        let text = format!("Session opened. Pass this as `{}` to the other tools: {handle}", self.handles.argument);
        let structured = serde_json::json!({ self.handles.argument: handle });
        match ToolResult::text(text).with_structured(&structured) {
            Ok(result) => Ok(Outcome::Tool { index: None, result }),
            Err(error) => Err(internal("the minting tool", &error)),
        }
    }

    async fn call_tool(
        &self,
        index: usize,
        arguments: &Raw,
        carrier: &Carrier,
        cx: &mut Context,
    ) -> Result<ToolResult, Fault> {
        let tool = self.service.card().tools.get(index).zip(self.checks.get(index));
        let Some((card, checks)) = tool else { return Err(Fault::internal()) };
        let undecoded = Arguments::new(arguments.as_str(), checks);
        if card.parts.is_empty() {
            return refused_as_result(self.run(index, undecoded, &mut [], cx).await);
        }
        // Boxed, so that calls without state do not carry its size around.
        Box::pin(async move {
            let (session, undecoded) = match carrier {
                Carrier::Session(key) => (*key, undecoded),
                Carrier::None => return Ok(ToolResult::error(no_session(card))),
                Carrier::Handle => match self.named_session(arguments, cx).await? {
                    Some(key) => (key, undecoded.without(self.handles.argument)),
                    None => return Ok(ToolResult::error(self.bad_handle())),
                },
            };
            self.run_with_state(index, card, session, undecoded, cx).await
        })
        .await
    }

    /// The session that the handle in the arguments names; `None` for every handle that names none of the caller's.
    async fn named_session(&self, arguments: &Raw, cx: &mut Context) -> Result<Option<SessionKey>, Fault> {
        let Some(handle) = handle(arguments, self.handles.argument) else { return Ok(None) };
        let read = self.sessions.read_handle(&handle, cx.principal()).await;
        let Some((key, id)) = read.map_err(|error| unavailable(&error))? else { return Ok(None) };
        cx.set_session_id(id);
        Ok(Some(key))
    }

    /// Runs a tool on a draft of its session, commits the draft, and runs again on a lost race.
    async fn run_with_state(
        &self,
        index: usize,
        card: &ToolCard,
        session: SessionKey,
        arguments: Arguments<'_>,
        cx: &Context,
    ) -> Result<ToolResult, Fault> {
        let idle = self.sessions.idle(session);
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                Box::pin(tokio::time::sleep(jitter(attempt))).await;
            }
            let mut draft = match self.state.begin(session, card.parts, idle).await {
                Ok(draft) => draft,
                Err(error) => return self.state_failed(card, error),
            };
            let result = match self.run(index, arguments, &mut draft.slots, cx).await {
                Ok(result) if !result.is_error => result,
                // Dropping the draft discards it.
                refusal => return refused_as_result(refusal),
            };
            match Box::pin(self.state.commit(draft, self.sessions.owner(cx.principal()))).await {
                Ok(Ended::Saved) => return Ok(result),
                Ok(Ended::Lost) => {}
                Err(error) => return self.state_failed(card, error),
            }
        }
        let message = "Other calls kept changing this session's state, nothing was written: try again";
        Err(Fault::new(Code::INTERNAL_ERROR, message).with_data(serde_json::json!({ "kind": "conflict" })))
    }

    /// Runs a tool once.
    fn run<'a>(
        &'a self,
        index: usize,
        arguments: Arguments<'a>,
        parts: &'a mut [PartSlot],
        cx: &'a Context,
    ) -> BoxFuture<'a, Result<ToolResult, ToolError>> {
        self.service.call_tool(index, Run { arguments, parts, cx })
    }

    fn bad_handle(&self) -> String {
        let Handles { argument, minting_tool, .. } = self.handles;
        format!(
            "This `{argument}` is missing, unknown or expired. Call `{minting_tool}` and pass the `{argument}` that it \
             returns, exactly as it is"
        )
    }

    /// What a failure of the state means: for the model, for the client's program, or for the operator.
    fn state_failed(&self, card: &ToolCard, error: StateError) -> Result<ToolResult, Fault> {
        match error {
            StateError::Gone => Ok(ToolResult::error("This session was ended meanwhile; nothing was written")),
            StateError::TooLarge { key, bytes, limit } => Ok(ToolResult::error(format!(
                "Nothing was written: `{key}` would grow to {bytes} bytes, and a session may keep {limit}. Remove \
                 something first"
            ))),
            StateError::Undecodable { key, source } => {
                tracing::error!(tool = card.name, part = key, error = %chain(&*source), "stored state does not decode");
                Err(Fault::internal())
            }
            StateError::Full => Ok(ToolResult::error(
                "Nothing was written: this server keeps as much session state as it can. Try again later",
            )),
            StateError::Store(error) => Err(unavailable(&error)),
        }
    }
}

/// What a panic becomes: its text is the operator's alone.
fn panicked(tool: &str, panic: Box<dyn std::any::Any + Send>) -> Fault {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text");
    tracing::error!(tool, panic = ?text, "a tool panicked");
    // A payload whose own drop panics must not take the connection with it.
    let _ = std::panic::catch_unwind(AssertUnwindSafe(move || drop(panic)));
    Fault::internal()
}

/// A refusal is a result that the model reads; a result that can't be JSON is none.
fn refused_as_result(result: Result<ToolResult, ToolError>) -> Result<ToolResult, Fault> {
    result
        .or_else(|error| if error.is_fault() { Err(Fault::internal()) } else { Ok(ToolResult::error(error.message())) })
}

/// The handle in the arguments, if there is one that is a string.
fn handle(arguments: &Raw, name: &str) -> Option<String> {
    arguments.members()?.get(name)?.string().map(Into::into)
}

fn no_session(card: &ToolCard) -> String {
    format!(
        "`{}` keeps state in a session, and this request has none: send `initialize`, then the Mcp-Session-Id that it \
         returns with each request",
        card.name
    )
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

/// How long to wait before the next attempt: longer each time, and not the same for two losers.
fn jitter(attempt: u32) -> Duration {
    let mut byte = [0_u8; 1];
    // Without randomness two losers may meet again; the number of attempts is bounded.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    Duration::from_micros((u64::from(byte[0]) * 8) << attempt.min(6))
}
