//! Duties of borrowed types: the table entries of session parts and of the request, and that no part is borrowed twice.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;

use super::{Placed, at, entry};
use crate::{
    lower::ends,
    model::{Argument, Function, Parameter, Part},
};

/// What a function's card and call refer to.
pub(super) fn tables(placed: &Placed<'_>) -> TokenStream {
    let Placed { number, function, .. } = *placed;
    let parts = function.parts().enumerate().map(|(index, part)| {
        let (name, ty) = (entry("PART", number, index), &part.ty);
        quote! { const #name: __mcp::Part<#ty> = __mcp::part::<#ty>(); }
    });
    let contexts = contexts(function).enumerate().map(|(index, ty)| {
        let name = entry("CONTEXT", number, index);
        quote! { const #name: __mcp::ContextOf<#ty> = __mcp::context::<#ty>(); }
    });
    let parts_of: Vec<&Part> = function.parts().collect();
    let pairs = (0..parts_of.len()).flat_map(|second| (0..second).map(move |first| (first, second)));
    let distinct = pairs.map(|(first, second)| {
        let (first, other) = (card(number, first, parts_of[first]), card(number, second, parts_of[second]));
        let message = format!(
            "a {} must borrow each session type once, found two parameters whose types have the same key: they are one type \
             under two names, or need `#[state(key = \"…\")]`",
            function.kind.noun()
        );
        let (place, _) = ends(&parts_of[second].ty);
        quote_spanned! {at(place)=> const _: () = ::core::assert!(__mcp::distinct(&#first, &#other), #message); }
    });
    quote! { #(#parts)* #(#contexts)* #(#distinct)* }
}

fn contexts(function: &Function) -> impl Iterator<Item = &Type> {
    function.parameters.iter().filter_map(|parameter| match parameter {
        Parameter::Context(ty) => Some(ty),
        _ => None,
    })
}

/// The entry in the function's card.
pub(super) fn card(number: usize, index: usize, part: &Part) -> TokenStream {
    let name = entry("PART", number, index);
    if part.writes { quote!(#name.writes()) } else { quote!(#name.reads()) }
}

/// That these arguments may be left out; what is wrong otherwise is said at their types.
pub(super) fn not_required<'a>(arguments: impl Iterator<Item = &'a Argument>, message: &str) -> TokenStream {
    let asserted = arguments.filter(|argument| argument.default.is_none()).map(|argument| {
        let ty = &argument.ty;
        let (place, _) = ends(ty);
        quote_spanned! {at(place)=> const _: () = ::core::assert!(!<__mcp::Probe<#ty>>::REQUIRED, #message); }
    });
    asserted.collect()
}
