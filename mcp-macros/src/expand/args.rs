//! The table entries of arguments, and their values in a call.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::entry;
use crate::model::{Argument, Default, Tool};

/// What a tool's card and call refer to.
pub(super) fn tables(tool: usize, declared: &Tool) -> TokenStream {
    declared.arguments().enumerate().map(|(index, argument)| table(tool, index, argument)).collect()
}

fn table(tool: usize, index: usize, argument: &Argument) -> TokenStream {
    let (name, ty) = (entry("ARGUMENT", tool, index), &argument.ty);
    let (of_type, default_of) = if argument.as_string {
        (quote!(argument_as_string), quote!(default_as_string))
    } else {
        (quote!(argument), quote!(default))
    };
    let own = quote! { const #name: __mcp::Argument<#ty> = __mcp::#of_type::<#ty>(); };
    let header = argument.header.as_ref().map(|header| {
        let name = entry("HEADER", tool, index);
        quote! { const #name: __mcp::Option<&'static str> = __mcp::header::<#ty>(#header); }
    });
    let default = argument.default.as_ref().map(|default| {
        let (name, make) = (entry("DEFAULT", tool, index), format_ident!("__mcp_default_{tool}_{index}"));
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

/// The entry in the tool's card.
pub(super) fn card(tool: usize, index: usize, argument: &Argument) -> TokenStream {
    let (entry_of, ty) = (entry("ARGUMENT", tool, index), &argument.ty);
    let (name, description) = (&argument.name.text, &argument.description);
    let (required, default) = match argument.default {
        Some(_) => {
            let default = entry("DEFAULT", tool, index);
            (quote!(false), quote!(__mcp::Some(|| #default.show())))
        }
        None => (quote!(<__mcp::Probe<#ty>>::REQUIRED), quote!(__mcp::None)),
    };
    let header = match argument.header {
        Some(_) => {
            let header = entry("HEADER", tool, index);
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
pub(super) fn decode(tool: usize, declared: &Tool) -> TokenStream {
    let slots: Vec<_> = (0..declared.arguments().count()).map(|index| format_ident!("__mcp_slot_{index}")).collect();
    let values = (0..slots.len()).map(value);
    let open = declared.arguments().enumerate().zip(&slots).map(|((index, argument), slot)| {
        let name = entry("ARGUMENT", tool, index);
        let default = match argument.default {
            Some(_) => {
                let default = entry("DEFAULT", tool, index);
                quote!(#default.make())
            }
            None => quote!(__mcp::None),
        };
        quote! { let mut #slot = #name.slot(#default); }
    });
    let decode = quote! {
        __mcp::decode(run.arguments, &__MCP_CARD.tools[#tool].function, __MCP_CARD.lenient, &mut [#(&mut #slots),*])?;
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
