//! The trait that `#[mcp_server]` implements, and the tables that it writes.
//!
//! Takes: a tool's index and a [`Run`]. Gives: the tool's result. Knows: tools, arguments, session parts. Must not know:
//! protocol revisions, transports, JSON-RPC.

use std::{future::Future, pin::Pin};

use schemars::{Schema, SchemaGenerator};

use crate::{
    call::{Context, ToolError, ToolResult},
    protocol::{Icon, ToolAnnotations},
    schema::Arguments,
    session::{PartCard, PartSlot},
};

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A declared server: its table and its functions. Written by `#[mcp_server]`, not by hand.
pub trait Service: Send + Sync + 'static {
    /// Everything that is known of the server without running it.
    fn card(&self) -> &'static ServerCard;

    /// The index in [`ServerCard::tools`] of the tool of this name.
    fn find_tool(&self, name: &str) -> Option<usize>;

    /// Runs a tool once. `run.parts` holds one slot per entry of the tool's [`ToolCard::parts`], in that order.
    ///
    /// # Errors
    /// [`ToolError`], for the model to read: bad arguments or the tool's own refusal; a typed result that can't be JSON
    /// becomes -32603 instead. The drafts are then discarded.
    fn call_tool<'a>(&'a self, tool: usize, run: Run<'a>) -> BoxFuture<'a, Result<ToolResult, ToolError>>;
}

/// What one run of a tool works with.
#[non_exhaustive]
pub struct Run<'a> {
    /// The arguments as they came, undecoded.
    pub arguments: Arguments<'a>,
    /// One slot per borrowed part of the session.
    pub parts: &'a mut [PartSlot],
    /// This request.
    pub cx: &'a Context,
}

/// Everything about a server that is known at compile time.
pub struct ServerCard {
    /// Programmatic name; by default the user's crate.
    pub name: &'static str,
    /// By default the user's crate's version.
    pub version: &'static str,
    /// Name for people.
    pub title: Option<&'static str>,
    /// The doc comment of the `impl` or `mod`.
    pub instructions: Option<&'static str>,
    /// A page about the server.
    pub website_url: Option<&'static str>,
    /// Pictures.
    pub icons: &'static [IconCard],
    /// The tools, in source order.
    pub tools: &'static [ToolCard],
    /// `"5"` is accepted for 5, a JSON string for an object.
    pub lenient: bool,
}

/// An icon, as written in an attribute.
#[derive(Clone, Copy, Debug)]
pub struct IconCard {
    /// `https:` or `data:` URI.
    pub src: &'static str,
    /// For example `image/svg+xml`.
    pub mime_type: Option<&'static str>,
    /// For example `["48x48"]`.
    pub sizes: &'static [&'static str],
}

impl From<&IconCard> for Icon {
    fn from(card: &IconCard) -> Self {
        let mut icon = Self::new(card.src);
        icon.mime_type = card.mime_type.map(Into::into);
        icon.sizes = card.sizes.iter().map(|&size| size.into()).collect();
        icon
    }
}

/// One tool.
pub struct ToolCard {
    /// Programmatic name.
    pub name: &'static str,
    /// Name for people.
    pub title: Option<&'static str>,
    /// The doc comment of the function.
    pub description: &'static str,
    /// Hints on its behaviour.
    pub annotations: ToolAnnotations,
    /// Pictures.
    pub icons: &'static [IconCard],
    /// The owned parameters, in source order.
    pub arguments: &'static [ArgumentCard],
    /// A verbatim input schema (`#[tool(input_schema = …)]`) in place of the generated one: JSON text.
    pub input_schema: Option<&'static str>,
    /// What the return type says about the result.
    pub output: fn() -> OutputCard,
    /// The session parts that the function borrows, in the order of its parameters.
    pub parts: &'static [PartCard],
}

/// One argument of a tool.
pub struct ArgumentCard {
    /// The parameter's name, or `#[arg(name = "…")]`.
    pub name: &'static str,
    /// The doc comment of the parameter; empty when the type describes itself.
    pub description: &'static str,
    /// Must be given: neither an `Option` nor defaulted.
    pub required: bool,
    /// The default, as JSON, where there is one.
    pub default: Option<fn() -> serde_json::Value>,
    /// The header that mirrors it on 2026-07-28 (`#[arg(header = "Region")]`).
    pub header: Option<&'static str>,
    /// The JSON Schema of its type, as schemars makes it.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

/// What a return type says about the result.
#[derive(Clone, Copy)]
pub struct OutputCard {
    /// The schema of the structured result, if the type has one, by its serialise contract.
    pub schema: Option<fn(&mut SchemaGenerator) -> Schema>,
}
