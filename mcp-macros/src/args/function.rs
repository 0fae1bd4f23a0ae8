//! The keys that all functions have, and `#[prompt(…)]`, which has no others.

use proc_macro2::Span;
use syn::{Attribute, Expr, LitStr};

use super::{Grammar, Pair};
use crate::{errors::Errors, model::Icon};

const PROMPT: Grammar = Grammar {
    attribute: "#[prompt]",
    keys: &["name", "title", "blocking", "deadline", "icon", "meta"],
    repeatable: &["icon"],
    advice: &[
        ("description", "the description is the doc comment of the function"),
        ("arguments", "the arguments are the parameters that the function takes by value"),
    ],
};

/// What every attribute of a function can say.
#[derive(Default)]
pub(crate) struct FunctionArgs {
    pub(crate) name: Option<LitStr>,
    pub(crate) title: Option<Expr>,
    /// The key that says `blocking`.
    pub(crate) blocking: Option<Span>,
    pub(crate) deadline: Option<Expr>,
    pub(crate) icons: Vec<Icon>,
    pub(crate) meta: Option<Expr>,
}

impl FunctionArgs {
    /// Reads `#[prompt(…)]`.
    pub(crate) fn prompt(attribute: &Attribute, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        for pair in PROMPT.parse_attribute(attribute, errors) {
            let other = args.take(pair, errors);
            debug_assert!(other.is_none(), "a prompt has no other keys");
        }
        args
    }

    /// Reads a pair, or gives it back where its key is not one of all functions.
    pub(super) fn take(&mut self, pair: Pair, errors: &mut Errors) -> Option<Pair> {
        let place = pair.key.span();
        match pair.key.to_string().as_str() {
            "name" => self.name = pair.literal(errors),
            "title" => self.title = pair.text(errors),
            "blocking" => self.blocking = pair.flag(errors).and_then(|blocking| blocking.then_some(place)),
            "deadline" => self.deadline = pair.duration(errors),
            "icon" => self.icons.extend(pair.icon(errors)),
            "meta" => self.meta = pair.object(errors),
            _ => return Some(pair),
        }
        None
    }
}
