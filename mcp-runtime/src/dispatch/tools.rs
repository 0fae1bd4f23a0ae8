//! Tools, called.

use super::{
    Dispatch, abridged, internal, method_not_found,
    provided::check_mirrors,
    run::{Calling, Tool},
};
use crate::{
    call::{Answered, Carrier, Context, Fault, Item, Outcome, ToolResult},
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
    ) -> Result<Outcome, Fault> {
        let Some(index) = self.service.find_tool(name).filter(|_| self.shows(Item::Tool(name), cx)) else {
            return Box::pin(self.call_other_tool(name, arguments, carrier, cx)).await;
        };
        let Some((card, checks, mirrored)) = self.catalogue.tool(index) else { return Err(Fault::internal()) };
        check_mirrors(mirrored, arguments, cx)?;
        let calling = Calling { function: Tool(index), card, checks, arguments, carrier };
        let result = self.call(calling, cx).await?;
        let result = result.unwrap_or_else(|refusal| ToolResult::error(refusal.message()));
        Ok(Outcome::of_tool(Answered::Declared(index), result))
    }

    /// Calls a tool that is not declared, or not for this caller: the one that mints handles, or a provider's.
    async fn call_other_tool(
        &self,
        name: &str,
        arguments: &Raw,
        carrier: &Carrier,
        cx: &Context,
    ) -> Result<Outcome, Fault> {
        if self.by_handle(carrier) && name == self.handles.minting_tool {
            return self.mint(cx);
        }
        if !self.offered.tools {
            return Err(method_not_found());
        }
        if self.shows(Item::Tool(name), cx)
            && let Some(outcome) = self.call_provided_tool(name, arguments, cx).await?
        {
            return Ok(outcome);
        }
        Err(Fault::new(Code::INVALID_PARAMS, format!("Unknown tool: {}", abridged(name))))
    }

    /// Runs the minting tool.
    fn mint(&self, cx: &Context) -> Result<Outcome, Fault> {
        let handle = self.sessions.mint_handle(cx.principal());
        let text = format!("Session opened. Pass this as `{}` to the other tools: {handle}", self.handles.argument);
        let structured = serde_json::json!({ self.handles.argument: handle });
        match ToolResult::text(text).with_structured(&structured) {
            Ok(result) => Ok(Outcome::of_tool(Answered::Framework, result)),
            Err(error) => Err(internal("the minting tool", &error)),
        }
    }
}
