//! From syntax to the model, one function per part of it.
//!
//! Takes: attributes and signatures. Gives: the model; where there are mistakes, what can be told in spite of them. Knows:
//! the one rule (owned is an argument, borrowed is injected) and what signatures a tool may have. Must not know: rules that
//! need more than one function, generated code.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    FnArg, Ident, Pat, PatType, Receiver, ReceiverKind, ReturnType, Signature, Type, ext::IdentExt, parse_quote,
};

use crate::{
    args::{ArgumentArgs, DefaultArg, ServerArgs, ToolArgs},
    doc::Doc,
    errors::Errors,
    item::{Function, Head, ServerItem, is_named},
    model::{Argument, Default, Manner, Name, Output, Parameter, Part, Server, Shape, Tool},
    names,
};

mod state;
mod types;

pub(crate) use state::session_type;

/// A server; mistakes leave what can still be told.
pub(crate) fn server(args: ServerArgs, item: &ServerItem, errors: &mut Errors) -> Server {
    let ServerArgs { name, version, title, website_url, icons, lenient, runtime } = args;
    let shape = shape(item, errors);
    let instructions = match &item.head {
        Head::Impl(head) => Doc::of(&[&head.attrs[..], &item.inner_attributes].concat()),
        Head::Mod(head) => Doc::of(&[&head.attrs[..], &item.inner_attributes].concat()),
        Head::Other(..) => Doc::default(),
    };
    let own = Own { shape: &shape };
    let mut tools = Vec::new();
    if !matches!(shape, Shape::Broken) {
        tools.extend(
            item.functions().filter(|function| !function.tool.is_empty()).map(|function| own.tool(function, errors)),
        );
    }
    let lenient = lenient.unwrap_or(true);
    Server { runtime, name, version, title, website_url, icons, lenient, instructions, tools, shape }
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
                     `#[mcp_server] impl Name {{ … }}` around the tools"
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
                         move the tools into `impl {} {{ … }}`",
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
    fn tool(&self, function: &Function, errors: &mut Errors) -> Tool {
        let signature = &function.signature;
        let [attribute, more @ ..] = &function.tool[..] else {
            unreachable!("only functions with `#[tool]` come here")
        };
        let args = ToolArgs::parse(attribute, errors);
        for attribute in more {
            errors.at(attribute, "`#[tool]` must be given once, found it twice; put all keys into one");
        }
        for attribute in &function.attributes {
            if is_named(attribute, "cfg") || is_named(attribute, "cfg_attr") {
                errors.at(
                    attribute,
                    "a tool must be there in every configuration, found a condition; put it on the whole \
                     server, or into the function",
                );
            }
        }
        let name = name(args.name.as_ref(), &signature.ident);
        tool_name(&name, args.name.is_some(), errors);
        let description = Doc::of(&function.attributes);
        if description.is_empty() {
            errors.at(
                &signature.ident,
                format_args!(
                    "a tool must have a description, by which the model chooses it, found none on `{0}`; write \
                     a doc comment above `fn {0}`: `/// What it does and when to use it.`",
                    signature.ident
                ),
            );
        }
        qualifiers(signature, errors);
        let receiver = self.receiver(signature, errors);
        let parameters = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Receiver(_) => None,
            FnArg::Typed(parameter) => self.parameter(parameter, errors),
        });
        let parameters = parameters.collect();
        let output = self.output(&signature.output, errors);
        let manner = match (signature.asyncness, args.blocking) {
            (None, None) => Manner::Sync,
            (None, Some(_)) => Manner::Blocking,
            (Some(_), None) => Manner::Async,
            (Some(token), Some(_)) => {
                errors.at(
                    token,
                    "a blocking tool must be a sync function, found `async`; remove `async`, or remove \
                     `blocking` and await what blocks",
                );
                Manner::Async
            }
        };
        let tool = Tool {
            function: signature.ident.clone(),
            name,
            title: args.title,
            description,
            annotations: args.annotations,
            icons: args.icons,
            input_schema: args.input_schema.map(|schema| self.concrete(schema)),
            manner,
            receiver,
            parameters,
            output,
        };
        read_only(&tool, args.read_only, errors);
        tool
    }

    fn receiver(&self, signature: &Signature, errors: &mut Errors) -> bool {
        let Some(receiver) = signature.receiver() else { return false };
        if let Shape::Mod(_) = self.shape {
            errors.at(
                receiver_place(receiver),
                "a function in a `mod` must not have `self`; write an `impl` for tools that share a value, or \
                 remove it",
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

    fn parameter(&self, parameter: &PatType, errors: &mut Errors) -> Option<Parameter> {
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
        let kind = types::classify(&self.concrete_type(&parameter.ty), errors)?;
        if let types::Kind::Argument(ty) = kind {
            return self.argument(parameter, args, ty, errors);
        }
        for attribute in parameter.attrs.iter().filter(|attribute| is_named(attribute, "arg")) {
            errors.at(
                attribute,
                "`#[arg]` must be on an argument, which is taken by value, found it on a borrowed parameter; \
                 remove it",
            );
        }
        Some(match kind {
            types::Kind::Context(ty) => Parameter::Context(ty),
            types::Kind::Part(ty, writes) => Parameter::Part(Part { ty, writes }),
            types::Kind::Argument(_) => unreachable!("returned above"),
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

    fn output(&self, output: &ReturnType, errors: &mut Errors) -> Output {
        let ReturnType::Type(_, ty) = output else { return Output { ty: parse_quote!(()), borrows: false } };
        let mut ty = self.concrete_type(ty);
        types::check_output(&ty, errors);
        let borrows = types::name_elided_lifetimes(&mut ty);
        Output { ty, borrows }
    }

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

/// The name in the attribute, or else that of the function or parameter.
fn name(given: Option<&syn::LitStr>, ident: &Ident) -> Name {
    match given {
        Some(name) => Name { text: name.value(), span: name.span() },
        None => Name { text: ident.unraw().to_string(), span: ident.span() },
    }
}

fn tool_name(name: &Name, given: bool, errors: &mut Errors) {
    let fix = if given { "choose such a name" } else { "give it one: `#[tool(name = \"…\")]`" };
    if !names::is_tool_name(&name.text) {
        errors.at_span(
            name.span,
            format_args!(
                "the name of a tool must be letters, digits, `_` and `-`, beginning with a letter or `_`, \
                 found `{}`; {fix}",
                name.text
            ),
        );
    } else if name.text.len() > names::TOOL_NAME_LIMIT {
        errors.at_span(
            name.span,
            format_args!(
                "the name of a tool must have at most {} characters, for clients put the server's before it, \
                 found {}; {fix}",
                names::TOOL_NAME_LIMIT,
                name.text.len()
            ),
        );
    }
}

fn qualifiers(signature: &Signature, errors: &mut Errors) {
    if let Some(token) = &signature.constness {
        errors.at(token, "a tool must not be `const`; remove `const`");
    }
    if let syn::Safety::Unsafe(token) = &signature.safety {
        errors.at(token, "a tool must not be `unsafe`, for anyone may call it; remove `unsafe`");
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, "a tool must be a plain Rust function, found `extern`; remove it");
    }
    if let Some(dots) = &signature.variadic {
        errors.at(dots, "a tool must have a fixed number of parameters, found `...`; take a `Vec`");
    }
    if !signature.generics.params.is_empty() {
        errors.at(
            &signature.generics,
            "a tool must not be generic, for its schema is made once, at compile time; name the concrete types",
        );
    }
    if let Some(clause) = &signature.generics.where_clause {
        errors.at(clause, "a tool must not have a `where` clause; remove it");
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

fn read_only(tool: &Tool, key: Option<Span>, errors: &mut Errors) {
    let Some(key) = key else { return };
    if let Some(part) = tool.parts().find(|part| part.writes) {
        let ty = spaceless(&part.ty);
        errors.at_span(
            key,
            format_args!(
                "a `read_only` tool must not change anything, found `&mut {ty}`; borrow `&{ty}`, or remove \
                 `read_only`"
            ),
        );
    }
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
