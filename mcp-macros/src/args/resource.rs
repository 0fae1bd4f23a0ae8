//! `#[resource(…)]`

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, spanned::Spanned as _};

use super::{FunctionArgs, Grammar, Pair, kind_of};
use crate::{errors::Errors, model::Reader};

const RESOURCE: Grammar = Grammar {
    attribute: "#[resource]",
    keys: &[
        "name",
        "title",
        "mime_type",
        "size",
        "audience",
        "priority",
        "last_modified",
        "ttl",
        "public",
        "blocking",
        "deadline",
        "icon",
        "meta",
    ],
    repeatable: &["icon"],
    advice: &[
        ("description", "the description is the doc comment of the function"),
        ("uri", "the URI comes first, without a key: `#[resource(\"notes://{id}\")]`"),
        ("uri_template", "the template comes first, without a key: `#[resource(\"notes://{id}\")]`"),
        ("template", "the template comes first, without a key: `#[resource(\"notes://{id}\")]`"),
    ],
};

/// `#[resource("…", …)]`
#[derive(Default)]
pub(crate) struct ResourceArgs {
    pub(crate) function: FunctionArgs,
    /// The URI or template; without one there is an error.
    pub(crate) uri: Option<LitStr>,
    pub(crate) mime_type: Option<Expr>,
    pub(crate) size: Option<Expr>,
    pub(crate) audience: Vec<Reader>,
    pub(crate) priority: Option<Expr>,
    pub(crate) last_modified: Option<Expr>,
    pub(crate) ttl: Option<Expr>,
    pub(crate) public: bool,
}

impl ResourceArgs {
    /// Reads the attribute.
    pub(crate) fn parse(attribute: &Attribute, errors: &mut Errors) -> Self {
        let before = errors.count();
        let mut args = Self::default();
        let pairs = match &attribute.meta {
            Meta::List(list) => {
                let (uri, rest) = uri_first(list.tokens.clone(), errors);
                args.uri = uri;
                RESOURCE.parse(rest, errors)
            }
            _ => RESOURCE.parse_attribute(attribute, errors),
        };
        for pair in pairs {
            let Some(pair) = args.function.take(pair, errors) else { continue };
            match pair.key.to_string().as_str() {
                "mime_type" => args.mime_type = pair.text(errors),
                "size" => args.size = pair.expression("1024", errors),
                "audience" => args.audience = pair.audience(errors),
                "priority" => args.priority = pair.priority(errors),
                "last_modified" => args.last_modified = pair.text(errors),
                "ttl" => args.ttl = pair.duration(errors),
                _ => args.public = pair.flag(errors).unwrap_or_default(),
            }
        }
        if args.uri.is_none() && errors.count() == before {
            errors.at(
                attribute,
                "a resource must have a URI or a template of URIs, found none; write it first: \
                 `#[resource(\"notes://{id}\")]`",
            );
        }
        args
    }
}

/// The literal at the beginning, and what comes behind its comma.
fn uri_first(tokens: TokenStream, errors: &mut Errors) -> (Option<LitStr>, TokenStream) {
    let mut rest = tokens.clone().into_iter();
    let Some(TokenTree::Literal(literal)) = rest.next() else { return (None, tokens) };
    let uri = match Lit::new(literal) {
        Lit::Str(uri) => Some(uri),
        other => {
            let found = kind_of(&other);
            errors.at(
                other,
                format_args!(
                    "the URI of a resource must be text, found {found}; write `#[resource(\"notes://{{id}}\")]`"
                ),
            );
            None
        }
    };
    match rest.next() {
        Some(TokenTree::Punct(comma)) if comma.as_char() == ',' => {}
        Some(other) => {
            errors.at(&other, format_args!("the keys must come after a comma, found `{other}`; write one"));
            return (uri, std::iter::once(other).chain(rest).collect());
        }
        None => {}
    }
    (uri, rest.collect())
}

impl Pair {
    /// `audience = "user"` or `audience = ["user", "assistant"]`.
    fn audience(self, errors: &mut Errors) -> Vec<Reader> {
        let Some(value) = self.expression("\"user\"", errors) else { return Vec::new() };
        let readers: Vec<Expr> = match value {
            Expr::Array(list) => list.elems.into_iter().collect(),
            one => vec![one],
        };
        let mut audience = Vec::new();
        for reader in readers {
            let text = match &reader {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value(),
                _ => String::new(),
            };
            match text.as_str() {
                "user" => audience.push(Reader::User),
                "assistant" => audience.push(Reader::Assistant),
                _ => errors.at(
                    &reader,
                    "`audience` must be \"user\", \"assistant\" or a list of them, found something else; write \
                     `audience = \"user\"`",
                ),
            }
        }
        audience
    }

    /// `priority = 0.8`
    fn priority(self, errors: &mut Errors) -> Option<Expr> {
        let value = self.expression("0.8", errors)?;
        let number = match &value {
            Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => number.base10_parse::<f64>().ok(),
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse::<f64>().ok(),
            Expr::Lit(_) | Expr::Unary(_) => None,
            _ => return Some(value),
        };
        match number.filter(|number| (0.0..=1.0).contains(number)) {
            // A whole number is meant as this one: `1` is 1.0.
            Some(number) => {
                let mut literal = proc_macro2::Literal::f64_suffixed(number);
                literal.set_span(value.span());
                Some(Expr::Lit(ExprLit { attrs: Vec::new(), lit: Lit::new(literal) }))
            }
            None => {
                errors.at(
                    &value,
                    "`priority` must be a number from 0 (optional) to 1 (required), found something else; write \
                     `priority = 0.8`",
                );
                None
            }
        }
    }
}
