//! The trait that `#[mcp_server]` implements, and the tables that it writes.
//!
//! Takes: a function's index and a [`Run`]. Gives: its result. Knows: tools, prompts, resources, arguments, session
//! parts. Must not know: protocol revisions, transports, JSON-RPC.

mod composite;

use std::{future::Future, pin::Pin, time::Duration};

pub(crate) use composite::{Blank, Composite};
use schemars::{Schema, SchemaGenerator};

use crate::{
    call::{Completion, Context, PromptResult, ResourceResult, ToolError, ToolResult},
    protocol::{CacheHint, Icon, Role, ToolAnnotations},
    schema::Arguments,
    session::{PartCard, PartSlot},
};

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Boxes what each call runs through. Futures above 1 KiB leave the fast path of the GNU allocator, which costs a call two
/// per cent: a test build refuses them.
pub(crate) fn boxed<'a, F: Future + Send + 'a>(future: F) -> BoxFuture<'a, F::Output> {
    #[cfg(all(test, target_pointer_width = "64"))]
    const {
        assert!(size_of::<F>() <= 1024, "box what most calls don't need")
    };
    Box::pin(future)
}

/// A declared server: its table and its functions. Written by `#[mcp_server]`, not by hand.
pub trait Service: Send + Sync + 'static {
    /// Everything that is known of the server without running it.
    fn card(&self) -> &'static ServerCard;

    /// The index in [`ServerCard::tools`] of the tool of this name.
    fn find_tool(&self, name: &str) -> Option<usize>;

    /// Runs a tool once. `run.parts` holds one slot per entry of its [`FunctionCard::parts`], in that order; so it is for
    /// all functions.
    ///
    /// # Errors
    /// [`ToolError`], for the model to read: bad arguments or the tool's own refusal; a typed result that can't be JSON
    /// becomes -32603 instead. The drafts are then discarded.
    fn call_tool<'a>(&'a self, tool: usize, run: Run<'a>) -> BoxFuture<'a, Result<ToolResult, ToolError>>;

    /// The index in [`ServerCard::prompts`] of the prompt of this name.
    fn find_prompt(&self, name: &str) -> Option<usize> {
        self.card().prompts.iter().position(|prompt| prompt.function.name == name)
    }

    /// Runs a prompt's function once.
    ///
    /// # Errors
    /// [`ToolError`]: -32602 with its text, or -32603 when it is masked.
    fn get_prompt<'a>(&'a self, prompt: usize, run: Run<'a>) -> BoxFuture<'a, Result<PromptResult, ToolError>> {
        let _ = run;
        Box::pin(async move { Err(no_such("prompt", prompt)) })
    }

    /// Runs a resource's function once; the arguments are the template's variables.
    ///
    /// # Errors
    /// [`ToolError`]: -32602 with its text, or -32603 when it is masked.
    fn read_resource<'a>(&'a self, resource: usize, run: Run<'a>) -> BoxFuture<'a, Result<ResourceResult, ToolError>> {
        let _ = run;
        Box::pin(async move { Err(no_such("resource", resource)) })
    }

    /// Runs a completion's function once.
    ///
    /// # Errors
    /// [`ToolError`]: -32602 with its text, or -32603 when it is masked.
    fn complete<'a>(&'a self, completion: usize, run: Run<'a>) -> BoxFuture<'a, Result<Completion, ToolError>> {
        let _ = run;
        Box::pin(async move { Err(no_such("completion", completion)) })
    }
}

/// The answer to a call of a function that is not in the table: a defect of the caller, masked for the model.
#[cold]
pub(crate) fn no_such(kind: &str, index: usize) -> ToolError {
    ToolError::internal(format!("the server has no {kind} with the index {index}"))
}

/// What one run of a function works with.
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
#[derive(Clone, Copy)]
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
    /// The prompts, in source order.
    pub prompts: &'static [PromptCard],
    /// The resources and templates, in source order.
    pub resources: &'static [ResourceCard],
    /// The completions, in source order.
    pub completions: &'static [CompletionCard],
    /// Whether these lists can change while the server runs (`#[mcp_server(changes)]`), so that clients are promised news.
    pub changes: bool,
    /// Whether tools refuse without a session that a cookie carries (`#[mcp_server(require_session)]`).
    pub require_session: bool,
    /// How long and by whom the lists of tools, prompts and resources may be kept.
    pub cache: CacheHint,
    /// `"5"` is accepted for 5, a JSON string for an object.
    pub lenient: bool,
}

impl ServerCard {
    /// A card that says nothing: what a table leaves out.
    pub const BLANK: Self = Self {
        name: "",
        version: "",
        title: None,
        instructions: None,
        website_url: None,
        icons: &[],
        tools: &[],
        prompts: &[],
        resources: &[],
        completions: &[],
        changes: false,
        require_session: false,
        cache: CacheHint::NONE,
        lenient: true,
    };

    /// Every function that can borrow session state.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &'static FunctionCard> {
        let tools = self.tools.iter().map(|tool| &tool.function);
        let prompts = self.prompts.iter().map(|prompt| &prompt.function);
        let resources = self.resources.iter().map(|resource| &resource.function);
        let completions = self.completions.iter().map(|completion| &completion.function);
        tools.chain(prompts).chain(resources).chain(completions)
    }
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

