//! What is written where there are mistakes: the user's own item, and as much of ours that other code finds what it names.
//! So the mistakes are all that the compiler speaks of, and editors keep working.
//!
//! Takes: the user's item, the errors. Gives: tokens. Knows: the outline of what `expand` writes. Must not know: tools.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::{
    errors::Errors,
    expand,
    item::ServerItem,
    model::{Server, Shape},
};

/// The user's server, which can't be run.
pub(crate) fn server(server: &Server, item: &ServerItem, errors: Errors) -> TokenStream {
    let errors = errors.into_tokens();
    let view = expand::view(server);
    match &server.shape {
        Shape::Impl(_, ty) => {
            let item = item.emit(&TokenStream::new());
            let service = service(server, ty);
            quote! { #errors #item #view const _: () = { #service }; }
        }
        Shape::Mod(_) => {
            let ty = quote!(__McpServer);
            let service = service(server, &ty);
            let functions = expand::module_functions(server, &quote! { struct #ty; #service }, &ty);
            let taken = item.names().any(|name| name == "server" || name == "serve");
            let item = item.emit(&if taken { view } else { quote!(#view #functions) });
            quote! { #errors #item }
        }
        Shape::Broken => {
            let item = item.emit(&TokenStream::new());
            quote! { #errors #item }
        }
    }
}

fn service(server: &Server, ty: &TokenStream) -> TokenStream {
    let import = server.runtime.import();
    quote! {
        #import
        #[automatically_derived]
        impl __mcp::Service for #ty {
            fn card(&self) -> &'static __mcp::ServerCard {
                ::core::unreachable!()
            }
            fn find_tool(&self, _: &str) -> __mcp::Option<usize> {
                ::core::unreachable!()
            }
            fn call_tool<'__mcp>(&'__mcp self, _: usize, _: __mcp::Run<'__mcp>) -> __mcp::Called<'__mcp> {
                ::core::unreachable!()
            }
        }
    }
}

/// The user's session type, which can't be stored.
pub(crate) fn session_type(input: &syn::DeriveInput) -> TokenStream {
    let (ident, generics) = (&input.ident, &input.generics);
    if !generics.params.is_empty() || matches!(input.data, syn::Data::Union(_)) {
        return TokenStream::new();
    }
    let import = crate::args::StateArgs::parse(&input.attrs, &mut Errors::default()).runtime.import();
    let ident = ident.to_token_stream();
    quote! {
        const _: () = {
            #import
            #[automatically_derived]
            impl __mcp::SessionState for #ident {
                const KEY: &'static str = "";
                fn draft(&self) -> Self {
                    ::core::unreachable!()
                }
            }
        };
    }
}
