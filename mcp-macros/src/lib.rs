//! The macros of `mcp-runtime`, which re-exports and documents them.

use proc_macro::TokenStream;

#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn mcp_server(_args: TokenStream, item: TokenStream) -> TokenStream {
    item
}

#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn tool(_args: TokenStream, item: TokenStream) -> TokenStream {
    item
}

#[allow(missing_docs)]
#[proc_macro_derive(SessionState, attributes(state))]
pub fn session_state(_item: TokenStream) -> TokenStream {
    TokenStream::new()
}