/// What tools, prompts, resources and completions have in common: a function with arguments and borrowed state.
#[derive(Clone, Copy)]
pub struct FunctionCard {
    /// Programmatic name, unique among its kind.
    pub name: &'static str,
    /// Name for people.
    pub title: Option<&'static str>,
    /// The doc comment of the function.
    pub description: &'static str,
    /// Pictures.
    pub icons: &'static [IconCard],
    /// Additional facts by namespaced key: a JSON object as text.
    pub meta: Option<&'static str>,
    /// The owned parameters, in source order.
    pub arguments: &'static [ArgumentCard],
    /// A verbatim input schema (`#[tool(input_schema = …)]`) in place of the generated one: JSON text. Tools alone have
    /// one.
    pub input_schema: Option<&'static str>,
    /// The session parts that the function borrows, in the order of its parameters.
    pub parts: &'static [PartCard],
    /// How long one run may take; a longer one is cut off.
    pub deadline: Option<Duration>,
    /// It is `async`, so that it can stop to ask the client; the context of any other panics when it asks.
    pub asks: bool,
}

impl FunctionCard {
    /// A card that says nothing: what a table leaves out.
    pub const BLANK: Self = Self {
        name: "",
        title: None,
        description: "",
        icons: &[],
        meta: None,
        arguments: &[],
        input_schema: None,
        parts: &[],
        deadline: None,
        asks: true,
    };
}

/// One tool.
#[derive(Clone, Copy)]
pub struct ToolCard {
    /// Its function.
    pub function: FunctionCard,
    /// Hints on its behaviour.
    pub annotations: ToolAnnotations,
    /// What the return type says about the result.
    pub output: fn() -> OutputCard,
    /// Whether a call of it can become a task.
    pub task: TaskSupport,
    /// What its function asks before it first waits for anything else is asked before a call becomes a task
    /// (`#[tool(task, ask_first)]`).
    pub ask_first: bool,
    /// What the model is told at once when a call becomes a task (`#[tool(task, meanwhile = "…")]`).
    pub meanwhile: Option<&'static str>,
    /// What is asked during a call is answered once: the same answers do not run it a second time.
    pub single_use: bool,
}

/// Whether a call of a tool can become a task, which the client asks for later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskSupport {
    /// It is answered at once.
    #[default]
    Forbidden,
    /// It becomes a task where the client can have one (`#[tool(task)]`).
    Optional,
    /// It is always a task: clients that can't have one are refused (`#[tool(task = "required")]`).
    Required,
}

impl ToolCard {
    /// A card that says nothing: what a table leaves out.
    pub const BLANK: Self = Self {
        function: FunctionCard::BLANK,
        annotations: ToolAnnotations { read_only: None, destructive: None, idempotent: None, open_world: None },
        output: || OutputCard { schema: None },
        task: TaskSupport::Forbidden,
        ask_first: false,
        meanwhile: None,
        single_use: false,
    };
}

/// One prompt.
#[derive(Clone, Copy)]
pub struct PromptCard {
    /// Its function.
    pub function: FunctionCard,
}

/// One resource, or a template of resources.
#[derive(Clone, Copy)]
pub struct ResourceCard {
    /// Its function; the arguments are the variables of the template.
    pub function: FunctionCard,
    /// The URI, or its RFC 6570 template.
    pub uri: &'static str,
    /// For example `text/plain`; without it, what is read says.
    pub mime_type: Option<&'static str>,
    /// Size in bytes, where it is known before it is read.
    pub size: Option<u64>,
    /// For whom it is meant and how important it is.
    pub annotations: AnnotationsCard,
    /// How long and by whom what was read may be kept.
    pub cache: CacheHint,
}

impl ResourceCard {
    /// A card that says nothing: what a table leaves out.
    pub const BLANK: Self = Self {
        function: FunctionCard::BLANK,
        uri: "",
        mime_type: None,
        size: None,
        annotations: AnnotationsCard { audience: &[], priority: None, last_modified: None },
        cache: CacheHint::NONE,
    };
}

/// For whom something is meant and how important it is, as written in an attribute.
#[derive(Clone, Copy, Debug)]
pub struct AnnotationsCard {
    /// Who should see it.
    pub audience: &'static [Role],
    /// From 0 (optional) to 1 (required).
    pub priority: Option<f64>,
    /// When it last changed, ISO 8601.
    pub last_modified: Option<&'static str>,
}

/// A function that completes one argument of a prompt or one variable of a template.
#[derive(Clone, Copy)]
pub struct CompletionCard {
    /// Its function: the argument `value` is what was typed so far, all others are arguments that are known already.
    pub function: FunctionCard,
    /// What it completes for.
    pub reference: CompletionReference,
    /// The argument or variable that it completes.
    pub argument: &'static str,
}

/// What a completion belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompletionReference {
    /// The prompt of this name.
    Prompt(&'static str),
    /// The resource template with this text.
    Resource(&'static str),
}

/// One argument of a function.
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
