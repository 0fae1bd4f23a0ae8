//! Parameters: what is owned, what is borrowed.

use syn::{Pat, PatType, Type};

use super::{Own, function::name, spaceless, types};
use crate::{
    args::{ArgumentArgs, DefaultArg},
    doc::Doc,
    errors::Errors,
    item::is_named,
    model::{Argument, Default, Kind, Parameter, Part},
    names,
};

impl Own<'_> {
    pub(super) fn parameter(&self, kind: Kind, parameter: &PatType, errors: &mut Errors) -> Option<Parameter> {
        let mut args = ArgumentArgs::default();
        let mut attributes = parameter.attrs.iter().filter(|attribute| is_named(attribute, "arg"));
        if let Some(attribute) = attributes.next() {
            args = ArgumentArgs::parse(attribute, errors);
        }
        for attribute in attributes {
            errors.at(attribute, "`#[arg]` must be given once, found it twice; put all keys into one");
        }
        for attribute in parameter.attrs.iter().filter(|attribute| is_named(attribute, "cfg")) {
            errors.at(attribute, "an argument must be there in every configuration, found a condition; remove it");
        }
        if let Some(header) = args.header.as_ref().filter(|_| kind != Kind::Tool) {
            let noun = kind.noun();
            errors.at(
                header,
                format_args!("`header` must be on an argument of a tool, found it on one of a {noun}; remove it"),
            );
        }
        let taken = types::classify(&self.concrete_type(&parameter.ty), errors)?;
        if let types::Taken::Argument(ty) = taken {
            return self.argument(parameter, args, ty, errors);
        }
        for attribute in parameter.attrs.iter().filter(|attribute| is_named(attribute, "arg")) {
            errors.at(
                attribute,
                "`#[arg]` must be on an argument, which is taken by value, found it on a borrowed parameter; \
                 remove it",
            );
        }
        Some(match taken {
            types::Taken::Context(ty) => Parameter::Context(ty),
            types::Taken::Part(ty, writes) => Parameter::Part(Part { ty, writes }),
            types::Taken::Argument(_) => unreachable!("returned above"),
        })
    }

    fn argument(&self, parameter: &PatType, args: ArgumentArgs, ty: Type, errors: &mut Errors) -> Option<Parameter> {
        let ident = match &*parameter.pat {
            Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => &pattern.ident,
            pattern => {
                errors.at(
                    pattern,
                    format_args!(
                        "an argument must have a plain name, under which the client sends it, found the \
                         pattern `{}`; write `name: {}` and take it apart in the function",
                        spaceless(pattern),
                        spaceless(&parameter.ty)
                    ),
                );
                return None;
            }
        };
        let name = name(args.name.as_ref(), ident);
        if !names::is_argument_name(&name.text) {
            let fix = if args.name.is_some() { "choose such a name" } else { "give it one: `#[arg(name = \"…\")]`" };
            errors.at_span(
                name.span,
                format_args!(
                    "the name of an argument must be letters, digits and `_`, not beginning with a digit, \
                     found `{}`; {fix}",
                    name.text
                ),
            );
        } else if name.text.len() > names::ARGUMENT_NAME_LIMIT {
            errors.at_span(
                name.span,
                format_args!(
                    "the name of an argument must have at most {} characters, found {}; shorten it",
                    names::ARGUMENT_NAME_LIMIT,
                    name.text.len()
                ),
            );
        }
        let default = args.default.map(|default| match default {
            DefaultArg::Own => Default::Own,
            DefaultArg::Value(value) => match self.concrete(*value) {
                value @ syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(_), .. }) => Default::Text(value),
                value => Default::Value(value),
            },
        });
        let header = args.header.map(|header| header.value());
        if let (Some(place), Some(_)) = (args.as_string, &header) {
            errors.at_span(
                place,
                "`as_string` and `header` must not be on one argument, for a header mirrors an integer that every \
                 client keeps exact, within ±(2^53 − 1); remove one",
            );
        }
        let description = Doc::of(&parameter.attrs);
        Some(Parameter::Argument(Box::new(Argument {
            name,
            description,
            ty,
            default,
            header,
            as_string: args.as_string.is_some(),
        })))
    }
}
