//! What the macros write, as files: `tests/expand/NAME.in.rs` is what a user writes, `NAME.out.rs` what the compiler gets.
//!
//! `UPDATE=1 cargo test -p mcp-macros` writes the outputs anew; read the difference before you commit it.

use std::{fs, path::PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Item, Meta};

use crate::{args::ServerArgs, check, entry, errors::Errors, item::ServerItem, lower, names};

/// Everything in a file, with our macros expanded.
fn expand(source: &str) -> TokenStream {
    let file = syn::parse_file(source).expect("the input is Rust");
    let mut tokens = TokenStream::new();
    for mut item in file.items {
        let derives = derives_session_state(&item);
        match server_args(&mut item) {
            Some(args) => tokens.extend(entry::mcp_server(args, item.to_token_stream())),
            None => item.to_tokens(&mut tokens),
        }
        if derives {
            tokens.extend(entry::session_state(item.to_token_stream()));
        }
    }
    tokens
}

/// Takes `#[mcp_server]` from an item, as rustc does.
fn server_args(item: &mut Item) -> Option<TokenStream> {
    let attributes = match item {
        Item::Impl(item) => &mut item.attrs,
        Item::Mod(item) => &mut item.attrs,
        _ => return None,
    };
    let position = attributes.iter().position(|attribute| attribute.path().is_ident("mcp_server"))?;
    Some(match attributes.remove(position).meta {
        Meta::List(list) => list.tokens,
        _ => TokenStream::new(),
    })
}

fn derives_session_state(item: &Item) -> bool {
    let derives = |attribute: &Attribute| {
        attribute.path().is_ident("derive") && attribute.to_token_stream().to_string().contains("SessionState")
    };
    match item {
        Item::Struct(item) => item.attrs.iter().any(derives),
        Item::Enum(item) => item.attrs.iter().any(derives),
        _ => false,
    }
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/expand")
}

fn inputs() -> Vec<PathBuf> {
    let mut inputs: Vec<PathBuf> = fs::read_dir(directory())
        .expect("tests/expand is there")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(".in.rs"))
        .collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "there are inputs");
    inputs
}

#[test]
fn expansions_are_as_recorded() {
    for input in inputs() {
        let output = PathBuf::from(input.to_string_lossy().replace(".in.rs", ".out.rs"));
        let expanded = expand(&fs::read_to_string(&input).expect("the input can be read"));
        let file = syn::parse2(expanded).unwrap_or_else(|error| panic!("{}: {error}", input.display()));
        let text = prettyplease::unparse(&file);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&output, text).expect("the output can be written");
            continue;
        }
        let recorded = fs::read_to_string(&output).unwrap_or_default();
        assert!(text == recorded, "{} differs; UPDATE=1 writes it anew. Now it is:\n{text}", output.display());
    }
}

fn names_in(tokens: TokenStream, found: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => found.push(ident.to_string()),
            TokenTree::Group(group) => names_in(group.stream(), found),
            _ => {}
        }
    }
}

#[test]
fn a_renamed_crate_leaves_no_trace_of_its_name() {
    let source = r#"
        #[mcp_server(crate = "renamed")]
        mod server {
            /// Adds.
            #[tool(title = "Add")]
            pub fn add(notebook: &mut Notebook, cx: &Context, #[arg(default, header = "A")] a: i64) -> Result<i64, E> {}
        }
        #[mcp_server(crate = "renamed")]
        impl Notes {
            /// Lists.
            #[tool]
            async fn list(&self, notebook: &Notebook) -> &str {}
        }
        #[derive(SessionState)]
        #[state(crate = "renamed")]
        struct Notebook(u32);
    "#;
    let mut found = Vec::new();
    names_in(expand(source), &mut found);
    assert!(found.contains(&"renamed".to_owned()));
    assert!(!found.contains(&"mcp_runtime".to_owned()));
    assert!(!found.contains(&"compile_error".to_owned()), "{found:?}");
}

#[test]
fn a_crate_is_renamed_where_there_are_mistakes_too() {
    let source = r#"
        #[mcp_server(crate = "renamed")]
        mod server {}
        #[mcp_server(crate = "crate::inner::renamed", nam = "x")]
        impl Notes {}
    "#;
    let mut found = Vec::new();
    names_in(expand(source), &mut found);
    assert_eq!(found.iter().filter(|name| *name == "compile_error").count(), 3);
    assert!(!found.contains(&"mcp_runtime".to_owned()));
}

/// Every mistake in one declaration.
fn mistakes(args: &str, item: &str) -> Vec<String> {
    let mut errors = Errors::default();
    let args = ServerArgs::parse(args.parse().expect("tokens"), &mut errors);
    let item = ServerItem::parse(item.parse().expect("tokens")).expect("an item");
    let server = lower::server(args, &item, &mut errors);
    check::server(&server, &item, &mut errors);
    errors.messages()
}

#[test]
fn a_mistake_in_one_tool_does_not_hide_those_in_others() {
    let found = mistakes(
        "",
        "impl Notes {
            #[tool] fn a(&mut self, text: &str) {}
            /// B.
            #[tool(fast)] fn b(self) -> impl Sized {}
        }",
    );
    assert_eq!(found.len(), 6, "{found:#?}");
}

#[test]
fn messages_have_no_full_stop_and_name_what_was_found() {
    let found = mistakes(
        "name = \"notes\", nam = 5",
        "mod notes {
            #[tool(name = \"a.b\", title = 5, title = 6)] const fn serve(text: &str, cx: &mut Context) {}
            /// B.
            #[tool(read_only)] fn b(one: &mut A, two: &A, #[arg(header = \" \")] session: String, (x, y): (u8, u8)) {}
        }",
    );
    assert!(found.len() > 10, "{found:#?}");
    for message in found {
        assert!(!message.ends_with('.'), "{message}");
        let says = ["found", "must not", "is also"].iter().any(|words| message.contains(words));
        assert!(says, "{message}");
    }
}

#[test]
fn a_broken_body_is_left_to_the_compiler() {
    let tokens = entry::mcp_server(
        TokenStream::new(),
        "impl Notes { /** Adds. */ #[tool] fn add(&self) -> i64 { 1 + + ; let } }".parse().expect("tokens"),
    );
    let mut found = Vec::new();
    names_in(tokens, &mut found);
    assert!(found.contains(&"find_tool".to_owned()));
    assert!(!found.contains(&"compile_error".to_owned()));
}

#[test]
fn a_broken_outline_is_given_back() {
    let source = "impl Notes { #[tool] fn add(&self, ) -> { } fn other( }";
    // The tokens must be balanced to reach a macro; what is in them need not be Rust.
    let source = source.replace("other( }", "other() }");
    let tokens = entry::mcp_server(TokenStream::new(), source.parse().expect("tokens"));
    let mut found = Vec::new();
    names_in(tokens, &mut found);
    assert!(found.contains(&"compile_error".to_owned()));
    assert!(found.contains(&"other".to_owned()));
}

#[test]
fn names_of_fields_are_in_snake_case() {
    for (name, field) in [
        ("Notebook", "notebook"),
        ("HTTPServer", "http_server"),
        ("NotebookV2", "notebook_v2"),
        ("A", "a"),
        ("aB", "a_b"),
    ] {
        assert_eq!(names::snake_case(name), field);
    }
    assert_eq!(names::camel_case("session_server"), "SessionServer");
    assert_eq!(names::camel_case("calculator"), "Calculator");
}
