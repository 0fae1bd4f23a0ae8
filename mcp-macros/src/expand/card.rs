//! The table of a server.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Expr;

use super::{args, assert};
use crate::model::{Annotations, Icon, Server, Tool};

/// `static __MCP_CARD`
pub(super) fn server(server: &Server) -> TokenStream {
    let name = server.name.as_ref().map_or_else(|| quote!(::core::env!("CARGO_PKG_NAME")), |name| quote!(#name));
    let version =
        server.version.as_ref().map_or_else(|| quote!(::core::env!("CARGO_PKG_VERSION")), |version| quote!(#version));
    let (title, website_url) = (option(server.title.as_ref()), option(server.website_url.as_ref()));
    let instructions = server.instructions.to_option();
    let icons = icons(&server.icons);
    let tools = server.tools.iter().enumerate().map(|(index, declared)| tool(index, declared));
    let lenient = server.lenient;
    quote! {
        static __MCP_CARD: __mcp::ServerCard = __mcp::ServerCard {
            name: #name,
            version: #version,
            title: #title,
            instructions: #instructions,
            website_url: #website_url,
            icons: #icons,
            tools: &[#(#tools),*],
            lenient: #lenient,
            ..__mcp::ServerCard::BLANK
        };
    }
}

fn tool(index: usize, declared: &Tool) -> TokenStream {
    let (name, description) = (&declared.name.text, &declared.description);
    let title = option(declared.title.as_ref());
    let annotations = annotations(declared.annotations);
    let icons = icons(&declared.icons);
    let arguments = declared.arguments().enumerate().map(|(argument, declared)| args::card(index, argument, declared));
    let input_schema = option(declared.input_schema.as_ref());
    let output = super::call::output_name(index);
    let parts = declared.parts().enumerate().map(|(part, declared)| assert::card(index, part, declared));
    quote! {
        __mcp::ToolCard {
            function: __mcp::FunctionCard {
                name: #name,
                title: #title,
                description: #description,
                icons: #icons,
                arguments: &[#(#arguments),*],
                input_schema: #input_schema,
                parts: &[#(#parts),*],
                ..__mcp::FunctionCard::BLANK
            },
            annotations: #annotations,
            output: || #output().card(),
            ..__mcp::ToolCard::BLANK
        }
    }
}

fn option(expression: Option<&Expr>) -> TokenStream {
    match expression {
        Some(expression) => quote!(__mcp::Some(#expression)),
        None => quote!(__mcp::None),
    }
}

fn annotations(annotations: Annotations) -> TokenStream {
    let hint = |hint: Option<bool>| match hint {
        Some(value) => quote!(__mcp::Some(#value)),
        None => quote!(__mcp::None),
    };
    let Annotations { read_only, destructive, idempotent, open_world } = annotations;
    let (read_only, destructive) = (hint(read_only), hint(destructive));
    let (idempotent, open_world) = (hint(idempotent), hint(open_world));
    quote! {
        __mcp::ToolAnnotations {
            read_only: #read_only,
            destructive: #destructive,
            idempotent: #idempotent,
            open_world: #open_world,
        }
    }
}

fn icons(icons: &[Icon]) -> TokenStream {
    let icons = icons.iter().map(|icon| {
        let (src, mime_type) = (&icon.src, option(icon.mime_type.as_ref()));
        let sizes = icon.sizes.as_ref().map_or_else(|| quote!(&[]), |sizes| quote!(&#sizes));
        quote!(__mcp::IconCard { src: #src, mime_type: #mime_type, sizes: #sizes })
    });
    quote!(&[#(#icons),*])
}
