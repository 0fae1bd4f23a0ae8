//! The grammars of our attributes.
//!
//! Takes: the tokens in an attribute's parentheses. Gives: its keys with their values. Knows: which keys there are. Must
//! not know: what they are on.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Result, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    token::Paren,
};

use crate::{errors::Errors, model::Icon, paths::Runtime};

mod argument;
mod completion;
mod function;
mod resource;
mod server;
mod state;
mod tool;

pub(crate) use self::{
    argument::{ArgumentArgs, DefaultArg},
    completion::CompletionArgs,
    function::FunctionArgs,
    resource::ResourceArgs,
    server::ServerArgs,
    state::StateArgs,
    tool::ToolArgs,
};

/// `key`, `key = value` or `key(…)`.
pub(crate) struct Pair {
    key: Ident,
    value: Value,
}

enum Value {
    Absent,
    Is(Box<Expr>),
    List(TokenStream),
}

/// The grammar of one attribute.
struct Grammar {
    /// As users know it.
    attribute: &'static str,
    /// Every key, in the order in which messages list them.
    keys: &'static [&'static str],
    /// The keys that may come more than once.
    repeatable: &'static [&'static str],
    /// What to say of keys that others use for what we say otherwise.
    advice: &'static [(&'static str, &'static str)],
}

const ICON: Grammar = Grammar { attribute: "icon", keys: &["src", "mime_type", "sizes"], repeatable: &[], advice: &[] };

impl Grammar {
    /// The pairs with known keys, each at most once.
    fn parse(&self, tokens: TokenStream, errors: &mut Errors) -> Vec<Pair> {
        let mut pairs = Vec::new();
        self.parse_more(tokens, &mut pairs, errors);
        pairs
    }

    fn parse_more(&self, tokens: TokenStream, pairs: &mut Vec<Pair>, errors: &mut Errors) {
        let parser = |input: ParseStream| {
            while !input.is_empty() {
                let pair = pair(input)?;
                let key = pair.key.to_string();
                if !self.keys.contains(&key.as_str()) {
                    errors.at(&pair.key, self.unknown(&key));
                } else if !self.repeatable.contains(&key.as_str()) && pairs.iter().any(|known| known.key == key) {
                    errors.at(&pair.key, format_args!("`{key}` must be given once, found it twice; remove one"));
                } else {
                    pairs.push(pair);
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = parser.parse2(tokens) {
            errors.parser(error);
        }
    }

    fn unknown(&self, key: &str) -> String {
        let known: Vec<String> = self.keys.iter().map(|key| format!("`{key}`")).collect();
        let known = format!("the keys of `{}` are {}, found `{key}`", self.attribute, known.join(", "));
        let plain = |key: &str| key.to_lowercase().replace(['_', '-'], "").replace("hint", "");
        let meant = self.keys.iter().find(|known| plain(known) == plain(key));
        match (self.advice.iter().find(|(word, _)| *word == key), meant) {
            (Some((_, advice)), _) => format!("{known}; {advice}"),
            (None, Some(meant)) => format!("{known}; write `{meant}`"),
            (None, None) => format!("{known}; remove it"),
        }
    }

    /// The pairs of one attribute, `#[tool]` or `#[tool(…)]`.
    fn parse_attribute(&self, attribute: &Attribute, errors: &mut Errors) -> Vec<Pair> {
        match &attribute.meta {
            Meta::Path(_) => Vec::new(),
            Meta::List(list) => self.parse(list.tokens.clone(), errors),
            Meta::NameValue(_) => {
                let name = self.attribute.trim_matches(['#', '[', ']']);
                errors.at(attribute, format_args!("keys must be in parentheses, found `=`; write `#[{name}(…)]`"));
                Vec::new()
            }
        }
    }
}

fn pair(input: ParseStream) -> Result<Pair> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected a key: a name, then `= value` where it has one"));
    }
    let key = input.call(Ident::parse_any)?;
    let value = if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        Value::Is(input.parse()?)
    } else if input.peek(Paren) {
        let list;
        syn::parenthesized!(list in input);
        Value::List(list.parse()?)
    } else {
        Value::Absent
    };
    Ok(Pair { key, value })
}

impl ToTokens for Pair {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.key.to_tokens(tokens);
        match &self.value {
            Value::Absent => {}
            Value::Is(value) => value.to_tokens(tokens),
            Value::List(list) => list.to_tokens(tokens),
        }
    }
}

impl Pair {
    fn expression(self, example: &str, errors: &mut Errors) -> Option<Expr> {
        match self.value {
            Value::Is(value) => Some(*value),
            Value::Absent | Value::List(_) => {
                let key = &self.key;
                errors.at(&self, format_args!("`{key}` must have a value, found none; write `{key} = {example}`"));
                None
            }
        }
    }

