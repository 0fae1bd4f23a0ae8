//! The grammars of our attributes.
//!
//! Takes: the tokens in an attribute's parentheses. Gives: its keys with their values. Knows: which keys there are. Must
//! not know: what they are on.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{
    Attribute, Expr, ExprLit, Ident, Lit, LitInt, LitStr, Meta, Path, Result, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    token::Paren,
};

use crate::{
    errors::Errors,
    model::{Annotations, Icon},
    names,
    paths::Runtime,
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

const SERVER: Grammar = Grammar {
    attribute: "#[mcp_server]",
    keys: &["name", "version", "title", "website_url", "icon", "lenient", "crate"],
    repeatable: &["icon"],
    advice: &[
        ("instructions", "the instructions are the doc comment of the `impl` or `mod`"),
        ("description", "the instructions are the doc comment of the `impl` or `mod`"),
    ],
};

const TOOL: Grammar = Grammar {
    attribute: "#[tool]",
    keys: &[
        "name",
        "title",
        "read_only",
        "destructive",
        "idempotent",
        "open_world",
        "blocking",
        "icon",
        "input_schema",
    ],
    repeatable: &["icon"],
    advice: &[
        ("description", "the description is the doc comment of the function"),
        ("output_schema", "the output schema is that of the return type"),
    ],
};

const ARGUMENT: Grammar = Grammar {
    attribute: "#[arg]",
    keys: &["name", "default", "header", "as_string"],
    repeatable: &[],
    advice: &[
        ("description", "the description is the doc comment of the parameter"),
        ("rename", "another name is `name = \"…\"`"),
        ("optional", "an argument that may be left out is an `Option`, or has a `default`"),
    ],
};

const STATE: Grammar =
    Grammar { attribute: "#[state]", keys: &["key", "version", "crate"], repeatable: &[], advice: &[] };

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

/// `#[mcp_server(…)]`
#[derive(Default)]
pub(crate) struct ServerArgs {
    pub(crate) name: Option<Expr>,
    pub(crate) version: Option<Expr>,
    pub(crate) title: Option<Expr>,
    pub(crate) website_url: Option<Expr>,
    pub(crate) icons: Vec<Icon>,
    pub(crate) lenient: Option<bool>,
    pub(crate) runtime: Runtime,
}

impl ServerArgs {
    /// Reads what is in the parentheses.
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        for pair in SERVER.parse(tokens, errors) {
            match pair.key.to_string().as_str() {
                "name" => args.name = pair.text(errors),
                "version" => args.version = pair.text(errors),
                "title" => args.title = pair.text(errors),
                "website_url" => args.website_url = pair.text(errors),
                "icon" => args.icons.extend(pair.icon(errors)),
                "lenient" => args.lenient = pair.flag(errors),
                _ => args.runtime = pair.runtime(errors).unwrap_or_default(),
            }
        }
        args
    }
}

/// `#[tool(…)]`
#[derive(Default)]
pub(crate) struct ToolArgs {
    pub(crate) name: Option<LitStr>,
    pub(crate) title: Option<Expr>,
    pub(crate) annotations: Annotations,
    /// The key that says `read_only`, for errors.
    pub(crate) read_only: Option<Span>,
    /// The key that says `blocking`.
    pub(crate) blocking: Option<Span>,
    pub(crate) icons: Vec<Icon>,
    pub(crate) input_schema: Option<Expr>,
}

impl ToolArgs {
    /// Reads the attribute.
    pub(crate) fn parse(attribute: &Attribute, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        for pair in TOOL.parse_attribute(attribute, errors) {
            let place = pair.key.span();
            match pair.key.to_string().as_str() {
                "name" => args.name = pair.literal(errors),
                "title" => args.title = pair.text(errors),
                "read_only" => {
                    args.annotations.read_only = pair.flag(errors);
                    args.read_only = (args.annotations.read_only == Some(true)).then_some(place);
                }
                "destructive" => args.annotations.destructive = pair.flag(errors),
                "idempotent" => args.annotations.idempotent = pair.flag(errors),
                "open_world" => args.annotations.open_world = pair.flag(errors),
                "blocking" => args.blocking = pair.flag(errors).and_then(|blocking| blocking.then_some(place)),
                "icon" => args.icons.extend(pair.icon(errors)),
                _ => args.input_schema = pair.text(errors),
            }
        }
        args
    }
}

/// `#[arg(…)]`
#[derive(Default)]
pub(crate) struct ArgumentArgs {
    pub(crate) name: Option<LitStr>,
    pub(crate) default: Option<DefaultArg>,
    pub(crate) header: Option<LitStr>,
    /// The key that says `as_string`.
    pub(crate) as_string: Option<Span>,
}

/// `default` or `default = …`
pub(crate) enum DefaultArg {
    /// That of the type.
    Own,
    /// This value.
    Value(Box<Expr>),
}

impl ArgumentArgs {
    /// Reads the attribute.
    pub(crate) fn parse(attribute: &Attribute, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        for pair in ARGUMENT.parse_attribute(attribute, errors) {
            let place = pair.key.span();
            match pair.key.to_string().as_str() {
                "name" => args.name = pair.literal(errors),
                "as_string" => args.as_string = pair.flag(errors).and_then(|as_string| as_string.then_some(place)),
                "header" => args.header = pair.literal(errors).filter(|name| legal_header(name, errors)),
                _ => {
                    args.default = match pair.value {
                        Value::Absent => Some(DefaultArg::Own),
                        _ => pair.expression("…", errors).map(|value| DefaultArg::Value(Box::new(value))),
                    };
                }
            }
        }
        args
    }
}

fn legal_header(name: &LitStr, errors: &mut Errors) -> bool {
    let legal = names::is_header_name(&name.value());
    if !legal {
        errors.at(
            name,
            format_args!(
                "the name of a header must be letters, digits and `-`, found \"{}\"; write, for example, \
                 `header = \"Region\"`",
                name.value()
            ),
        );
    }
    legal
}

/// `#[state(…)]`
#[derive(Default)]
pub(crate) struct StateArgs {
    pub(crate) key: Option<LitStr>,
    pub(crate) version: Option<LitInt>,
    pub(crate) runtime: Runtime,
}

impl StateArgs {
    /// Reads every `#[state(…)]` among these.
    pub(crate) fn parse(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let mut pairs = Vec::new();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("state")) {
            match &attribute.meta {
                Meta::List(list) => STATE.parse_more(list.tokens.clone(), &mut pairs, errors),
                _ => errors.at(
                    attribute,
                    "`#[state]` must have keys in parentheses, found none; write `#[state(key = \"…\")]` or \
                     remove it",
                ),
            }
        }
        for pair in pairs {
            match pair.key.to_string().as_str() {
                "key" => args.key = pair.literal(errors),
                "version" => {
                    args.version = match pair.expression("2", errors) {
                        Some(Expr::Lit(ExprLit { lit: Lit::Int(version), .. }))
                            if version.base10_parse::<u32>().is_ok() =>
                        {
                            Some(version)
                        }
                        Some(other) => {
                            errors.at(
                                &other,
                                "`version` must be a whole number from 0 to 4294967295, found something else; \
                                 write `version = 2`",
                            );
                            None
                        }
                        None => None,
                    };
                }
                _ => args.runtime = pair.runtime(errors).unwrap_or_default(),
            }
        }
        args
    }
}
