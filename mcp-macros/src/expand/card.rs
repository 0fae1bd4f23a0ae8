//! The table of a server.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Expr;

use super::{Placed, args, assert};
use crate::model::{
    Annotations, Completion, Function, Icon, Kind, Manner, Parameter, Reader, Resource, Server, TaskSupport, Tool,
};

/// `static __MCP_CARD`
pub(super) fn server(server: &Server, placed: &[Placed<'_>]) -> TokenStream {
    let name = server.name.as_ref().map_or_else(|| quote!(::core::env!("CARGO_PKG_NAME")), |name| quote!(#name));
    let version =
        server.version.as_ref().map_or_else(|| quote!(::core::env!("CARGO_PKG_VERSION")), |version| quote!(#version));
    let (title, website_url) = (option(server.title.as_ref()), option(server.website_url.as_ref()));
    let instructions = server.instructions.to_option();
    let icons = icons(&server.icons);
    let of_kind = |kind: Kind| placed.iter().filter(move |placed| placed.function.kind == kind);
    let tools = server.tools.iter().zip(of_kind(Kind::Tool)).map(|(tool, placed)| self::tool(tool, placed));
    let prompts = of_kind(Kind::Prompt).map(prompt);
    let resources = server.resources.iter().zip(of_kind(Kind::Resource));
    let resources = resources.map(|(resource, placed)| self::resource(resource, placed));
    let completions = server.completions.iter().zip(of_kind(Kind::Completion));
    let completions = completions.map(|(completion, placed)| self::completion(completion, placed));
    let lists = [
        list("tools", tools.collect()),
        list("prompts", prompts.collect()),
        list("resources", resources.collect()),
        list("completions", completions.collect()),
    ];
    let cache = cache(server.list_ttl.as_ref(), server.list_public);
    let (lenient, changes) = (server.lenient, server.changes);
    let require_session = server.require_session.then(|| quote! { require_session: true, });
    quote! {
        #[allow(clippy::needless_update)]
        static __MCP_CARD: __mcp::ServerCard = __mcp::ServerCard {
            name: #name,
            version: #version,
            title: #title,
            instructions: #instructions,
            website_url: #website_url,
            icons: #icons,
            #(#lists)*
            #cache
            lenient: #lenient,
            changes: #changes,
            #require_session
            ..__mcp::ServerCard::BLANK
        };
    }
}

/// A field that is a list, where it is not empty.
fn list(name: &str, entries: Vec<TokenStream>) -> TokenStream {
    if entries.is_empty() {
        return TokenStream::new();
    }
    let name = format_ident!("{name}");
    quote! { #name: &[#(#entries),*], }
}

/// The field `cache`, where something is said of it.
fn cache(ttl: Option<&Expr>, public: bool) -> TokenStream {
    if ttl.is_none() && !public {
        return TokenStream::new();
    }
    let ttl = ttl.map(|ttl| quote!(ttl: #ttl,));
    quote! { cache: __mcp::CacheHint { #ttl public: #public, ..__mcp::CacheHint::NONE }, }
}

/// A field with an optional value, where it has one.
fn said(name: &str, value: Option<&Expr>) -> TokenStream {
    let name = format_ident!("{name}");
    value.map(|value| quote! { #name: __mcp::Some(#value), }).unwrap_or_default()
}

fn function(placed: &Placed<'_>, input_schema: Option<&Expr>) -> TokenStream {
    let Placed { number, function, .. } = *placed;
    let Function { name, title, description, deadline, icons, meta, .. } = function;
    let name = &name.text;
    let (title, input_schema) = (said("title", title.as_ref()), said("input_schema", input_schema));
    let (deadline, meta) = (said("deadline", deadline.as_ref()), said("meta", meta.as_ref()));
    let icons = (!icons.is_empty()).then(|| self::icons(icons)).map(|icons| quote! { icons: #icons, });
    // Only an `async` function can wait for an answer, and only one with the request can ask.
    let request = function.parameters.iter().any(|parameter| matches!(parameter, Parameter::Context(_)));
    let asks = (request && !matches!(function.manner, Manner::Async)).then(|| quote! { asks: false, });
    let arguments = function.arguments().enumerate().map(|(index, argument)| args::card(number, index, argument));
    let parts = function.parts().enumerate().map(|(index, part)| assert::card(number, index, part));
    let (arguments, parts) = (list("arguments", arguments.collect()), list("parts", parts.collect()));
    quote! {
        function: __mcp::FunctionCard {
            name: #name,
            #title
            description: #description,
            #icons
            #meta
            #arguments
            #input_schema
            #parts
            #deadline
            #asks
            ..__mcp::FunctionCard::BLANK
        },
    }
}

fn tool(tool: &Tool, placed: &Placed<'_>) -> TokenStream {
    let function = function(placed, tool.input_schema.as_ref());
    let annotations = annotations(tool.annotations);
    let output = super::call::output_name(placed.number);
    let task = match tool.task {
        TaskSupport::Forbidden => None,
        TaskSupport::Optional => Some(quote! { task: __mcp::TaskSupport::Optional, }),
        TaskSupport::Required => Some(quote! { task: __mcp::TaskSupport::Required, }),
    };
    let ask_first = tool.ask_first.then(|| quote! { ask_first: true, });
    let meanwhile = said("meanwhile", tool.meanwhile.as_ref());
    let single_use = tool.single_use.then(|| quote! { single_use: true, });
    quote! {
        __mcp::ToolCard {
            #function
            annotations: #annotations,
            output: || #output().card(),
            #task
            #ask_first
            #meanwhile
            #single_use
            ..__mcp::ToolCard::BLANK
        }
    }
}

fn prompt(placed: &Placed<'_>) -> TokenStream {
    let function = function(placed, None);
    quote! { __mcp::PromptCard { #function } }
}

fn resource(resource: &Resource, placed: &Placed<'_>) -> TokenStream {
    let function = function(placed, None);
    let uri = &resource.uri.text;
    let (mime_type, size) = (said("mime_type", resource.mime_type.as_ref()), said("size", resource.size.as_ref()));
    let cache = cache(resource.ttl.as_ref(), resource.public);
    let Resource { audience, priority, last_modified, .. } = resource;
    let annotations = (!audience.is_empty() || priority.is_some() || last_modified.is_some()).then(|| {
        let audience = audience.iter().map(|reader| match reader {
            Reader::User => quote!(__mcp::Role::User),
            Reader::Assistant => quote!(__mcp::Role::Assistant),
        });
        let (priority, last_modified) = (option(priority.as_ref()), option(last_modified.as_ref()));
        quote! {
            annotations: __mcp::AnnotationsCard {
                audience: &[#(#audience),*],
                priority: #priority,
                last_modified: #last_modified,
            },
        }
    });
    quote! {
        __mcp::ResourceCard {
            #function
            uri: #uri,
            #mime_type
            #size
            #annotations
            #cache
            ..__mcp::ResourceCard::BLANK
        }
    }
}

fn completion(completion: &Completion, placed: &Placed<'_>) -> TokenStream {
    let function = function(placed, None);
    let (of, argument) = (&completion.of.text, &completion.argument.text);
    let kind = if completion.of_prompt { quote!(Prompt) } else { quote!(Resource) };
    quote! {
        __mcp::CompletionCard {
            #function
            reference: __mcp::CompletionReference::#kind(#of),
            argument: #argument,
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
