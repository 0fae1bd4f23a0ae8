//! The item under `#[mcp_server]`, as far as the macro must understand it: bodies of functions stay tokens, so what is
//! wrong inside them is the compiler's to say, and large servers cost little to read.
//!
//! Takes: tokens. Gives: a [`ServerItem`], and later the user's item again without our attributes. Knows: Rust's syntax.
//! Must not know: what makes a good declaration.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote};
use syn::{
    Attribute, FnArg, Ident, ImplItem, Item, ItemImpl, ItemMod, Result, Signature, Token, Visibility,
    ext::IdentExt,
    parse::{Parse, ParseStream, Parser},
};

use crate::{doc::is_doc, model::Kind};

/// The whole item.
pub(crate) struct ServerItem {
    /// What it is, with an empty body.
    pub(crate) head: Head,
    /// `#![…]` and `//!` at the beginning of the body.
    pub(crate) inner_attributes: Vec<Attribute>,
    /// What is in the body.
    pub(crate) members: Vec<Member>,
}

/// The kind of an item, with its attributes and an empty body.
pub(crate) enum Head {
    /// `impl Notes {}`
    Impl(Box<ItemImpl>),
    /// `mod calculator {}`
    Mod(ItemMod),
    /// Neither: the whole item, and what it is called.
    Other(TokenStream, &'static str),
}

/// One thing in the body.
pub(crate) enum Member {
    /// A function.
    Function(Box<Function>),
    /// Anything else, with its name where it has one.
    Other(TokenStream, Option<Ident>),
}

/// A function.
pub(crate) struct Function {
    /// Without those that declare it.
    pub(crate) attributes: Vec<Attribute>,
    /// Every `#[tool]`, `#[prompt]`, `#[resource]` and `#[complete]` on it.
    pub(crate) declarations: Vec<(Kind, Attribute)>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    /// The body, in its braces.
    pub(crate) body: TokenStream,
}

impl ServerItem {
    /// Reads the outline of an item.
    pub(crate) fn parse(item: TokenStream) -> Result<Self> {
        let mut tokens: Vec<TokenTree> = item.clone().into_iter().collect();
        let body = match tokens.pop() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => group,
            _ => return Ok(Self::other(item)),
        };
        let emptied = Group::new(Delimiter::Brace, TokenStream::new());
        let emptied = tokens.into_iter().chain([with_span(emptied, &body).into()]).collect();
        match syn::parse2(emptied) {
            Ok(Item::Impl(head)) => Self::parse_body(Head::Impl(Box::new(head)), &body, parse_in_impl),
            Ok(Item::Mod(head)) => Self::parse_body(Head::Mod(head), &body, parse_in_mod),
            Ok(_) => Ok(Self::other(item)),
            Err(error) => Err(error),
        }
    }

    fn parse_body(head: Head, body: &Group, other: fn(ParseStream) -> Result<Member>) -> Result<Self> {
        let parser = |input: ParseStream| {
            let inner_attributes = input.call(Attribute::parse_inner)?;
            let mut members = Vec::new();
            while !input.is_empty() {
                members.push(if is_function(input) {
                    Member::Function(Box::new(input.parse()?))
                } else {
                    other(input)?
                });
            }
            Ok((inner_attributes, members))
        };
        let (inner_attributes, members) = parser.parse2(body.stream())?;
        Ok(Self { head, inner_attributes, members })
    }

    fn other(item: TokenStream) -> Self {
        let kind = match syn::parse2::<Item>(item.clone()) {
            Ok(Item::Struct(_)) => "a struct",
            Ok(Item::Enum(_)) => "an enum",
            Ok(Item::Union(_)) => "a union",
            Ok(Item::Fn(_)) => "a function",
            Ok(Item::Trait(_)) => "a trait",
            Ok(Item::Mod(_)) => "a `mod` in a file of its own",
            _ => "another item",
        };
        Self { head: Head::Other(item, kind), inner_attributes: Vec::new(), members: Vec::new() }
    }

