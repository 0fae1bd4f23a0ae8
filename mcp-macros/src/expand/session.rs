//! Session state: the trait of one type, and the type that holds all of a server's.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Member, Type, ext::IdentExt};

use crate::{
    model::{Fields, Server, SessionType, Shape, StateShape},
    names,
};

/// `NotesSession`, where tools borrow session state.
pub(crate) fn view(server: &Server) -> TokenStream {
    let types = server.session_types();
    if types.is_empty() {
        return TokenStream::new();
    }
    let (name, of) = match &server.shape {
        Shape::Impl(ident, _) => (ident.unraw().to_string(), ident.to_string()),
        Shape::Mod(ident) => (names::camel_case(&ident.unraw().to_string()), ident.to_string()),
        Shape::Broken => return TokenStream::new(),
    };
    let name = format_ident!("{name}Session", span = Span::call_site());
    let fields = field_names(&types);
    let documentation =
        format!(" All the state that one session of `{of}` has, typed: for hooks, tests and operators.");
    let field_documentation = types.iter().map(|ty| format!(" The session's `{}`.", crate::lower::spaceless(ty)));
    let import = server.runtime.import();
    let count = types.len();
    let parts: Vec<Ident> = (0..count).map(|index| format_ident!("__MCP_PART_{index}")).collect();
    let index = 0..count;
    quote! {
        #[doc = #documentation]
        #[allow(private_interfaces, unreachable_pub, dead_code)]
        pub struct #name {
            #(#[doc = #field_documentation] pub #fields: #types,)*
        }

        #[doc(hidden)]
        const _: () = {
            #import
            #(const #parts: __mcp::Part<#types> = __mcp::part::<#types>();)*

            #[automatically_derived]
            impl ::core::default::Default for #name {
                fn default() -> Self {
                    Self { #(#fields: #parts.fresh(),)* }
                }
            }

            #[automatically_derived]
            impl __mcp::SessionView for #name {
                const PARTS: &'static [__mcp::PartCard] = &[#(#parts.reads()),*];

                fn from_slots(slots: &[__mcp::PartSlot]) -> __mcp::Option<Self> {
                    if slots.len() != #count {
                        return __mcp::None;
                    }
                    __mcp::Some(Self { #(#fields: #parts.copy(&slots[#index]),)* })
                }
            }
        };
    }
}

/// The types' own names, told apart by numbers where they are the same.
fn field_names(types: &[&Type]) -> Vec<Ident> {
    let mut fields: Vec<Ident> = Vec::new();
    for ty in types {
        let name = match ty {
            Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.unraw().to_string()),
            _ => None,
        };
        let name = names::snake_case(&name.unwrap_or_else(|| "state".to_owned()));
        let numbered = |number: usize| if number == 1 { name.clone() } else { format!("{name}_{number}") };
        let free = (1..).map(numbered).find(|name| fields.iter().all(|known| known != name));
        let free = free.unwrap_or(name.clone());
        fields.push(syn::parse_str(&free).unwrap_or_else(|_| Ident::new_raw(&free, Span::call_site())));
    }
    fields
}

/// `impl SessionState`
pub(crate) fn session_type(state: &SessionType) -> TokenStream {
    let import = state.runtime.import();
    let SessionType { ident, key, version, shape, .. } = state;
    let draft = match shape {
        StateShape::Struct(fields) => {
            let arm = arm(&quote!(Self), fields);
            quote! { match self { #arm } }
        }
        StateShape::Enum(variants) if variants.is_empty() => quote! { match *self {} },
        StateShape::Enum(variants) => {
            let arms = variants.iter().map(|(variant, fields)| arm(&quote!(Self::#variant), fields));
            quote! { match self { #(#arms)* } }
        }
    };
    quote! {
        #[doc(hidden)]
        const _: () = {
            #import
            #[allow(unused_imports)]
            use __mcp::NoCopy as _;

            #[automatically_derived]
            #[allow(clippy::all, clippy::pedantic)]
            impl __mcp::SessionState for #ident {
                const KEY: &'static str = #key;
                const VERSION: u32 = #version;

                fn draft(&self) -> Self {
                    #draft
                }
            }
        };
    }
}

/// One struct or variant: each field cloned, or else the whole value by way of JSON.
fn arm(path: &TokenStream, Fields(members): &Fields) -> TokenStream {
    if members.is_empty() {
        return quote! { #path { .. } => #path {}, };
    }
    let bound: Vec<Ident> = members
        .iter()
        .map(|member| match member {
            Member::Named(name) => format_ident!("__mcp_{}", name.unraw()),
            Member::Unnamed(index) => format_ident!("__mcp_{}", index.index),
        })
        .collect();
    quote! {
        #path { #(#members: #bound),* } => match (#(__mcp::Copy(#bound).copy(),)*) {
            (#(__mcp::Some(#bound),)*) => #path { #(#members: #bound),* },
            _ => __mcp::copy_through_json(self),
        },
    }
}
