//! What all functions have in common, and which signatures they may have.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, FnArg, Ident, Receiver, ReceiverKind, ReturnType, Signature, ext::IdentExt, parse_quote};

use super::{Own, spaceless, types};
use crate::{
    args::FunctionArgs,
    doc::Doc,
    errors::Errors,
    item::{self, is_named},
    model::{Function, Kind, Manner, Name, Output, Shape},
    names,
};

impl Own<'_> {
    pub(super) fn function(
        &self,
        kind: Kind,
        function: &item::Function,
        args: FunctionArgs,
        errors: &mut Errors,
    ) -> Function {
        let signature = &function.signature;
        there_in_every_configuration(kind, &function.attributes, errors);
        let name = name(args.name.as_ref(), &signature.ident);
        // A completion's name is for logs alone.
        if kind != Kind::Completion {
            legal_name(kind, &name, args.name.is_some(), errors);
        }
        qualifiers(kind, signature, errors);
        let receiver = self.receiver(kind, signature, errors);
        let parameters = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Receiver(_) => None,
            FnArg::Typed(parameter) => self.parameter(kind, parameter, errors),
        });
        let parameters = parameters.collect();
        let output = self.output(kind, signature, errors);
        let manner = match (signature.asyncness, args.blocking) {
            (None, None) => Manner::Sync,
            (None, Some(_)) => Manner::Blocking,
            (Some(_), None) => Manner::Async,
            (Some(token), Some(_)) => {
                errors.at(
                    token,
                    format_args!(
                        "a blocking {} must be a sync function, found `async`; remove `async`, or remove `blocking` and \
                         await what blocks",
                        kind.noun()
                    ),
                );
                Manner::Async
            }
        };
        Function {
            kind,
            ident: signature.ident.clone(),
            name,
            title: args.title,
            description: Doc::of(&function.attributes),
            icons: args.icons,
            meta: args.meta.map(|meta| self.concrete(meta)),
            deadline: args.deadline.map(|deadline| self.concrete(deadline)),
            manner,
            receiver,
            parameters,
            output,
        }
    }

    fn receiver(&self, kind: Kind, signature: &Signature, errors: &mut Errors) -> bool {
        let Some(receiver) = signature.receiver() else { return false };
        if let Shape::Mod(_) = self.shape {
            errors.at(
                receiver_place(receiver),
                format_args!(
                    "a function in a `mod` must not have `self`; write an `impl` for {}s that share a value, or remove it",
                    kind.noun()
                ),
            );
            return false;
        }
        match &receiver.kind {
            ReceiverKind::Reference(_, lifetime, None) => {
                if let Some(lifetime) = lifetime {
                    errors.at(lifetime, "`&self` must not name its lifetime; write `&self`");
                }
            }
            ReceiverKind::Reference(..) => errors.at(
                receiver_place(receiver),
                "the server value must be taken as `&self`, for all sessions share it, found `&mut self`; keep \
                 what changes in session state, or in a `Mutex` in the server",
            ),
            ReceiverKind::Value => errors.at(
                receiver_place(receiver),
                "the server value must be taken as `&self`, for all calls share it, found `self` by value; \
                 write `&self`",
            ),
            _ => errors.at(
                receiver_place(receiver),
                format_args!(
                    "the server value must be taken as `&self`, found `{}`; write `&self`",
                    spaceless(receiver_place(receiver))
                ),
            ),
        }
        true
    }

    fn output(&self, kind: Kind, signature: &Signature, errors: &mut Errors) -> Output {
        let ReturnType::Type(_, ty) = &signature.output else {
            if kind != Kind::Tool {
                let (noun, ident) = (kind.noun(), &signature.ident);
                let example = if kind == Kind::Completion { "Vec<String>" } else { "String" };
                errors.at(
                    ident,
                    format_args!(
                        "a {noun} must return something, found nothing; write, for example, `fn {ident}(…) -> {example}`"
                    ),
                );
            }
            return Output { ty: parse_quote!(()), borrows: false };
        };
        let mut ty = self.concrete_type(ty);
        types::check_output(kind, &ty, errors);
        let borrows = types::name_elided_lifetimes(&mut ty);
        Output { ty, borrows }
    }
}

fn there_in_every_configuration(kind: Kind, attributes: &[Attribute], errors: &mut Errors) {
    for attribute in attributes.iter().filter(|attribute| is_named(attribute, "cfg") || is_named(attribute, "cfg_attr"))
    {
        errors.at(
            attribute,
            format_args!(
                "a {} must be there in every configuration, found a condition; put it on the whole server, or into the \
                 function",
                kind.noun()
            ),
        );
    }
}

/// The name in the attribute, or else that of the function or parameter.
pub(super) fn name(given: Option<&syn::LitStr>, ident: &Ident) -> Name {
    match given {
        Some(name) => Name { text: name.value(), span: name.span() },
        None => Name { text: ident.unraw().to_string(), span: ident.span() },
    }
}

fn legal_name(kind: Kind, name: &Name, given: bool, errors: &mut Errors) {
    let (noun, limit) = (kind.noun(), names::NAME_LIMIT);
    let fix =
        if given { "choose such a name".to_owned() } else { format!("give it one: `#[{noun}({})]`", example(kind)) };
    if !names::is_function_name(&name.text) {
        errors.at_span(
            name.span,
            format_args!(
                "the name of a {noun} must be letters, digits, `_` and `-`, beginning with a letter or `_`, found `{}`; \
                 {fix}",
                name.text
            ),
        );
    } else if name.text.len() > limit {
        errors.at_span(
            name.span,
            format_args!(
                "the name of a {noun} must have at most {limit} characters, for clients put the server's before it, found \
                 {}; {fix}",
                name.text.len()
            ),
        );
    }
}

/// The key that gives a name, as messages show it.
fn example(kind: Kind) -> &'static str {
    if kind == Kind::Resource { "\"…\", name = \"…\"" } else { "name = \"…\"" }
}

fn qualifiers(kind: Kind, signature: &Signature, errors: &mut Errors) {
    let noun = kind.noun();
    if let Some(token) = &signature.constness {
        errors.at(token, format_args!("a {noun} must not be `const`; remove `const`"));
    }
    if let syn::Safety::Unsafe(token) = &signature.safety {
        errors.at(token, format_args!("a {noun} must not be `unsafe`, for anyone may call it; remove `unsafe`"));
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, format_args!("a {noun} must be a plain Rust function, found `extern`; remove it"));
    }
    if let Some(dots) = &signature.variadic {
        errors.at(dots, format_args!("a {noun} must have a fixed number of parameters, found `...`; take a `Vec`"));
    }
    if !signature.generics.params.is_empty() {
        errors.at(
            &signature.generics,
            format_args!(
                "a {noun} must not be generic, for its schema is made once, at compile time; name the concrete types"
            ),
        );
    }
    if let Some(clause) = &signature.generics.where_clause {
        errors.at(clause, format_args!("a {noun} must not have a `where` clause; remove it"));
    }
}

fn receiver_place(receiver: &Receiver) -> TokenStream {
    let Receiver { mutability, self_token, kind, .. } = receiver;
    match kind {
        ReceiverKind::Value => quote!(#mutability #self_token),
        ReceiverKind::Reference(and, lifetime, mutability) => quote!(#and #lifetime #mutability #self_token),
        ReceiverKind::Typed(colon, ty) => quote!(#mutability #self_token #colon #ty),
        _ => quote!(#self_token),
    }
}
