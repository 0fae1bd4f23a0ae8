//! The macros as functions from tokens to tokens, without the compiler around them.
//!
//! Takes: what rustc hands over. Gives: what it compiles. Knows: the order of the stages. Must not know: their inside.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::{
    args::ServerArgs,
    check,
    errors::Errors,
    expand, fallback,
    item::ServerItem,
    lower,
    model::{Kind, SessionType},
};

/// `#[mcp_server(args)] item`
pub(crate) fn mcp_server(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = ServerArgs::parse(args, &mut errors);
    let item = match ServerItem::parse(item.clone()) {
        Ok(item) => item,
        Err(error) => {
            // Not even the outline is legible: give it back as it is, so that the editor keeps what there is.
            errors.parser(error);
            return errors.into_tokens().into_iter().chain(item).collect();
        }
    };
    let server = lower::server(args, &item, &mut errors);
    check::server(&server, &item, &mut errors);
    if errors.is_empty() { expand::server(&server, &item) } else { fallback::server(&server, &item, errors) }
}

/// `#[tool(args)] item` and its likes, reached only where no `#[mcp_server]` took the attribute away.
pub(crate) fn stray(kind: Kind, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    // The function's name, or whatever else stands first.
    let mut tokens = item.clone().into_iter();
    let first = tokens.next();
    let place = tokens.skip_while(|token| token.to_string() != "fn").nth(1).or(first);
    errors.at(
        place,
        format_args!(
            "`#[{}]` must be on a function directly in an `impl` or inline `mod` that is marked `#[mcp_server]`, found \
             one elsewhere; mark the `impl` or `mod` around it",
            kind.attribute()
        ),
    );
    // The parameters may carry what only `#[mcp_server]` would have taken away.
    let item = ServerItem::without_parameter_attributes(item);
    let errors = errors.into_tokens();
    quote! { #errors #item }
}

/// `#[derive(SessionState)] item`
pub(crate) fn session_state(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let input = match syn::parse2::<syn::DeriveInput>(item) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let state: Option<SessionType> = lower::session_type(&input, &mut errors);
    match state {
        Some(state) if errors.is_empty() => expand::session_type(&state),
        _ => {
            let mut tokens = fallback::session_type(&input);
            errors.into_tokens().to_tokens(&mut tokens);
            tokens
        }
    }
}
