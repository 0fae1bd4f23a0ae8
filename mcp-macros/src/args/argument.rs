//! `#[arg(…)]`

use proc_macro2::Span;
use syn::{Attribute, Expr, LitStr};

use super::{Grammar, Value};
use crate::{errors::Errors, names};

const ARGUMENT: Grammar = Grammar {
    attribute: "#[arg]",
    keys: &["name", "default", "header", "as_string"],
    repeatable: &[],
    advice: &[
        ("description", "the description is the doc comment of the parameter"),
        ("rename", "another name is `name = \"…\"`"),
        ("optional", "an argument that may be left out is an `Option`, or has a `default`"),
    ],
};

/// `#[arg(…)]`
#[derive(Default)]
pub(crate) struct ArgumentArgs {
    pub(crate) name: Option<LitStr>,
    pub(crate) default: Option<DefaultArg>,
    pub(crate) header: Option<LitStr>,
    /// The key that says `as_string`.
    pub(crate) as_string: Option<Span>,
}

/// `default` or `default = …`
pub(crate) enum DefaultArg {
    /// That of the type.
    Own,
    /// This value.
    Value(Box<Expr>),
}

impl ArgumentArgs {
    /// Reads the attribute.
    pub(crate) fn parse(attribute: &Attribute, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        for pair in ARGUMENT.parse_attribute(attribute, errors) {
            let place = pair.key.span();
            match pair.key.to_string().as_str() {
                "name" => args.name = pair.literal(errors),
                "as_string" => args.as_string = pair.flag(errors).and_then(|as_string| as_string.then_some(place)),
                "header" => args.header = pair.literal(errors).filter(|name| legal_header(name, errors)),
                _ => {
                    args.default = match pair.value {
                        Value::Absent => Some(DefaultArg::Own),
                        _ => pair.expression("…", errors).map(|value| DefaultArg::Value(Box::new(value))),
                    };
                }
            }
        }
        args
    }
}

fn legal_header(name: &LitStr, errors: &mut Errors) -> bool {
    let legal = names::is_header_name(&name.value());
    if !legal {
        errors.at(
            name,
            format_args!(
                "the name of a header must be letters, digits and `-`, found \"{}\"; write, for example, \
                 `header = \"Region\"`",
                name.value()
            ),
        );
    }
    legal
}
