//! Doc comments as text.
//!
//! Takes: attributes. Gives: an expression of one string. Knows: how rustc writes doc comments. Must not know: what the
//! text is for.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The text of all doc comments of one item.
#[derive(Default)]
pub(crate) struct Doc(Vec<Piece>);

enum Piece {
    /// What is written there.
    Text(String),
    /// `#[doc = include_str!("…")]`: only the compiler knows what it says.
    Expression(Box<Expr>),
}

/// Whether it is `#[doc …]`, as which doc comments reach a macro.
pub(crate) fn is_doc(attribute: &Attribute) -> bool {
    attribute.path().is_ident("doc")
}

impl Doc {
    /// The doc comments among these.
    pub(crate) fn of(attributes: &[Attribute]) -> Self {
        let mut pieces = Vec::new();
        let mut text = String::new();
        for attribute in attributes.iter().filter(|attribute| is_doc(attribute)) {
            // `#[doc(hidden)]` and `#[doc(alias = …)]` are no text.
            let Meta::NameValue(meta) = &attribute.meta else { continue };
            if let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = &meta.value {
                text.push_str(&line.value());
                text.push('\n');
            } else {
                pieces.extend(tidy(&text).map(Piece::Text));
                text.clear();
                pieces.push(Piece::Expression(Box::new(meta.value.clone())));
            }
        }
        pieces.extend(tidy(&text).map(Piece::Text));
        Self(pieces)
    }

    /// Whether nothing is said.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Some("…")` or `None`.
    pub(crate) fn to_option(&self) -> TokenStream {
        if self.is_empty() { quote!(__mcp::None) } else { quote!(__mcp::Some(#self)) }
    }
}

impl ToTokens for Doc {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.to_token_stream(),
            Piece::Expression(expression) => expression.to_token_stream(),
        };
        tokens.extend(match self.0.as_slice() {
            [] => quote!(""),
            [one] => piece(one),
            [first, rest @ ..] => {
                let (first, rest) = (piece(first), rest.iter().map(piece));
                quote!(::core::concat!(#first #(, "\n\n", #rest)*))
            }
        });
    }
}

/// The text without the indentation that all its lines share and without empty lines around it.
fn tidy(text: &str) -> Option<String> {
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let shared = text.lines().filter(|line| !line.trim().is_empty()).map(indentation).min()?;
    let lines: Vec<&str> = text.lines().map(|line| line.get(shared..).unwrap_or_default().trim_end()).collect();
    Some(lines.join("\n").trim_matches('\n').to_owned())
}
