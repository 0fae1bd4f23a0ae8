//! Rules that need more than one thing of the declaration; what one function alone can get wrong is `lower`'s.
//!
//! Takes: the model, and the item for its other names. Gives: errors. Knows: what must be unique, what collides with
//! generated things. Must not know: generated code.

use proc_macro2::Span;
use syn::{Expr, ExprLit, Ident, Lit};

use crate::{
    errors::Errors,
    item::{Head, Member, ServerItem},
    lower::spaceless,
    model::{Function, Kind, Name, Server, Shape},
    names,
};

mod completions;

/// Records every broken rule.
pub(crate) fn server(server: &Server, item: &ServerItem, errors: &mut Errors) {
    if matches!(server.shape, Shape::Broken) {
        return;
    }
    something(server, item, errors);
    unique_names(server, errors);
    unique_uris(server, errors);
    // What `env!("CARGO_PKG_NAME")` in the generated code will be; builds without Cargo have none.
    qualified_names(server, std::env::var("CARGO_PKG_NAME").ok().as_deref(), errors);
    for function in server.functions() {
        unique_arguments(function, errors);
        unique_headers(function, errors);
        unique_parts(function, errors);
    }
    completions::of(server, errors);
    if server.functions().any(|function| function.parts().next().is_some()) {
        added_by_the_runtime(server, errors);
    }
    if let Shape::Mod(_) = server.shape {
        generated_functions(item, errors);
    }
}

fn something(server: &Server, item: &ServerItem, errors: &mut Errors) {
    // A declaration with mistakes is one, too.
    if item.functions().any(|function| !function.declarations.is_empty()) {
        return;
    }
    debug_assert!(server.functions().next().is_none(), "what is in the model was declared");
    let message = "a server must have a tool, a prompt or a resource, found none; write `/// What it does.` and `#[tool]` \
                   above a function";
    match &item.head {
        Head::Impl(head) => errors.at(&head.self_ty, message),
        Head::Mod(head) => errors.at(&head.ident, message),
        Head::Other(..) => {}
    }
}

fn unique_names(server: &Server, errors: &mut Errors) {
    for kind in [Kind::Tool, Kind::Prompt, Kind::Resource] {
        let functions = server.functions().filter(|function| function.kind == kind);
        let noun = kind.noun();
        let uri = if kind == Kind::Resource { "\"…\", " } else { "" };
        twice(functions.map(|function| (function.name.text.clone(), function.name.span)), |name, place, other| {
            errors.at_span(
                place,
                format_args!(
                    "the names of {noun}s must differ, found `{name}` twice; rename one: `#[{noun}({uri}name = \"…\")]`"
                ),
            );
            errors.at_span(other, format_args!("`{name}` is also the name of this {noun}"));
        });
    }
}

fn unique_uris(server: &Server, errors: &mut Errors) {
    let uris = server.resources.iter().map(|resource| (resource.uri.text.clone(), resource.uri.span));
    twice(uris, |uri, place, other| {
        errors.at_span(
            place,
            format_args!(
                "the URIs of resources must differ, found `{uri}` twice; change one, or make one function of both"
            ),
        );
        errors.at_span(other, format_args!("`{uri}` is also the URI of this resource"));
    });
}

/// Calls `report` with each second place of a name, and the first.
fn twice(names: impl Iterator<Item = (String, Span)>, mut report: impl FnMut(&str, Span, Span)) {
    let mut known: Vec<(String, Span)> = Vec::new();
    for (name, place) in names {
        match known.iter().find(|(other, _)| *other == name) {
            Some((_, first)) => report(&name, place, *first),
            None => known.push((name, place)),
        }
    }
}

/// Holds names against the limit of clients, where they are known here: a server without a name has that of its `package`.
fn qualified_names(server: &Server, package: Option<&str>, errors: &mut Errors) {
    let (name, fix) = match &server.name {
        Some(Expr::Lit(ExprLit { lit: Lit::Str(name), .. })) => (name.value(), "shorten one"),
        Some(_) => return,
        None => match package {
            Some(package) => (package.to_owned(), "shorten one: `#[mcp_server(name = \"…\")]` names the server"),
            None => return,
        },
    };
    let own = "mcp__".len() + name.len() + "__".len();
    for Name { text: tool, span } in server.tools.iter().map(|tool| &tool.function.name) {
        let length = own + tool.len();
        if length > names::QUALIFIED_NAME_LIMIT && tool.len() <= names::NAME_LIMIT {
            errors.at_span(
                *span,
                format_args!(
                    "the names of server and tool together must have at most {} characters, as `mcp__{name}__{tool}`, \
                     found {length}; {fix}",
                    names::QUALIFIED_NAME_LIMIT
                ),
            );
        }
    }
}

fn unique_arguments(function: &Function, errors: &mut Errors) {
    let noun = function.kind.noun();
    let names = function.arguments().map(|argument| (argument.name.text.clone(), argument.name.span));
    twice(names, |name, place, other| {
        errors.at_span(
            place,
            format_args!(
                "the names of a {noun}'s arguments must differ, found `{name}` twice; rename one: `#[arg(name = \
                 \"…\")]`"
            ),
        );
        errors.at_span(other, format_args!("`{name}` is also the name of this argument"));
    });
}

