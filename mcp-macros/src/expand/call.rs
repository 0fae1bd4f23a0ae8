//! The call of a function, and what becomes of what it returns.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::{Placed, args, at, entry};
use crate::{
    lower::ends,
    model::{Function, Kind, Manner, Parameter, Shape},
};

/// What an arm of the `match` over one kind's functions does.
pub(super) fn call(placed: &Placed<'_>, shape: &Shape) -> TokenStream {
    let Placed { number, function, .. } = *placed;
    let decode = args::decode(placed);
    let parts: Vec<Ident> = (0..function.parts().count()).map(|index| format_ident!("__mcp_part_{index}")).collect();
    let take_parts = (!parts.is_empty()).then(|| quote! { let [#(#parts),*] = __mcp::parts(run.parts)?; });
    let returned = returned(number, function, shape, &parts);
    let output = output_name(number);
    // At the function's name stands what the compiler says of the future.
    quote_spanned! {at(function.ident.span())=>
        __mcp::future_must_be_send(async move {
            #decode
            #take_parts
            #output().finish(#returned)
        })
    }
}

fn returned(number: usize, function: &Function, shape: &Shape, parts: &[Ident]) -> TokenStream {
    let ident = &function.ident;
    let path = match shape {
        Shape::Impl(_, ty) => quote!(<#ty>::#ident),
        Shape::Mod(_) | Shape::Broken => quote!(#ident),
    };
    let receiver = function.receiver.then(|| quote_spanned! {at(ident.span())=> self, });
    let (mut argument, mut part, mut context) = (0, 0, 0);
    let next = |counter: &mut usize| std::mem::replace(counter, *counter + 1);
    let parameters = function.parameters.iter().map(|parameter| match parameter {
        Parameter::Argument(_) => {
            let value = args::value(next(&mut argument));
            quote!(#value)
        }
        Parameter::Part(declared) => {
            let index = next(&mut part);
            let (name, slot) = (entry("PART", number, index), &parts[index]);
            let method = if declared.writes { quote!(write) } else { quote!(read) };
            quote!(#name.#method(#slot))
        }
        Parameter::Context(_) => {
            let name = entry("CONTEXT", number, next(&mut context));
            quote!(#name.of(run.cx))
        }
    });
    let call = quote! { #path(#receiver #(#parameters),*) };
    match function.manner {
        Manner::Sync => call,
        Manner::Async => quote_spanned! {at(ident.span())=> #call.await },
        Manner::Blocking => quote! { __mcp::blocking(|| #call) },
    }
}

/// The function that says what becomes of what the user's function returns.
pub(super) fn output(placed: &Placed<'_>) -> TokenStream {
    let Placed { number, function, .. } = *placed;
    let (name, ty) = (output_name(number), &function.output.ty);
    let lifetime = function.output.borrows.then(|| quote!(<'__mcp>));
    let (first, last) = ends(ty);
    // The compiler speaks of an argument from its first token to its last, so these stand where the type does.
    let peeled = quote_spanned! {at(first)=> __mcp_peeled };
    let inner = quote_spanned! {at(first)=> __mcp_inner };
    let opens = quote_spanned! {at(last)=> #peeled.opens() };
    let method = format_ident!("{}", closing(function.kind), span = at(last));
    let mut closes = quote_spanned! {at(last)=> #inner.#method() };
    let mut perhaps = None;
    let mut ask_inner = quote!(__mcp_peeled.inner());
    if function.kind == Kind::Resource {
        // Of a resource there is one more question: whether it may be not there.
        perhaps = Some(quote! { let __mcp_perhaps = __mcp_peeled.inner().perhaps(); });
        ask_inner = quote!(__mcp_perhaps.inner());
        let asked = quote_spanned! {at(first)=> __mcp_perhaps };
        closes = quote_spanned! {at(last)=> #asked.closes(#closes) };
    }
    let result = result(function.kind).map(|result| quote!(, #result));
    quote! {
        fn #name #lifetime() -> __mcp::Output<#ty #result> {
            let __mcp_peeled = __mcp::Probe::<#ty>::NEW.peel();
            #perhaps
            let __mcp_inner = #ask_inner;
            __mcp::output(#opens, #closes)
        }
    }
}

/// The question about a returned type whose answer ends a call of this kind.
fn closing(kind: Kind) -> &'static str {
    match kind {
        Kind::Tool => "closes",
        Kind::Prompt => "closes_prompt",
        Kind::Resource => "closes_resource",
        Kind::Completion => "closes_completion",
    }
}

/// What a call of this kind gives; of a tool it need not be said.
pub(super) fn result(kind: Kind) -> Option<TokenStream> {
    match kind {
        Kind::Tool => None,
        Kind::Prompt => Some(quote!(__mcp::PromptResult)),
        Kind::Resource => Some(quote!(__mcp::ResourceResult)),
        Kind::Completion => Some(quote!(__mcp::Completion)),
    }
}

/// Its name.
pub(super) fn output_name(number: usize) -> Ident {
    format_ident!("__mcp_output_{number}")
}
