//! Where generated code finds the runtime.
//!
//! Takes: `crate = "…"`. Gives: the one path by which generated code reaches the runtime. Knows: the name of its room for
//! macros. Must not know: what is in it beyond names.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

/// The runtime crate as the user's crate calls it.
#[derive(Clone)]
pub(crate) struct Runtime(Path);

impl Default for Runtime {
    fn default() -> Self {
        Self(syn::parse_quote!(::mcp_runtime))
    }
}

impl Runtime {
    /// At this path; a bare name is that of a dependency.
    pub(crate) fn at(mut path: Path) -> Self {
        let first = path.segments.first().map(|segment| segment.ident.to_string());
        if !matches!(first.as_deref(), Some("crate" | "self" | "super")) {
            path.leading_colon.get_or_insert_default();
        }
        Self(path)
    }

    /// `use … as __mcp;`: everything that generated code names begins with `__mcp::`, so it does not matter what the user's
    /// scope holds, not even whether it has a prelude.
    pub(crate) fn import(&self) -> TokenStream {
        let Self(path) = self;
        quote! { use #path::__private as __mcp; }
    }

    /// A public item of the runtime, for signatures that the user sees.
    pub(crate) fn public(&self, name: &str) -> TokenStream {
        let Self(path) = self;
        let name = syn::Ident::new(name, proc_macro2::Span::call_site());
        quote! { #path::#name }
    }
}
