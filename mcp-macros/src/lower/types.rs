//! Types of parameters and results, told by their syntax where the syntax already says what is wrong.
//!
//! Takes: types. Gives: what a parameter is. Knows: the one rule. Must not know: names of types, except `Context`, `str`.

use proc_macro2::Span;
use syn::{
    Ident, Lifetime, Type, TypePath, TypeReference,
    visit::{self, Visit},
    visit_mut::{self, VisitMut},
};

use super::spaceless;
use crate::{errors::Errors, model::Kind};

/// What a parameter is.
pub(super) enum Taken {
    /// Owned.
    Argument(Type),
    /// `&S`, or `&mut S` where `true`.
    Part(Type, bool),
    /// `&Context`
    Context(Type),
}

/// Without parentheses and invisible groups.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Paren(inner) => bare(&inner.elem),
        Type::Group(inner) => bare(&inner.elem),
        other => other,
    }
}

/// The name of a type that is nothing but a name, perhaps with a path before it.
pub(super) fn plain_name(ty: &Type) -> Option<Ident> {
    let Type::Path(TypePath { qself: None, path, .. }) = bare(ty) else { return None };
    let plain = path.segments.iter().all(|segment| segment.arguments.is_empty());
    path.segments.last().filter(|_| plain).map(|segment| segment.ident.clone())
}

/// Applies the one rule.
pub(super) fn classify(ty: &Type, errors: &mut Errors) -> Option<Taken> {
    match bare(ty) {
        Type::Reference(reference) => borrowed(reference, errors),
        owned => {
            let before = errors.count();
            check_owned(owned, errors);
            (errors.count() == before).then(|| Taken::Argument(owned.clone()))
        }
    }
}

fn borrowed(reference: &TypeReference, errors: &mut Errors) -> Option<Taken> {
    let written = spaceless(reference);
    if let Some(lifetime) = &reference.lifetime {
        errors.at(
            lifetime,
            format_args!(
                "what is borrowed must be borrowed for the call alone, found the lifetime `{lifetime}`; remove it"
            ),
        );
        return None;
    }
    let writes = reference.mutability.is_some();
    match bare(&reference.elem) {
        Type::Path(path) => match path.path.segments.last() {
            Some(segment) if path.qself.is_none() && segment.ident == "Context" => {
                if writes {
                    errors.at(
                        reference,
                        format_args!(
                            "the request must be taken as `&Context`, found `{written}`; remove `mut`, for no \
                         method of it needs that"
                        ),
                    );
                    return None;
                }
                Some(Taken::Context((*reference.elem).clone()))
            }
            Some(segment) if path.qself.is_none() && segment.ident == "str" => {
                errors.at(reference, format_args!("arguments must be owned, found `{written}`; take `String`"));
                None
            }
            _ => Some(Taken::Part((*reference.elem).clone(), writes)),
        },
        Type::Slice(slice) => {
            errors.at(
                reference,
                format_args!("arguments must be owned, found `{written}`; take `Vec<{}>`", spaceless(&slice.elem)),
            );
            None
        }
        Type::ImplTrait(_) | Type::TraitObject(_) => {
            errors.at(
                reference,
                format_args!(
                    "what is borrowed must be a concrete session type or `&Context`, found `{written}`; name the type"
                ),
            );
            None
        }
        Type::Macro(_) | Type::Verbatim(_) => Some(Taken::Part((*reference.elem).clone(), writes)),
        _ => {
            errors.at(
                reference,
                format_args!(
                    "what is borrowed must be a session type or `&Context`, found `{written}`; take an argument by \
                 value"
                ),
            );
            None
        }
    }
}

fn check_owned(ty: &Type, errors: &mut Errors) {
    match ty {
        Type::ImplTrait(_) => {
            errors.at(
                ty,
                format_args!("an argument must have a concrete type, found `{}`; name the type", spaceless(ty)),
            );
        }
        Type::Infer(_) => errors.at(ty, "an argument must have a type, found `_`; name it"),
        _ => Inside(errors).visit_type(ty),
    }
}

/// Finds what can't be in an owned type.
struct Inside<'a>(&'a mut Errors);

impl<'ast> Visit<'ast> for Inside<'_> {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        self.0.at(
            reference,
            format_args!(
                "arguments must be owned as a whole, found `{}` inside; {}",
                spaceless(reference),
                match bare(&reference.elem) {
                    Type::Path(path) if path.path.is_ident("str") => "take `String` there".to_owned(),
                    Type::Slice(slice) => format!("take `Vec<{}>` there", spaceless(&slice.elem)),
                    other => format!("take `{}` there", spaceless(other)),
                }
            ),
        );
    }

    // The types of functions may borrow; that they are no arguments is a matter of traits.
    fn visit_type_fn_ptr(&mut self, _: &'ast syn::TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments(&mut self, _: &'ast syn::ParenthesizedGenericArguments) {}
}

/// Finds what can't be returned.
pub(super) fn check_output(kind: Kind, ty: &Type, errors: &mut Errors) {
    match bare(ty) {
        Type::Never(_) => {
            let fix = if kind == Kind::Tool { "return `()`" } else { "return what it gives" };
            errors.at(ty, format_args!("a {} must return, found `!`; {fix}", kind.noun()));
        }
        _ => Returned(kind, errors).visit_type(ty),
    }
}

struct Returned<'a>(Kind, &'a mut Errors);

impl<'ast> Visit<'ast> for Returned<'_> {
    fn visit_type_impl_trait(&mut self, ty: &'ast syn::TypeImplTrait) {
        let future = ty.bounds.iter().any(|bound| spaceless(bound).contains("Future<"));
        let fix = if future { "write `async fn` with what the future gives" } else { "name the type" };
        let Self(kind, errors) = self;
        errors.at(
            ty,
            format_args!("the result of a {} must have a concrete type, found `{}`; {fix}", kind.noun(), spaceless(ty)),
        );
        visit::visit_type_impl_trait(self, ty);
    }
}

/// Gives elided lifetimes the name `'__mcp`, and says whether there are any.
pub(super) fn name_elided_lifetimes(ty: &mut Type) -> bool {
    let mut names = Names(false);
    names.visit_type_mut(ty);
    names.0
}

struct Names(bool);

impl VisitMut for Names {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        reference.lifetime.get_or_insert_with(|| Lifetime::new("'_", Span::call_site()));
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = Lifetime::new("'__mcp", lifetime.span());
            self.0 = true;
        }
    }

    fn visit_type_fn_ptr_mut(&mut self, _: &mut syn::TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut syn::ParenthesizedGenericArguments) {}
}
