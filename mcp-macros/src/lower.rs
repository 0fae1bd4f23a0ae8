//! From syntax to the model, one function per part of it.
//!
//! Takes: attributes and signatures. Gives: the model; where there are mistakes, what can be told in spite of them. Knows:
//! the one rule (owned is an argument, borrowed is injected) and what signatures a function may have. Must not know: rules that
//! need more than one function, generated code.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::Type;

use crate::{
    args::ServerArgs,
    doc::Doc,
    errors::Errors,
    item::{Function, Head, ServerItem},
    model::{Kind, Server, Shape},
};

mod completion;
mod function;
mod parameter;
mod prompt;
mod resource;
mod state;
mod template;
mod tool;
mod types;

pub(crate) use state::session_type;

/// A server; mistakes leave what can still be told.
pub(crate) fn server(args: ServerArgs, item: &ServerItem, errors: &mut Errors) -> Server {
    let ServerArgs {
        name,
        version,
        title,
        website_url,
        icons,
        lenient,
        changes,
        list_ttl,
        list_public,
        require_session,
        runtime,
    } = args;
    let instructions = match &item.head {
        Head::Impl(head) => Doc::of(&[&head.attrs[..], &item.inner_attributes].concat()),
        Head::Mod(head) => Doc::of(&[&head.attrs[..], &item.inner_attributes].concat()),
        Head::Other(..) => Doc::default(),
    };
    let mut server = Server {
        runtime,
        shape: shape(item, errors),
        name,
        version,
        title,
        website_url,
        icons,
        lenient: lenient.unwrap_or(true),
        changes,
        instructions,
        list_ttl,
        list_public,
        require_session,
        tools: Vec::new(),
        prompts: Vec::new(),
        resources: Vec::new(),
        completions: Vec::new(),
    };
    if !matches!(server.shape, Shape::Broken) {
        for function in item.functions() {
            declared(&mut server, function, errors);
        }
    }
    server
}

/// Adds what a function is declared as, where it is.
fn declared(server: &mut Server, function: &Function, errors: &mut Errors) {
    let [(kind, attribute), more @ ..] = &function.declarations[..] else { return };
    for (other, again) in more {
        let (first, second) = (kind.attribute(), other.attribute());
        if other == kind {
            errors.at(again, format_args!("`#[{first}]` must be given once, found it twice; put all keys into one"));
        } else {
            errors.at(
                again,
                format_args!(
                    "a function must be declared as one thing, found `#[{first}]` and `#[{second}]`; write a function for \
                     each, which call a third one"
                ),
            );
        }
    }
    let own = Own { shape: &server.shape };
    match kind {
        Kind::Tool => server.tools.push(own.tool(function, attribute, errors)),
        Kind::Prompt => server.prompts.push(own.prompt(function, attribute, errors)),
        Kind::Resource => server.resources.extend(own.resource(function, attribute, errors)),
        Kind::Completion => server.completions.extend(own.completion(function, attribute, errors)),
    }
}

fn shape(item: &ServerItem, errors: &mut Errors) -> Shape {
    let before = errors.count();
    let shape = match &item.head {
        Head::Other(item, kind) => {
            let place: TokenStream = item.clone().into_iter().take(3).collect();
            errors.at(
                place,
                format_args!(
                    "`#[mcp_server]` must be on an `impl` block or on an inline `mod`, found {kind}; write \
                     `#[mcp_server] impl Name {{ … }}` around the functions"
                ),
            );
            return Shape::Broken;
        }
        Head::Mod(head) => {
            if let Some(token) = &head.unsafety {
                errors.at(token, "a server's `mod` must not be `unsafe`; remove `unsafe`");
            }
            return Shape::Mod(head.ident.clone());
        }
        Head::Impl(head) => {
            if let Some((path, _)) = &head.trait_ {
                errors.at(
                    path,
                    format_args!(
                        "`#[mcp_server]` must be on an inherent `impl`, found an `impl` of the trait `{}`; \
                         move the functions into `impl {} {{ … }}`",
                        spaceless(path),
                        spaceless(&head.self_ty)
                    ),
                );
            }
            if let Some(token) = &head.unsafety {
                errors.at(token, "a server's `impl` must not be `unsafe`; remove `unsafe`");
            }
            if !head.generics.params.is_empty() || head.generics.where_clause.is_some() {
                let place = if head.generics.params.is_empty() {
                    head.generics.where_clause.to_token_stream()
                } else {
                    head.generics.to_token_stream()
                };
                errors.at(
                    place,
                    "a server's type must not be generic, for its schemas are made once, at compile time; name \
                     a concrete type: `type MyServer = …;`",
                );
                return Shape::Broken;
            }
            match types::plain_name(&head.self_ty) {
                Some(ident) => Shape::Impl(ident, head.self_ty.to_token_stream()),
                None => {
                    errors.at(
                        &head.self_ty,
                        format_args!(
                            "a server's type must be a plain name, found `{}`; give it one: `type MyServer = {};`",
                            spaceless(&head.self_ty),
                            spaceless(&head.self_ty)
                        ),
                    );
                    Shape::Broken
                }
            }
        }
    };
    if errors.count() == before { shape } else { Shape::Broken }
}

/// The lowering of what belongs to one server.
struct Own<'a> {
    shape: &'a Shape,
}

impl Own<'_> {
    /// The same without `Self`, which means nothing outside of the `impl`.
    fn concrete_type(&self, ty: &Type) -> Type {
        match self.shape {
            Shape::Impl(_, self_type) => {
                syn::parse2(without_self(ty.to_token_stream(), self_type)).unwrap_or_else(|_| ty.clone())
            }
            _ => ty.clone(),
        }
    }

    /// As [`Self::concrete_type`], of an expression.
    fn concrete(&self, expression: syn::Expr) -> syn::Expr {
        match self.shape {
            Shape::Impl(_, self_type) => {
                syn::parse2(without_self(expression.to_token_stream(), self_type)).unwrap_or(expression)
            }
            _ => expression,
        }
    }
}

fn without_self(tokens: TokenStream, self_type: &TokenStream) -> TokenStream {
    use proc_macro2::{Group, TokenTree};
    let replace = |token| match token {
        TokenTree::Ident(ident) if ident == "Self" => self_type
            .clone()
            .into_iter()
            .map(|mut token| {
                token.set_span(ident.span());
                token
            })
            .collect(),
        TokenTree::Group(group) => {
            let mut replaced = Group::new(group.delimiter(), without_self(group.stream(), self_type));
            replaced.set_span(group.span());
            TokenTree::Group(replaced).into()
        }
        token => TokenStream::from(token),
    };
    tokens.into_iter().map(replace).collect()
}

/// Tokens as people write them, near enough for a message.
pub(crate) fn spaceless(tokens: impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    [
        (" :: ", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
        (" :", ":"),
        ("( ", "("),
        (" )", ")"),
    ]
    .iter()
    .fold(text, |text, (spaced, plain)| text.replace(spaced, plain))
}

/// From the first token of a type to its last, for code that stands for it.
pub(crate) fn ends(tokens: impl ToTokens) -> (Span, Span) {
    let mut tokens = tokens.to_token_stream().into_iter().map(|token| token.span());
    let first = tokens.next().unwrap_or_else(Span::call_site);
    (first, tokens.last().unwrap_or(first))
}