    /// The functions, in source order.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &Function> {
        self.members.iter().filter_map(|member| match member {
            Member::Function(function) => Some(&**function),
            Member::Other(..) => None,
        })
    }

    /// The names of what is in the body.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Ident> {
        self.members.iter().filter_map(|member| match member {
            Member::Function(function) => Some(&function.signature.ident),
            Member::Other(_, name) => name.as_ref(),
        })
    }

    /// The user's item without our attributes; `more` is added at the end of its body.
    pub(crate) fn emit(&self, more: &TokenStream) -> TokenStream {
        let (inner_attributes, members) = (&self.inner_attributes, &self.members);
        let head = match &self.head {
            Head::Impl(head) => head.to_token_stream(),
            Head::Mod(head) => head.to_token_stream(),
            Head::Other(item, _) => return item.clone(),
        };
        let mut tokens: Vec<TokenTree> = head.into_iter().collect();
        let Some(TokenTree::Group(braces)) = tokens.pop() else { return tokens.into_iter().collect() };
        let body = Group::new(Delimiter::Brace, quote! { #(#inner_attributes)* #(#members)* #more });
        tokens.into_iter().chain([with_span(body, &braces).into()]).collect()
    }

    /// A function without the attributes of its parameters that are ours; any other item as it is.
    pub(crate) fn without_parameter_attributes(item: TokenStream) -> TokenStream {
        match syn::parse2::<Function>(item.clone()) {
            Ok(mut function) => {
                strip(&mut function.signature);
                function.declarations.clear();
                function.to_token_stream()
            }
            Err(_) => item,
        }
    }
}

/// The same group in the place of another.
fn with_span(mut group: Group, place: &Group) -> Group {
    group.set_span(place.span());
    group
}

/// Whether the next member is a function.
fn is_function(input: ParseStream) -> bool {
    let ahead = input.fork();
    let prelude = (|| -> Result<()> {
        ahead.call(Attribute::parse_outer)?;
        ahead.parse::<Visibility>()?;
        while ahead.peek(Token![const])
            || ahead.peek(Token![async])
            || ahead.peek(Token![unsafe])
            || ahead.peek(Token![extern])
            || ahead.peek(syn::LitStr)
        {
            ahead.parse::<TokenTree>()?;
        }
        Ok(())
    })();
    prelude.is_ok() && ahead.peek(Token![fn])
}

fn parse_in_impl(input: ParseStream) -> Result<Member> {
    let item: ImplItem = input.parse()?;
    let name = match &item {
        ImplItem::Const(item) => Some(item.ident.clone()),
        ImplItem::Type(item) => Some(item.ident.clone()),
        _ => None,
    };
    Ok(Member::Other(item.into_token_stream(), name))
}

fn parse_in_mod(input: ParseStream) -> Result<Member> {
    let item: Item = input.parse()?;
    let name = match &item {
        Item::Const(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Mod(item) => Some(&item.ident),
        Item::Static(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        Item::Union(item) => Some(&item.ident),
        _ => None,
    };
    let name = name.cloned();
    Ok(Member::Other(item.into_token_stream(), name))
}

impl Parse for Function {
    fn parse(input: ParseStream) -> Result<Self> {
        let (mut declarations, mut attributes) = (Vec::new(), Vec::new());
        for attribute in input.call(Attribute::parse_outer)? {
            match Kind::ALL.into_iter().find(|kind| is_named(&attribute, kind.attribute())) {
                Some(kind) => declarations.push((kind, attribute)),
                None => attributes.push(attribute),
            }
        }
        let visibility = input.parse()?;
        let signature = input.parse()?;
        let body = match input.parse()? {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => group.into_token_stream(),
            other => return Err(syn::Error::new(other.span(), "expected the body of the function, in braces")),
        };
        Ok(Self { attributes, declarations, visibility, signature, body })
    }
}

/// Whether the last segment of the attribute's path is this, so that `#[mcp_runtime::tool]` is one as well.
pub(crate) fn is_named(attribute: &Attribute, name: &str) -> bool {
    attribute.path().segments.last().is_some_and(|segment| segment.ident.unraw() == name)
}

/// Takes away what only we understand, and doc comments, which rustc refuses on parameters.
fn strip(signature: &mut Signature) {
    for input in &mut signature.inputs {
        let attributes = match input {
            FnArg::Receiver(receiver) => &mut receiver.attrs,
            FnArg::Typed(parameter) => &mut parameter.attrs,
        };
        attributes.retain(|attribute| !is_doc(attribute) && !is_named(attribute, "arg"));
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attributes, declarations, visibility, signature, body } = self;
        let mut signature = signature.clone();
        if !declarations.is_empty() {
            strip(&mut signature);
            // What a caller passes by name is as readable with nine arguments as with two.
            if signature.inputs.len() > 7 {
                tokens.extend(quote! { #[allow(clippy::too_many_arguments)] });
            }
        }
        tokens.extend(quote! { #(#attributes)* #visibility #signature #body });
    }
}

impl ToTokens for Member {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Function(function) => function.to_tokens(tokens),
            Self::Other(item, _) => tokens.append_all(item.clone()),
        }
    }
}
