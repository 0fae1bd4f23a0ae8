//! `#[complete(…)]`

use syn::{Attribute, LitStr};

use super::{FunctionArgs, Grammar};
use crate::errors::Errors;

const COMPLETE: Grammar = Grammar {
    attribute: "#[complete]",
    keys: &["prompt", "resource", "argument", "blocking", "deadline"],
    repeatable: &[],
    advice: &[
        ("variable", "a variable of a template is an `argument` as well"),
        ("name", "a completion is found by what it completes"),
    ],
};

/// `#[complete(…)]`
#[derive(Default)]
pub(crate) struct CompletionArgs {
    pub(crate) function: FunctionArgs,
    pub(crate) prompt: Option<LitStr>,
    pub(crate) resource: Option<LitStr>,
    pub(crate) argument: Option<LitStr>,
}

impl CompletionArgs {
    /// Reads the attribute.
    pub(crate) fn parse(attribute: &Attribute, errors: &mut Errors) -> Self {
        let before = errors.count();
        let mut args = Self::default();
        for pair in COMPLETE.parse_attribute(attribute, errors) {
            let Some(pair) = args.function.take(pair, errors) else { continue };
            match pair.key.to_string().as_str() {
                "prompt" => args.prompt = pair.literal(errors),
                "resource" => args.resource = pair.literal(errors),
                _ => args.argument = pair.literal(errors),
            }
        }
        if errors.count() > before {
            return args;
        }
        match (&args.prompt, &args.resource) {
            (Some(_), None) | (None, Some(_)) => {}
            (None, None) => errors.at(
                attribute,
                "a completion must say for which prompt or resource it is, found neither; write \
                 `#[complete(prompt = \"…\", argument = \"…\")]`",
            ),
            (Some(_), Some(resource)) => errors.at(
                resource,
                "a completion must be for one prompt or one resource, found both; remove one, and write another function \
                 for it",
            ),
        }
        if args.argument.is_none() {
            errors.at(
                attribute,
                "a completion must say which argument it completes, found none; write `argument = \"…\"`",
            );
        }
        args
    }
}
