//! The call of a tool's function, and what becomes of what it returns.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::{args, at, entry};
use crate::{
    lower::ends,
    model::{Manner, Parameter, Shape, Tool},
};

/// The arm of one tool.
pub(super) fn tool(tool: usize, declared: &Tool, shape: &Shape) -> TokenStream {
    let decode = args::decode(tool, declared);
    let parts: Vec<Ident> = (0..declared.parts().count()).map(|index| format_ident!("__mcp_part_{index}")).collect();
    let take_parts = (!parts.is_empty()).then(|| quote! { let [#(#parts),*] = __mcp::parts(run.parts)?; });
    let returned = returned(tool, declared, shape, &parts);
    let output = output_name(tool);
    // At the function's name stands what the compiler says of the future.
    quote_spanned! {at(declared.function.span())=>
        __mcp::future_of_a_tool_must_be_send(async move {
            #decode
            #take_parts
            #output().finish(#returned)
        })
    }
}

fn returned(tool: usize, declared: &Tool, shape: &Shape, parts: &[Ident]) -> TokenStream {
    let function = &declared.function;
    let path = match shape {
        Shape::Impl(_, ty) => quote!(<#ty>::#function),
        Shape::Mod(_) | Shape::Broken => quote!(#function),
    };
    let receiver = declared.receiver.then(|| quote_spanned! {at(function.span())=> self, });
    let (mut argument, mut part, mut context) = (0, 0, 0);
    let next = |counter: &mut usize| std::mem::replace(counter, *counter + 1);
    let parameters = declared.parameters.iter().map(|parameter| match parameter {
        Parameter::Argument(_) => {
            let value = args::value(next(&mut argument));
            quote!(#value)
        }
        Parameter::Part(declared) => {
            let index = next(&mut part);
            let (name, slot) = (entry("PART", tool, index), &parts[index]);
            let method = if declared.writes { quote!(write) } else { quote!(read) };
            quote!(#name.#method(#slot))
        }
        Parameter::Context(_) => {
            let name = entry("CONTEXT", tool, next(&mut context));
            quote!(#name.of(run.cx))
        }
    });
    let call = quote! { #path(#receiver #(#parameters),*) };
    match declared.manner {
        Manner::Sync => call,
        Manner::Async => quote_spanned! {at(function.span())=> #call.await },
        Manner::Blocking => quote! { __mcp::blocking(|| #call) },
    }
}

/// The function that says what becomes of what the tool's function returns.
pub(super) fn output(tool: usize, declared: &Tool) -> TokenStream {
    let (name, ty) = (output_name(tool), &declared.output.ty);
    let lifetime = declared.output.borrows.then(|| quote!(<'__mcp>));
    let (first, last) = ends(ty);
    // The compiler speaks of an argument from its first token to its last, so these stand where the type does.
    let peeled = quote_spanned! {at(first)=> __mcp_peeled };
    let inner = quote_spanned! {at(first)=> __mcp_inner };
    let closes = quote_spanned! {at(last)=> #inner.closes() };
    let opens = quote_spanned! {at(last)=> #peeled.opens() };
    quote! {
        fn #name #lifetime() -> __mcp::Output<#ty> {
            let __mcp_peeled = __mcp::Probe::<#ty>::NEW.peel();
            let __mcp_inner = __mcp_peeled.inner();
            __mcp::output(#opens, #closes)
        }
    }
}

/// Its name.
pub(super) fn output_name(tool: usize) -> Ident {
    format_ident!("__mcp_output_{tool}")
}
