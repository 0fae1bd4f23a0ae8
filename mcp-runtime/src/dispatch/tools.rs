//! Tools, called.

use super::{
    Dispatch, abridged, internal,
    provided::check_mirrors,
    run::{Calling, Stop, Tool},
    tasks::Wanted,
    unavailable,
};
use crate::{
    call::{ANSWERS_LIVE, Answered, Carrier, Context, Fault, Item, Outcome, ToolResult},
    session::StateError,
    wire::{Code, Raw},
};

impl Dispatch {
    /// Calls a tool; what it refuses is a result that the model reads.
    pub(super) async fn call_tool(
        &self,
        name: &str,
        arguments: &Raw,
        carrier: &Carrier,
        cx: &mut Context,
    ) -> Result<Outcome, Stop> {
        self.check_session(carrier, cx)?;
        let Some(index) = self.service.find_tool(name).filter(|_| self.shows(Item::Tool(name), cx)) else {
            return Box::pin(self.call_other_tool(name, arguments, carrier, cx)).await;
        };
        let Some((_, _, mirrored)) = self.catalogue.tool(index) else { return Err(Fault::internal().into()) };
        check_mirrors(mirrored, arguments, cx)?;
        let task = self.becomes_task(index, cx)?;
        if task.is_some() || cx.answers().is_some() {
            return Box::pin(self.call_tool_indirectly(index, task, arguments, carrier, cx)).await;
        }
        let result = self.run_tool(index, arguments, carrier, cx).await?;
        Ok(Outcome::of_tool(Answered::Declared(index), result))
    }

    /// Calls a declared tool that comes with answers, or as a task.
    async fn call_tool_indirectly(
        &self,
        index: usize,
        task: Option<Wanted>,
        arguments: &Raw,
        carrier: &Carrier,
        cx: &mut Context,
    ) -> Result<Outcome, Stop> {
        match task {
            Some(wanted) => self.start_task(index, wanted, arguments, carrier, cx).await,
            None => {
                self.use_answers(index, cx).await?;
                let result = self.run_tool(index, arguments, carrier, cx).await?;
                Ok(Outcome::of_tool(Answered::Declared(index), result))
            }
        }
    }

    /// Runs a declared tool; what it refuses is a result that the model reads.
    pub(super) async fn run_tool(
        &self,
        index: usize,
        arguments: &Raw,
        carrier: &Carrier,
        cx: &mut Context,
    ) -> Result<ToolResult, Stop> {
        let Some((card, checks, _)) = self.catalogue.tool(index) else { return Err(Fault::internal().into()) };
        let calling = Calling { function: Tool(index), card, checks, arguments, carrier };
        let result = self.call(calling, cx).await?;
        Ok(result.unwrap_or_else(|refusal| ToolResult::error(refusal.message())))
    }

    /// Makes sure that a tool which wants that takes the same answers once: the last thing before it runs, because answers
    /// that are used are gone.
    #[cold]
    pub(super) async fn use_answers(&self, tool: usize, cx: &mut Context) -> Result<(), Fault> {
        if cx.answers().is_none() || !self.service.card().tools.get(tool).is_some_and(|card| card.single_use) {
            return Ok(());
        }
        // Nothing tells two calls with the same bare answers apart, so they are asked for again.
        cx.forget_bare_answers();
        let Some(name) = cx.answers().and_then(|answers| answers.name) else { return Ok(()) };
        match self.sessions.use_once(name, ANSWERS_LIVE).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Fault::invalid_request_state()),
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// Calls a tool that is not declared, or not for this caller: the one that mints handles, or a provider's.
    async fn call_other_tool(
        &self,
        name: &str,
        arguments: &Raw,
        carrier: &Carrier,
        cx: &Context,
    ) -> Result<Outcome, Stop> {
        if self.by_handle(carrier) && name == self.handles.minting_tool {
            return Ok(Box::pin(self.mint(cx)).await?);
        }
        if self.shows(Item::Tool(name), cx)
            && let Some(outcome) = self.call_provided_tool(name, arguments, cx).await?
        {
            if cx.cookies().is_some() && !outcome.is_failure() {
                self.settle(None, cx).await.map_err(|error| match error {
                    StateError::Store(error) => unavailable(&error),
                    _ => Fault::internal(),
                })?;
            }
            return Ok(outcome);
        }
        let message = format!("Unknown tool: {}", abridged(name));
        Err(Fault::new(Code::INVALID_PARAMS, message).into())
    }

    /// Runs the minting tool.
    async fn mint(&self, cx: &Context) -> Result<Outcome, Fault> {
        let minted = self.sessions.mint_handle(cx.principal()).await;
        let handle = minted.map_err(|error| unavailable(&error))?;
        let text = format!("Session opened. Pass this as `{}` to the other tools: {handle}", self.handles.argument);
        let structured = serde_json::json!({ self.handles.argument: handle });
        match ToolResult::text(text).with_structured(&structured) {
            Ok(result) => Ok(Outcome::of_tool(Answered::Framework, result)),
            Err(error) => Err(internal("the minting tool", &error)),
        }
    }
}
