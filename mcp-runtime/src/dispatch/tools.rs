//! Tools, called.

use super::{
    Dispatch, abridged, internal, method_not_found,
    run::{Calling, Tool},
};
use crate::{
    call::{Carrier, Context, Fault, List, Outcome, ToolResult},
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
        let Some(index) = self.service.find_tool(name) else {
            return self.call_other_tool(name, carrier, cx);
        };
        let Some((card, checks)) = self.catalogue.tool(index) else { return Err(Fault::internal()) };
        let calling = Calling { function: Tool(index), card, checks, arguments, carrier };
        let result = self.call(calling, cx).await?;
        let result = result.unwrap_or_else(|refusal| ToolResult::error(refusal.message()));
        Ok(Outcome::Tool { index: Some(index), result })
    }

    /// Calls a tool that is not declared: the one that mints handles.
    #[cold]
    fn call_other_tool(&self, name: &str, carrier: &Carrier, cx: &Context) -> Result<Outcome, Fault> {
        if self.handles.offered && *carrier == Carrier::Handle && name == self.handles.minting_tool {
            return self.mint(cx);
        }
        if !self.catalogue.offers(List::Tools) {
            return Err(method_not_found());
        }
        Err(Fault::new(Code::INVALID_PARAMS, format!("Unknown tool: {}", abridged(name))))
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
}