    /// `key = "…"`, or a constant of type `&'static str`.
    fn text(self, errors: &mut Errors) -> Option<Expr> {
        let key = self.key.clone();
        let value = self.expression("\"…\"", errors)?;
        if let Expr::Lit(ExprLit { lit, .. }) = &value
            && !matches!(lit, Lit::Str(_))
        {
            errors.at(&value, format_args!("`{key}` must be text, found {}; write `{key} = \"…\"`", kind_of(lit)));
            return None;
        }
        Some(value)
    }

    /// `key = "…"` and nothing else.
    fn literal(self, errors: &mut Errors) -> Option<LitStr> {
        let key = self.key.clone();
        match self.expression("\"…\"", errors)? {
            Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => Some(literal),
            Expr::Lit(ExprLit { lit, .. }) => {
                errors.at(&lit, format_args!("`{key}` must be text, found {}; write `{key} = \"…\"`", kind_of(&lit)));
                None
            }
            other => {
                errors.at(
                    &other,
                    format_args!(
                        "`{key}` must be a text literal, for the macro reads it, found an expression; write \
                         `{key} = \"…\"`"
                    ),
                );
                None
            }
        }
    }

    /// `key`, `key = true` or `key = false`.
    fn flag(self, errors: &mut Errors) -> Option<bool> {
        match &self.value {
            Value::Absent => Some(true),
            Value::Is(value) if let Expr::Lit(ExprLit { lit: Lit::Bool(literal), .. }) = &**value => {
                Some(literal.value)
            }
            _ => {
                let key = &self.key;
                errors.at(
                    &self,
                    format_args!(
                        "`{key}` must be `true` or `false`, found something else; write `{key}` or `{key} = false`"
                    ),
                );
                None
            }
        }
    }

    /// `key = Duration::…`, a constant.
    fn duration(self, errors: &mut Errors) -> Option<Expr> {
        let key = self.key.clone();
        let example = "Duration::from_secs(60)";
        let value = self.expression(example, errors)?;
        if let Expr::Lit(ExprLit { lit, .. }) = &value {
            errors.at(
                &value,
                format_args!("`{key}` must be a `Duration`, found {}; write `{key} = {example}`", kind_of(lit)),
            );
            return None;
        }
        Some(value)
    }

    /// `key = "{…}"`, the text of a JSON object; of a literal the macro sees whether it can be one.
    fn object(self, errors: &mut Errors) -> Option<Expr> {
        let key = self.key.clone();
        let value = self.text(errors)?;
        if let Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) = &value {
            let text = literal.value();
            let text = text.trim();
            if !text.starts_with('{') || !text.ends_with('}') {
                errors.at(
                    literal,
                    format_args!(
                        "`{key}` must be a JSON object as text, found \"{text}\"; write `{key} = \
                         r#\"{{\"example.com/key\": 1}}\"#`"
                    ),
                );
                return None;
            }
        }
        Some(value)
    }

    fn runtime(self, errors: &mut Errors) -> Option<Runtime> {
        let literal = self.literal(errors)?;
        match literal.parse_with(Path::parse_mod_style) {
            Ok(path) => Some(Runtime::at(path)),
            Err(_) => {
                errors.at(
                    &literal,
                    format_args!(
                        "`crate` must be a path, found \"{}\"; write `crate = \"the_name_of_the_dependency\"`",
                        literal.value()
                    ),
                );
                None
            }
        }
    }

    fn icon(self, errors: &mut Errors) -> Option<Icon> {
        let list = match self.value {
            Value::List(list) => list,
            _ => return Some(Icon { src: checked_src(self.text(errors)?, errors)?, mime_type: None, sizes: None }),
        };
        let pairs = ICON.parse(list, errors);
        if !pairs.iter().any(|pair| pair.key == "src") {
            errors.at(&self.key, "`icon` must have a `src`, found none; write `icon(src = \"https://…\")`");
        }
        let (mut src, mut mime_type, mut sizes) = (None, None, None);
        for pair in pairs {
            match pair.key.to_string().as_str() {
                "src" => src = checked_src(pair.text(errors)?, errors),
                "mime_type" => mime_type = pair.text(errors),
                _ => sizes = pair.expression("[\"48x48\"]", errors),
            }
        }
        Some(Icon { src: src?, mime_type, sizes })
    }
}

/// What clients may load; only a literal can be checked here.
fn checked_src(src: Expr, errors: &mut Errors) -> Option<Expr> {
    if let Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) = &src
        && !literal.value().starts_with("https:")
        && !literal.value().starts_with("data:")
    {
        errors.at(
            literal,
            format_args!(
                "an icon must be an `https:` or `data:` URI, found \"{}\"; host it, or embed it as `data:`",
                literal.value()
            ),
        );
        return None;
    }
    Some(src)
}

fn kind_of(literal: &Lit) -> &'static str {
    match literal {
        Lit::Str(_) => "text",
        Lit::Int(_) | Lit::Float(_) => "a number",
        Lit::Bool(_) => "a boolean",
        _ => "something else",
    }
}
