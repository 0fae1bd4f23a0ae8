//! Prompts, filled in.

use super::{
    Dispatch, abridged, refused_as_fault,
    run::{Calling, Prompt, Stop},
};
use crate::{
    call::{Carrier, Context, Fault, Item, Outcome},
    wire::{Code, Raw},
};

impl Dispatch {
    /// Gets a prompt.
    pub(super) async fn get_prompt(
        &self,
        name: &str,
        arguments: &Raw,
        carrier: &Carrier,
        cx: &mut Context,
    ) -> Result<Outcome, Stop> {
        let shown = self.shows(Item::Prompt(name), cx);
        let Some(index) = self.service.find_prompt(name).filter(|_| shown) else {
            if shown && let Some(outcome) = self.get_provided_prompt(name, arguments, cx).await? {
                return Ok(outcome);
            }
            let fault = Fault::new(Code::INVALID_PARAMS, format!("Unknown prompt: {}", abridged(name)));
            return Err(fault.into());
        };
        let Some((card, checks)) = self.catalogue.prompt(index) else { return Err(Fault::internal().into()) };
        let calling = Calling { function: Prompt(index), card, checks, arguments, carrier };
        let result = self.call(calling, cx).await?;
        result.map(|result| Outcome::Prompt(Box::new(result))).map_err(|refusal| refused_as_fault(&refusal).into())
    }
}
