//! Arguments, completed.

use serde_json::{Map, Value};

use super::{
    Dispatch, abridged, guarded_quiet, refused_as_fault,
    run::{Calling, Completer, Stop},
};
use crate::{
    call::{Carrier, Completing, Completion, Context, Fault, Item, Outcome, Reference},
    service::{CompletionReference, FunctionCard},
    wire::{Code, Raw},
};

/// The argument of a completion's function that is what was typed so far.
const VALUE: &str = "value";
/// A client is never given more values than this.
///
/// # Source
/// 2026-07-28 schema, `CompleteResult`: "Must not exceed 100 items".
const MOST_VALUES: usize = 100;

impl Dispatch {
    /// Completes an argument of a prompt or a variable of a template.
    pub(super) async fn complete(
        &self,
        what: &Completing,
        carrier: &Carrier,
        cx: &mut Context,
    ) -> Result<Outcome, Stop> {
        let reference = match self.reference(what, cx).await? {
            Referred::Declared(reference) => reference,
            Referred::Provided(completion) => return Ok(Outcome::Completion(Box::new(shortened(completion)))),
        };
        let completion = match self.catalogue.completion(reference, &what.argument) {
            Some((index, card, checks)) => {
                let arguments = arguments(what, card, self.handles.argument);
                let calling = Calling { function: Completer(index), card, checks, arguments: &arguments, carrier };
                self.call(calling, cx).await?.map_err(|refusal| refused_as_fault(&refusal))?
            }
            // What its type allows, where that is a list; nothing for every other argument.
            None => Completion::new(self.catalogue.choices(reference, &what.argument, &what.value)),
        };
        Ok(Outcome::Completion(Box::new(shortened(completion))))
    }

    /// The declared prompt or resource that a reference names, or what the provider of one says.
    async fn reference(&self, what: &Completing, cx: &Context) -> Result<Referred, Fault> {
        let Completing { argument, value, .. } = what;
        let known = || what.known.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let completion = match &what.reference {
            Reference::Prompt(name) => {
                let shown = self.shows(Item::Prompt(name), cx);
                let index = self.service.find_prompt(name).filter(|_| shown);
                if let Some((card, _)) = index.and_then(|index| self.catalogue.prompt(index)) {
                    return Ok(Referred::Declared(CompletionReference::Prompt(card.name)));
                }
                let provider = if shown { self.provider_of_prompt(name, cx).await? } else { None };
                let provider = provider.ok_or_else(|| unknown("prompt", name))?;
                guarded_quiet(name, provider.complete(cx, name, argument, value, &known())).await?
            }
            Reference::Resource(uri) => {
                let index =
                    self.catalogue.named_resource(uri).filter(|index| self.shows_resource(*index, uri, cx.principal()));
                if let Some((card, _)) = index.and_then(|index| self.catalogue.resource(index)) {
                    return Ok(Referred::Declared(CompletionReference::Resource(card.uri)));
                }
                let provider = self.provider_of_template(uri, cx).await?;
                let provider = provider.ok_or_else(|| unknown("resource template", uri))?;
                guarded_quiet(uri, provider.complete(cx, uri, argument, value, &known())).await?
            }
        };
        completion.map(Referred::Provided).map_err(|refusal| refused_as_fault(&refusal))
    }
}

/// What a reference names.
enum Referred {
    /// Something that was declared.
    Declared(CompletionReference),
    /// Something of a provider's, which says this.
    Provided(Completion),
}

fn unknown(kind: &str, name: &str) -> Fault {
    Fault::new(Code::INVALID_PARAMS, format!("Unknown {kind}: {}", abridged(name)))
}

/// What was typed, and of what is known already what the completion's function takes, as its arguments.
fn arguments(what: &Completing, card: &FunctionCard, handle: &str) -> Raw {
    let takes = |name: &str| {
        let declared = card.arguments.iter().any(|argument| argument.name == name);
        name != VALUE && (declared || name == handle && !card.parts.is_empty())
    };
    let known = what.known.iter().filter(|(name, _)| takes(name));
    let mut arguments: Map<String, Value> =
        known.map(|(name, value)| (String::from(&**name), String::from(&**value).into())).collect();
    arguments.insert(VALUE.into(), String::from(&*what.value).into());
    Raw::from(&*Value::Object(arguments).to_string())
}

/// At most as many values as a client may be given.
fn shortened(mut completion: Completion) -> Completion {
    if completion.values.len() > MOST_VALUES {
        completion.total = completion.total.or(u64::try_from(completion.values.len()).ok());
        completion.has_more = true;
        completion.values.truncate(MOST_VALUES);
    }
    completion
}
