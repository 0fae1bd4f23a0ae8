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

use self::model::Kind;

/// Declares an MCP server: an `impl` block with methods, or an inline `mod` with free functions, marked `#[tool]`,
/// `#[prompt]`, `#[resource(…)]` or `#[complete(…)]`. What clients are told that it has follows from what is there.
///
/// The doc comment of the `impl` or `mod` is the instructions that clients get. A `mod` gains `server()` and `serve()`;
/// the type of an `impl` is given to `Server::new`. Where functions borrow session state, the type `…Session` holds all of
/// one session's state, typed.
///
/// # Keys
///
/// * `name = "…"`, `version = "…"`: by default those of the crate.
/// * `title = "…"`, `website_url = "…"`.
/// * `icon = "https://…"` or `icon(src = "…", mime_type = "…", sizes = ["48x48"])`, also more than once.
/// * `lenient = false`: `"5"` is no longer accepted for `5`, nor a JSON string for an object, in arguments of tools.
/// * `changes`: the lists of tools, prompts and resources can change while the server runs, so that clients are promised
///   news of them.
/// * `list_ttl = Duration::…`: how long clients may keep the lists of tools, prompts and resources; `list_public`: what is
///   kept may be shared. Both since 2026-07-28.
/// * `require_session`: tools refuse calls without a session that a cookie carries (`session/create`).
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
/// * `name = "…"`: by default the function's. `title = "…"`. `icon` as for the server. `meta = "{…}"`: additional facts, a
///   JSON object as text.
/// * `read_only`, `destructive`, `idempotent`, `open_world`: hints for clients, each also with `= true` or `= false`.
/// * `blocking`: a sync function that blocks its thread.
/// * `deadline = Duration::…`: how long one run may take.
/// * `task`: a call can become a task; `task = "required"`: it always does.
/// * `ask_first`, beside `task`: what the function asks before it first waits for anything else is asked before the call
///   becomes a task.
/// * `meanwhile = "…"`, beside `task`: what the model is told at once when a call becomes a task; on 2025-11-25.
/// * `single_use`: what is asked during a call is answered once.
/// * `input_schema = …`: JSON text in place of the generated schema; a constant expression, for example
///   `include_str!("schema.json")`.
///
/// # Keys of `#[arg(…)]` on a parameter
///
/// * `name = "…"`: by default the parameter's.
/// * `default` or `default = …`: the argument may be left out.
/// * `as_string`: an integer of 64 or 128 bits is announced and sent as its digits.
/// * `header = "Region"`: since 2026-07-28 clients mirror it in a header, so that proxies can route by it.
#[proc_macro_attribute]
pub fn tool(args: TokenStream, item: TokenStream) -> TokenStream {
    let _ = args;
    entry::stray(Kind::Tool, item.into()).into()
}

/// Makes a function of an `#[mcp_server]` a prompt: messages that a person asks for, filled in.
///
/// Parameters are as those of a [`macro@tool`]; arguments come as text and are read for what they mean, `"5"` for 5. The
/// result is what the person says (`String`, `&str`, `Content`, `Vec<Content>`), messages (`PromptMessage`,
/// `Vec<PromptMessage>`), a whole `PromptResult`, or `Result<T, E>` of these with `E: Into<ToolError>`.
///
/// # Keys
///
/// `name`, `title`, `icon`, `meta`, `blocking`, `deadline`, as for tools.
#[proc_macro_attribute]
pub fn prompt(args: TokenStream, item: TokenStream) -> TokenStream {
    let _ = args;
    entry::stray(Kind::Prompt, item.into()).into()
}

/// Makes a function of an `#[mcp_server]` a resource, `#[resource("notes://all")]`, or a template of resources,
/// `#[resource("notes://{id}")]`: what clients read under a URI.
///
/// Parameters are as those of a [`macro@tool`]; the arguments are the variables of the template (RFC 6570), each an argument
/// and each argument a variable. Those of a query, `{?page}`, may be left out: they are an `Option` or have a default. The
/// result is text (`String`, `&str`), bytes (`Vec<u8>`), contents (`ResourceContents`, `Vec<ResourceContents>`), a whole
/// `ResourceResult`, or any other value with `Serialize`, as JSON; `Option<T>` of these, where `None` means that there is no
/// such resource; `Result<T, E>` of these with `E: Into<ToolError>`.
///
/// # Keys
///
/// * `name`, `title`, `icon`, `meta`, `blocking`, `deadline`, as for tools.
/// * `mime_type = "…"`: by default that of what is returned.
/// * `size = …`: in bytes, of a resource that is no template.
/// * `audience = "user"`, or `"assistant"`, or a list of both; `priority = 0.8`, from 0 to 1; `last_modified = "…"`, ISO 8601.
/// * `ttl = Duration::…`: how long clients may keep what was read; `public`: it may be shared. Both since 2026-07-28.
#[proc_macro_attribute]
pub fn resource(args: TokenStream, item: TokenStream) -> TokenStream {
    let _ = args;
    entry::stray(Kind::Resource, item.into()).into()
}

/// Makes a function of an `#[mcp_server]` the completion of an argument, `#[complete(prompt = "review", argument =
/// "language")]`, or of a variable, `#[complete(resource = "notes://{id}", argument = "id")]`.
///
/// Its argument `value` is what was typed so far; others are arguments of the same prompt or template that are known
/// already, as `Option<String>`. What it borrows is as for a [`macro@tool`]. The result is a list of text (`Vec<String>`,
/// `Vec<&str>`, `[&str; N]`), a whole `Completion`, or `Result<T, E>` of these with `E: Into<ToolError>`. An argument whose
/// type is an enum of names completes by itself.
///
/// # Keys
///
/// * `prompt = "…"` by its name, or `resource = "…"` by its URI; `argument = "…"`.
/// * `blocking`, `deadline`, as for tools.
#[proc_macro_attribute]
pub fn complete(args: TokenStream, item: TokenStream) -> TokenStream {
    let _ = args;
    entry::stray(Kind::Completion, item.into()).into()
}

/// Makes a type one that each session has a value of: functions borrow it as `&S` or `&mut S`.
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
