//! Duties of borrowed types: the table entries of session parts and of the request, and that no part is borrowed twice.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;

use super::{at, entry};
use crate::{
    lower::ends,
    model::{Parameter, Part, Tool},
};

/// What a tool's card and call refer to.
pub(super) fn tables(tool: usize, declared: &Tool) -> TokenStream {
    let parts = declared.parts().enumerate().map(|(index, part)| {
        let (name, ty) = (entry("PART", tool, index), &part.ty);
        quote! { const #name: __mcp::Part<#ty> = __mcp::part::<#ty>(); }
    });
    let contexts = contexts(declared).enumerate().map(|(index, ty)| {
        let name = entry("CONTEXT", tool, index);
        quote! { const #name: __mcp::ContextOf<#ty> = __mcp::context::<#ty>(); }
    });
    let parts_of: Vec<&Part> = declared.parts().collect();
    let pairs = (0..parts_of.len()).flat_map(|second| (0..second).map(move |first| (first, second)));
    let distinct = pairs.map(|(first, second)| {
        let (first, other) = (card(tool, first, parts_of[first]), card(tool, second, parts_of[second]));
        let message = "a tool must borrow each session type once, found two parameters whose types have the same key: \
                       they are one type under two names, or need `#[state(key = \"…\")]`";
        let (place, _) = ends(&parts_of[second].ty);
        quote_spanned! {at(place)=> const _: () = ::core::assert!(__mcp::distinct(&#first, &#other), #message); }
    });
    quote! { #(#parts)* #(#contexts)* #(#distinct)* }
}

fn contexts(tool: &Tool) -> impl Iterator<Item = &Type> {
    tool.parameters.iter().filter_map(|parameter| match parameter {
        Parameter::Context(ty) => Some(ty),
        _ => None,
    })
}

/// The entry in the tool's card.
pub(super) fn card(tool: usize, index: usize, part: &Part) -> TokenStream {
    let name = entry("PART", tool, index);
    if part.writes { quote!(#name.writes()) } else { quote!(#name.reads()) }
}
