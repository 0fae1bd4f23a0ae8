//! The table entries of arguments, and their values in a call.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{Placed, entry};
use crate::model::{Argument, Default, Kind};

/// What a function's card and call refer to.
pub(super) fn tables(placed: &Placed<'_>) -> TokenStream {
    placed.function.arguments().enumerate().map(|(index, argument)| table(placed.number, index, argument)).collect()
}

fn table(number: usize, index: usize, argument: &Argument) -> TokenStream {
    let (name, ty) = (entry("ARGUMENT", number, index), &argument.ty);
    let (of_type, default_of) = if argument.as_string {
        (quote!(argument_as_string), quote!(default_as_string))
    } else {
        (quote!(argument), quote!(default))
    };
    let own = quote! { const #name: __mcp::Argument<#ty> = __mcp::#of_type::<#ty>(); };
    let header = argument.header.as_ref().map(|header| {
        let name = entry("HEADER", number, index);
        quote! { const #name: __mcp::Option<&'static str> = __mcp::header::<#ty>(#header); }
    });
    let default = argument.default.as_ref().map(|default| {
        let (name, make) = (entry("DEFAULT", number, index), format_ident!("__mcp_default_{number}_{index}"));
        let body = match default {
            Default::Own => quote! { __mcp::default_own::<#ty>() },
            Default::Text(text) => quote! { __mcp::default_text::<#ty>(#text) },
            Default::Value(value) => quote! { #value },
        };
        quote! {
            const #name: __mcp::DefaultOf<#ty> = __mcp::#default_of::<#ty>(#make);
            #[allow(clippy::all, clippy::pedantic)]
            fn #make() -> #ty { #body }
        }
    });
    quote! { #own #header #default }
}

/// The entry in the function's card.
pub(super) fn card(number: usize, index: usize, argument: &Argument) -> TokenStream {
    let (entry_of, ty) = (entry("ARGUMENT", number, index), &argument.ty);
    let (name, description) = (&argument.name.text, &argument.description);
    let (required, default) = match argument.default {
        Some(_) => {
            let default = entry("DEFAULT", number, index);
            (quote!(false), quote!(__mcp::Some(|| #default.show())))
        }
        None => (quote!(<__mcp::Probe<#ty>>::REQUIRED), quote!(__mcp::None)),
    };
    let header = match argument.header {
        Some(_) => {
            let header = entry("HEADER", number, index);
            quote!(#header)
        }
        None => quote!(__mcp::None),
    };
    quote! {
        __mcp::ArgumentCard {
            name: #name,
            description: #description,
            required: #required,
            default: #default,
            header: #header,
            schema: #entry_of.schema(),
        }
    }
}

/// Decodes all arguments into the names that [`value`] gives.
pub(super) fn decode(placed: &Placed<'_>) -> TokenStream {
    let Placed { number, function, .. } = *placed;
    let slots: Vec<_> = (0..function.arguments().count()).map(|index| format_ident!("__mcp_slot_{index}")).collect();
    let values = (0..slots.len()).map(value);
    let open = function.arguments().enumerate().zip(&slots).map(|((index, argument), slot)| {
        let name = entry("ARGUMENT", number, index);
        let default = match argument.default {
            Some(_) => {
                let default = entry("DEFAULT", number, index);
                quote!(#default.make())
            }
            None => quote!(__mcp::None),
        };
        quote! { let mut #slot = #name.slot(#default); }
    });
    let (card, index) = (placed.table(), placed.index);
    // What comes as text is always read for what it means.
    let lenient = if function.kind == Kind::Tool { quote!(__MCP_CARD.lenient) } else { quote!(true) };
    let decode = quote! {
        __mcp::decode(run.arguments, &__MCP_CARD.#card[#index].function, #lenient, &mut [#(&mut #slots),*])?;
    };
    if slots.is_empty() {
        return decode;
    }
    // The slots end before the function begins, so that the future does not hold them.
    quote! {
        let (#(#values,)*) = {
            #(#open)*
            #decode
            (#(#slots.take(),)*)
        };
    }
}

/// The name of a decoded argument.
pub(super) fn value(index: usize) -> syn::Ident {
    format_ident!("__mcp_value_{index}")
}
