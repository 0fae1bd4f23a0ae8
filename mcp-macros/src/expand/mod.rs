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
    model::{Function, Kind, Server, Shape},
    names,
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
    let placed = placed(server);
    let tables = placed.iter().map(|placed| {
        let (arguments, asserted) = (args::tables(placed), assert::tables(placed));
        let output = call::output(placed);
        quote! { #arguments #asserted #output }
    });
    let optional = optional(server);
    let card = card::server(server, &placed);
    let find_tool = find(&placed, Kind::Tool);
    let call_tool = calls(&placed, Kind::Tool, &server.shape);
    let find_prompt = (!server.prompts.is_empty()).then(|| find(&placed, Kind::Prompt));
    let others = [Kind::Prompt, Kind::Resource, Kind::Completion].into_iter();
    let others = others.filter(|&kind| placed.iter().any(|placed| placed.function.kind == kind));
    let calls = others.map(|kind| calls(&placed, kind, &server.shape));
    quote! {
        #import
        #[allow(unused_imports)]
        use __mcp::{ChooseJson as _, ChooseTyped as _, IsThere as _, KeepWhole as _, MustBeGiven as _};

        #(#tables)*
        #optional

        #card

        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic)]
        impl __mcp::Service for #ty {
            fn card(&self) -> &'static __mcp::ServerCard {
                &__MCP_CARD
            }

            #find_tool
            #call_tool
            #find_prompt
            #(#calls)*
        }
    }
}

/// A function and its place.
#[derive(Clone, Copy)]
struct Placed<'a> {
    /// Among all functions: what its table entries are called by.
    number: usize,
    /// Among those of its kind.
    index: usize,
    function: &'a Function,
}

impl Placed<'_> {
    /// The field of the server's card that it is in.
    fn table(&self) -> TokenStream {
        match self.function.kind {
            Kind::Tool => quote!(tools),
            Kind::Prompt => quote!(prompts),
            Kind::Resource => quote!(resources),
            Kind::Completion => quote!(completions),
        }
    }
}

/// All functions; the numbers begin with the tools.
fn placed(server: &Server) -> Vec<Placed<'_>> {
    let mut all: Vec<Placed<'_>> = Vec::new();
    for function in server.functions() {
        let index = all.iter().filter(|known| known.function.kind == function.kind).count();
        all.push(Placed { number: all.len(), index, function });
    }
    all
}

/// What must be an `Option` or have a default, though the macro can't see its type.
fn optional(server: &Server) -> TokenStream {
    let of_resources = server.resources.iter().map(|resource| {
        let arguments =
            resource.function.arguments().filter(|argument| resource.optional.contains(&argument.name.text));
        let message = "a variable in the query of a template must be an argument that may be left out, found one that must \
                       be given; take an `Option`, or add `#[arg(default)]`";
        assert::not_required(arguments, message)
    });
    let of_completions = server.completions.iter().map(|completion| {
        let arguments = completion.function.arguments().filter(|argument| argument.name.text != names::TYPED_ARGUMENT);
        let message = "an argument beside `value` must be one that may be left out, for it may not be known yet, found one \
                       that must be given; take an `Option`";
        assert::not_required(arguments, message)
    });
    of_resources.chain(of_completions).collect()
}

/// The method that finds a function of this kind by its name.
fn find(placed: &[Placed<'_>], kind: Kind) -> TokenStream {
    let method = format_ident!("find_{}", kind.noun());
    let arms = placed.iter().filter(|placed| placed.function.kind == kind).map(|placed| {
        let (name, index) = (&placed.function.name.text, placed.index);
        quote! { #name => __mcp::Some(#index), }
    });
    quote! {
        fn #method(&self, name: &str) -> __mcp::Option<usize> {
            match name {
                #(#arms)*
                _ => __mcp::None,
            }
        }
    }
}

/// The method that calls a function of this kind.
fn calls(placed: &[Placed<'_>], kind: Kind, shape: &Shape) -> TokenStream {
    let method = match kind {
        Kind::Tool => quote!(call_tool),
        Kind::Prompt => quote!(get_prompt),
        Kind::Resource => quote!(read_resource),
        Kind::Completion => quote!(complete),
    };
    let noun = kind.noun();
    let result = call::result(kind).map(|result| quote!(, #result));
    let arms = placed.iter().filter(|placed| placed.function.kind == kind).map(|placed| {
        let (index, call) = (placed.index, call::call(placed, shape));
        quote! { #index => #call, }
    });
    quote! {
        fn #method<'__mcp>(
            &'__mcp self,
            index: usize,
            run: __mcp::Run<'__mcp>,
        ) -> __mcp::Called<'__mcp #result> {
            match index {
                #(#arms)*
                _ => __mcp::no_such(#noun, index),
            }
        }
    }
}

/// The name of a table entry: `__MCP_ARGUMENT_0_1` is the second argument of the first function.
fn entry(kind: &str, number: usize, index: usize) -> Ident {
    format_ident!("__MCP_{kind}_{number}_{index}")
}

/// A place in the user's source whose names are nevertheless ours.
fn at(place: Span) -> Span {
    Span::call_site().located_at(place)
}