fn unique_headers(function: &Function, errors: &mut Errors) {
    let headers = function.arguments().filter_map(|argument| {
        argument.header.as_ref().map(|header| (header.to_ascii_lowercase(), argument.name.span))
    });
    twice(headers, |name, place, other| {
        errors.at_span(
            place,
            format_args!(
                "the headers of a tool's arguments must differ, in any case of letters, found `{name}` twice; \
             rename one"
            ),
        );
        errors.at_span(other, format_args!("`{name}` is also the header of this argument"));
    });
}

fn unique_parts(function: &Function, errors: &mut Errors) {
    let noun = function.kind.noun();
    let mut known = Vec::new();
    for part in function.parts() {
        let ty = spaceless(&part.ty);
        let mutable =
            if function.parts().any(|other| other.writes && spaceless(&other.ty) == ty) { "mut " } else { "" };
        if known.contains(&ty) {
            errors.at(
                &part.ty,
                format_args!(
                    "a {noun} must borrow each session type once, found `{ty}` twice; keep one: `&{mutable}{ty}`"
                ),
            );
        }
        known.push(ty);
    }
}

/// Where functions borrow session state, clients without sessions name it in an argument that a tool mints.
fn added_by_the_runtime(server: &Server, errors: &mut Errors) {
    for Name { text, span } in server.tools.iter().map(|tool| &tool.function.name) {
        if text == names::MINTING_TOOL {
            errors.at_span(
                *span,
                format_args!(
                    "`{text}` must be left to the tool that the server gains where session state is borrowed, found a \
                     tool of this name; rename it: `#[tool(name = \"…\")]`"
                ),
            );
        }
    }
    for function in server.functions().filter(|function| function.parts().next().is_some()) {
        let noun = function.kind.noun();
        for argument in function.arguments().filter(|argument| argument.name.text == names::HANDLE_ARGUMENT) {
            let template = if function.kind == Kind::Resource { ", and the variable of the template" } else { "" };
            errors.at_span(
                argument.name.span,
                format_args!(
                    "`{}` must be left to the argument that a {noun} gains when it borrows session state, found an \
                     argument of this name; rename it: `#[arg(name = \"…\")]`{template}",
                    names::HANDLE_ARGUMENT
                ),
            );
        }
    }
}

fn generated_functions(item: &ServerItem, errors: &mut Errors) {
    let taken = |name: &Ident| name == "server" || name == "serve";
    for member in &item.members {
        let (name, declared) = match member {
            Member::Function(function) => (&function.signature.ident, function.declarations.first()),
            Member::Other(_, Some(name)) => (name, None),
            Member::Other(_, None) => continue,
        };
        if taken(name) {
            let fix = match declared {
                Some((kind @ (Kind::Tool | Kind::Prompt), _)) => {
                    format!("rename the function and write `#[{}(name = \"{name}\")]`", kind.attribute())
                }
                Some((Kind::Resource, _)) => {
                    format!("rename the function and add `name = \"{name}\"` to its `#[resource]`")
                }
                Some((Kind::Completion, _)) | None => "rename it".to_owned(),
            };
            errors.at(
                name,
                format_args!(
                    "`server` and `serve` must be left to the functions that the `mod` gains, found `{name}`; {fix}"
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{args::ServerArgs, lower};

    /// What is said of the name of a tool with 30 characters, in a package of this name.
    fn said(args: &str, package: Option<&str>) -> Vec<String> {
        let mut errors = Errors::default();
        let args = ServerArgs::parse(args.parse().expect("tokens"), &mut errors);
        let tool = "t".repeat(30);
        let item = format!("mod server {{ /// Adds.\n #[tool] pub fn {tool}() {{}} }}");
        let item = ServerItem::parse(item.parse().expect("tokens")).expect("an item");
        let server = lower::server(args, &item, &mut errors);
        qualified_names(&server, package, &mut errors);
        errors.messages()
    }

    #[test]
    fn a_server_without_a_name_is_measured_by_that_of_its_package() {
        assert!(said("", Some(&"p".repeat(27))).is_empty());
        let found = said("", Some(&"p".repeat(28)));
        let [message] = &found[..] else { panic!("one mistake: {found:?}") };
        assert!(message.contains(&format!("`mcp__{}__{}`, found 65;", "p".repeat(28), "t".repeat(30))), "{message}");
        assert!(message.contains("#[mcp_server(name = "), "{message}");
    }

    #[test]
    fn a_name_of_its_own_comes_before_that_of_the_package() {
        let long = "p".repeat(60);
        assert!(said("name = \"notes\"", Some(&long)).is_empty());
        assert!(said("name = NOTES", Some(&long)).is_empty(), "the value of a constant is not known here");
        assert!(said("", None).is_empty());
        assert_eq!(said(&format!("name = \"{}\"", "n".repeat(28)), None).len(), 1);
    }
}
