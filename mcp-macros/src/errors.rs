//! Mistakes, collected: each stage goes on after one, so that the user sees all of them at once.
//!
//! Takes: places and sentences. Gives: `compile_error!`s. Knows: spans. Must not know: what is parsed.
//!
//! A message says what must be, then what was found, then the fix. It has no full stop.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// Every mistake so far.
#[derive(Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// A mistake that these tokens make, from the first of them to the last.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.0.push(syn::Error::new_spanned(tokens, message));
    }

    /// A mistake at this place.
    pub(crate) fn at_span(&mut self, span: Span, message: impl std::fmt::Display) {
        self.0.push(syn::Error::new(span, message));
    }

    /// What the parser said.
    pub(crate) fn parser(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether expansion may begin.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One `compile_error!` each.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.into_iter().map(|error| error.into_compile_error()).collect()
    }

    /// The sentences alone.
    #[cfg(test)]
    pub(crate) fn messages(&self) -> Vec<String> {
        self.0.iter().flat_map(|error| error.clone().into_iter().map(|one| one.to_string())).collect()
    }
}
