//! `#[state(…)]`

use syn::{Attribute, Expr, ExprLit, Lit, LitInt, LitStr, Meta};

use super::Grammar;
use crate::{errors::Errors, paths::Runtime};

const STATE: Grammar =
    Grammar { attribute: "#[state]", keys: &["key", "version", "crate"], repeatable: &[], advice: &[] };

/// `#[state(…)]`
#[derive(Default)]
pub(crate) struct StateArgs {
    pub(crate) key: Option<LitStr>,
    pub(crate) version: Option<LitInt>,
    pub(crate) runtime: Runtime,
}

impl StateArgs {
    /// Reads every `#[state(…)]` among these.
    pub(crate) fn parse(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let mut pairs = Vec::new();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("state")) {
            match &attribute.meta {
                Meta::List(list) => STATE.parse_more(list.tokens.clone(), &mut pairs, errors),
                _ => errors.at(
                    attribute,
                    "`#[state]` must have keys in parentheses, found none; write `#[state(key = \"…\")]` or \
                     remove it",
                ),
            }
        }
        for pair in pairs {
            match pair.key.to_string().as_str() {
                "key" => args.key = pair.literal(errors),
                "version" => {
                    args.version = match pair.expression("2", errors) {
                        Some(Expr::Lit(ExprLit { lit: Lit::Int(version), .. }))
                            if version.base10_parse::<u32>().is_ok() =>
                        {
                            Some(version)
                        }
                        Some(other) => {
                            errors.at(
                                &other,
                                "`version` must be a whole number from 0 to 4294967295, found something else; \
                                 write `version = 2`",
                            );
                            None
                        }
                        None => None,
                    };
                }
                _ => args.runtime = pair.runtime(errors).unwrap_or_default(),
            }
        }
        args
    }
}
