//! The macros of `mcp-runtime`, which re-exports them.
//!
//! Depend on `mcp-runtime`, not on this crate: what the macros write calls that crate of this very version. The road of
//! each macro is `item` and `args` (parse) → `lower` → `check` → `expand`; the first three record every mistake in
//! `errors`, the last cannot fail, and where there are mistakes `fallback` takes its place.

mod args;
mod check;
mod doc;
mod entry;
mod errors;
mod expand;
mod fallback;
mod item;
mod lower;
mod model;
mod names;
mod paths;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Declares an MCP server: an `impl` block with methods, or an inline `mod` with free functions, marked `#[tool]`.
///
/// The doc comment of the `impl` or `mod` is the instructions that clients get. A `mod` gains `server()` and `serve()`;
/// the type of an `impl` is given to `Server::new`. Where tools borrow session state, the type `…Session` holds all of
/// one session's state, typed.
///
/// # Keys
///
/// * `name = "…"`, `version = "…"`: by default those of the crate.
/// * `title = "…"`, `website_url = "…"`.
/// * `icon = "https://…"` or `icon(src = "…", mime_type = "…", sizes = ["48x48"])`, also more than once.
/// * `lenient = false`: `"5"` is no longer accepted for `5`, nor a JSON string for an object.
/// * `crate = "…"`: where `mcp_runtime` is found, for a renamed dependency.
#[proc_macro_attribute]
pub fn mcp_server(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::mcp_server(args.into(), item.into()).into()
}

/// Makes a function of an `#[mcp_server]` a tool: what it owns comes from the caller, what it borrows is injected.
///
/// | a parameter of type | is |
/// |---|---|
/// | `&self` | the server value, shared by all sessions |
/// | `&S`, `&mut S` where `S: SessionState` | this session's `S`: a snapshot, or a draft that is committed on `Ok` |
/// | `&Context` | this request |
/// | anything by value | an argument, of a type with `Deserialize` and `JsonSchema`; an `Option` may be left out |
///
/// The doc comment of the function is the tool's description, that of a parameter the argument's. The result is text
/// (`String`, `&str`), nothing (`()`), blocks (`Content`, `Vec<Content>`), a whole `ToolResult`, a `Reply<T>`, any other
/// value with `Serialize` and `JsonSchema`, or `Result<T, E>` of these with `E: Into<ToolError>`.
///
/// # Keys
///
/// * `name = "…"`: by default the function's. `title = "…"`. `icon` as for the server.
/// * `read_only`, `destructive`, `idempotent`, `open_world`: hints for clients, each also with `= true` or `= false`.
/// * `blocking`: a sync function that blocks its thread.
/// * `input_schema = …`: JSON text in place of the generated schema; a constant expression, for example
///   `include_str!("schema.json")`.
///
/// # Keys of `#[arg(…)]` on a parameter
///
/// * `name = "…"`: by default the parameter's.
/// * `default` or `default = …`: the argument may be left out.
/// * `header = "Region"`: since 2026-07-28 clients mirror it in a header, so that proxies can route by it.
#[proc_macro_attribute]
pub fn tool(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::tool(args.into(), item.into()).into()
}

/// Makes a type one that each session has a value of: tools borrow it as `&S` or `&mut S`.
///
/// The type also needs `Default` (what a new session begins with), `Serialize` and `Deserialize`. A draft clones each
/// field; where a field can't be cloned, the whole value goes through JSON, as it does in stores.
///
/// # Keys of `#[state(…)]`
///
/// * `key = "…"`: the name under which stores keep it, by default the type's; 1 to 128 of `A-Z a-z 0-9 _ . : -`.
/// * `version = 2`: the version of its format, by default 0; state of another version is never overwritten.
/// * `crate = "…"`: where `mcp_runtime` is found, for a renamed dependency.
#[proc_macro_derive(SessionState, attributes(state))]
pub fn session_state(item: TokenStream) -> TokenStream {
    entry::session_state(item.into()).into()
}
