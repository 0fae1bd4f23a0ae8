//! `#[complete]`

use syn::Attribute;

use super::Own;
use crate::{
    args::CompletionArgs,
    errors::Errors,
    item,
    model::{Completion, Kind, Name},
    names,
};

impl Own<'_> {
    /// A completion; `None` where it does not say of what.
    pub(super) fn completion(
        &self,
        function: &item::Function,
        attribute: &Attribute,
        errors: &mut Errors,
    ) -> Option<Completion> {
        let args = CompletionArgs::parse(attribute, errors);
        let function = self.function(Kind::Completion, function, args.function, errors);
        if !function.arguments().any(|argument| argument.name.text == names::TYPED_ARGUMENT) {
            errors.at(
                &function.ident,
                format_args!(
                    "a completion must take what was typed so far, found no argument `{0}`; write `{0}: String`",
                    names::TYPED_ARGUMENT
                ),
            );
        }
        let (of_prompt, of) = match (args.prompt, args.resource) {
            (Some(prompt), _) => (true, prompt),
            (None, resource) => (false, resource?),
        };
        let of = Name { text: of.value(), span: of.span() };
        let argument = args.argument?;
        let argument = Name { text: argument.value(), span: argument.span() };
        Some(Completion { function, of_prompt, of, argument })
    }
}
