//! From the model to code. Nothing here can fail: what reaches this stage is right, as far as a macro can tell.
//!
//! Takes: the model. Gives: tokens, which are tables and calls into the runtime. Knows: the names in
//! `mcp_runtime::__private`. Must not know: attributes, mistakes.
//!
//! Every invented name begins with `__mcp`, `__Mcp` or `__MCP`. What the compiler may have to say of a user's type is said
//! at that type, for the code that states a duty of it consists of the type's own tokens.

mod args;
mod assert;
mod call;
mod card;
mod session;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

pub(crate) use self::session::{session_type, view};
use crate::{
    item::ServerItem,
    model::{Server, Shape},
};

/// The user's item, and what makes a server of it.
pub(crate) fn server(server: &Server, item: &ServerItem) -> TokenStream {
    let view = view(server);
    match &server.shape {
        Shape::Impl(_, ty) => {
            let item = item.emit(&TokenStream::new());
            let service = service(server, ty);
            quote! { #item #view #[doc(hidden)] const _: () = { #service }; }
        }
        Shape::Mod(_) => {
            let ty = quote!(__McpServer);
            let service = service(server, &ty);
            let functions = module_functions(server, &quote! { struct #ty; #service }, &ty);
            item.emit(&quote! { #view #functions })
        }
        Shape::Broken => TokenStream::new(),
    }
}

/// What a `mod` gains; `prelude` makes `service`, the value of the server.
pub(crate) fn module_functions(server: &Server, prelude: &TokenStream, service: &TokenStream) -> TokenStream {
    let (handle, result) = (server.runtime.public("Server"), server.runtime.public("Result"));
    quote! {
        /// This server, to be configured and run.
        #[allow(dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
        #[must_use]
        pub fn server() -> #handle {
            #prelude
            #handle::new(#service)
        }

        /// Runs this server until it is told to stop; the command line and the environment say where.
        ///
        /// # Errors
        /// When it can't start, or has to stop.
        #[allow(dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
        pub fn serve() -> #result {
            server().serve()
        }
    }
}

/// The table of the server and the implementation of the runtime's trait for this type.
fn service(server: &Server, ty: &TokenStream) -> TokenStream {
    let import = server.runtime.import();
    let tables = server.tools.iter().enumerate().map(|(tool, declared)| {
        let arguments = args::tables(tool, declared);
        let asserted = assert::tables(tool, declared);
        let output = call::output(tool, declared);
        quote! { #arguments #asserted #output }
    });
    let card = card::server(server);
    let find = server.tools.iter().enumerate().map(|(tool, declared)| {
        let name = &declared.name.text;
        quote! { #name => __mcp::Some(#tool) }
    });
    let calls = server.tools.iter().enumerate().map(|(tool, declared)| {
        let call = call::tool(tool, declared, &server.shape);
        quote! { #tool => #call }
    });
    quote! {
        #import
        #[allow(unused_imports)]
        use __mcp::{ChooseTyped as _, KeepWhole as _, MustBeGiven as _};

        #(#tables)*

        #card

        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic)]
        impl __mcp::Service for #ty {
            fn card(&self) -> &'static __mcp::ServerCard {
                &__MCP_CARD
            }

            fn find_tool(&self, name: &str) -> __mcp::Option<usize> {
                match name {
                    #(#find,)*
                    _ => __mcp::None,
                }
            }

            fn call_tool<'__mcp>(&'__mcp self, tool: usize, run: __mcp::Run<'__mcp>) -> __mcp::Called<'__mcp> {
                match tool {
                    #(#calls,)*
                    _ => __mcp::no_such_tool(tool),
                }
            }
        }
    }
}

/// The name of a table entry: `__MCP_ARGUMENT_0_1` is the second argument of the first tool.
fn entry(kind: &str, tool: usize, index: usize) -> Ident {
    format_ident!("__MCP_{kind}_{tool}_{index}")
}

/// A place in the user's source whose names are nevertheless ours.
fn at(place: Span) -> Span {
    Span::call_site().located_at(place)
}
