//! Session types.
//!
//! Takes: the item under `#[derive(SessionState)]`. Gives: its model. Knows: what a key may be. Must not know: servers.

use syn::{Data, DeriveInput, ext::IdentExt};

use crate::{
    args::StateArgs,
    errors::Errors,
    model::{Fields, SessionType, StateShape},
    names,
};

/// A type under `#[derive(SessionState)]`.
pub(crate) fn session_type(input: &DeriveInput, errors: &mut Errors) -> Option<SessionType> {
    let args = StateArgs::parse(&input.attrs, errors);
    if !input.generics.params.is_empty() {
        errors.at(
            &input.generics,
            "session state must not be generic, for its key names one type; write the concrete types into it",
        );
    }
    let (key, place) = match &args.key {
        Some(key) => (key.value(), key.span()),
        None => (input.ident.unraw().to_string(), input.ident.span()),
    };
    if !names::is_state_key(&key) {
        let fix = if args.key.is_some() { "choose such a key" } else { "give it one: `#[state(key = \"…\")]`" };
        errors.at_span(
            place,
            format_args!(
                "the key of session state must be 1 to 128 letters, digits, `_`, `.`, `:` and `-`, found \
                 \"{key}\"; {fix}"
            ),
        );
    }
    let shape = match &input.data {
        Data::Struct(data) => StateShape::Struct(Fields(data.fields.members().collect())),
        Data::Enum(data) => StateShape::Enum(
            data.variants
                .iter()
                .map(|variant| (variant.ident.clone(), Fields(variant.fields.members().collect())))
                .collect(),
        ),
        Data::Union(data) => {
            errors.at(data.union_token, "session state must be a struct or an enum, found a union; write a struct");
            return None;
        }
    };
    let version = args.version.and_then(|version| version.base10_parse().ok()).unwrap_or_default();
    Some(SessionType { runtime: args.runtime, ident: input.ident.clone(), key, version, shape })
}
