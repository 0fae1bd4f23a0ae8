//! `#[mcp_server(…)]`

use proc_macro2::TokenStream;
use syn::Expr;

use super::Grammar;
use crate::{errors::Errors, model::Icon, paths::Runtime};

const SERVER: Grammar = Grammar {
    attribute: "#[mcp_server]",
    keys: &[
        "name",
        "version",
        "title",
        "website_url",
        "icon",
        "lenient",
        "changes",
        "list_ttl",
        "list_public",
        "require_session",
        "crate",
    ],
    repeatable: &["icon"],
    advice: &[
        ("instructions", "the instructions are the doc comment of the `impl` or `mod`"),
        ("description", "the instructions are the doc comment of the `impl` or `mod`"),
    ],
};

/// `#[mcp_server(…)]`
#[derive(Default)]
pub(crate) struct ServerArgs {
    pub(crate) name: Option<Expr>,
    pub(crate) version: Option<Expr>,
    pub(crate) title: Option<Expr>,
    pub(crate) website_url: Option<Expr>,
    pub(crate) icons: Vec<Icon>,
    pub(crate) lenient: Option<bool>,
    pub(crate) changes: bool,
    pub(crate) list_ttl: Option<Expr>,
    pub(crate) list_public: bool,
    pub(crate) require_session: bool,
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
                "changes" => args.changes = pair.flag(errors).unwrap_or_default(),
                "list_ttl" => args.list_ttl = pair.duration(errors),
                "list_public" => args.list_public = pair.flag(errors).unwrap_or_default(),
                "require_session" => args.require_session = pair.flag(errors).unwrap_or_default(),
                _ => args.runtime = pair.runtime(errors).unwrap_or_default(),
            }
        }
        args
    }
}
