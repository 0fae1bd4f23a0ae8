//! What the user declared, understood: the only thing that `expand` sees.
//!
//! Takes: nothing. Gives: types. Knows: servers, functions, parameters, session types. Must not know: attributes, how the
//! declaration was written.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Expr, Ident, Type};

use crate::{doc::Doc, paths::Runtime};

/// A server.
pub(crate) struct Server {
    pub(crate) runtime: Runtime,
    pub(crate) shape: Shape,
    pub(crate) name: Option<Expr>,
    pub(crate) version: Option<Expr>,
    pub(crate) title: Option<Expr>,
    pub(crate) website_url: Option<Expr>,
    pub(crate) icons: Vec<Icon>,
    pub(crate) lenient: bool,
    /// The lists can change while the server runs.
    pub(crate) changes: bool,
    pub(crate) instructions: Doc,
    pub(crate) list_ttl: Option<Expr>,
    pub(crate) list_public: bool,
    pub(crate) require_session: bool,
    pub(crate) tools: Vec<Tool>,
    pub(crate) prompts: Vec<Prompt>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) completions: Vec<Completion>,
}

/// The two shapes of a declaration.
pub(crate) enum Shape {
    /// Methods of this type.
    Impl(Ident, TokenStream),
    /// Free functions in this module.
    Mod(Ident),
    /// Something that can't be a server; there are errors.
    Broken,
}

/// A picture.
pub(crate) struct Icon {
    pub(crate) src: Expr,
    pub(crate) mime_type: Option<Expr>,
    pub(crate) sizes: Option<Expr>,
}

/// What a function is declared as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Tool,
    Prompt,
    Resource,
    Completion,
}

/// What all functions have in common, whatever they are declared as.
pub(crate) struct Function {
    pub(crate) kind: Kind,
    /// The function's name in the source.
    pub(crate) ident: Ident,
    pub(crate) name: Name,
    pub(crate) title: Option<Expr>,
    pub(crate) description: Doc,
    pub(crate) icons: Vec<Icon>,
    pub(crate) meta: Option<Expr>,
    pub(crate) deadline: Option<Expr>,
    pub(crate) manner: Manner,
    /// It takes `&self`.
    pub(crate) receiver: bool,
    /// In source order, without `&self`.
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) output: Output,
}

/// A tool.
pub(crate) struct Tool {
    pub(crate) function: Function,
    pub(crate) annotations: Annotations,
    pub(crate) input_schema: Option<Expr>,
    pub(crate) task: TaskSupport,
    pub(crate) ask_first: bool,
    pub(crate) meanwhile: Option<Expr>,
    pub(crate) single_use: bool,
}

/// A prompt.
pub(crate) struct Prompt {
    pub(crate) function: Function,
}

/// A resource, or a template of resources.
pub(crate) struct Resource {
    pub(crate) function: Function,
    /// The URI or template.
    pub(crate) uri: Name,
    /// The variables of the template that a URI may leave out.
    pub(crate) optional: Vec<String>,
    pub(crate) mime_type: Option<Expr>,
    pub(crate) size: Option<Expr>,
    pub(crate) audience: Vec<Reader>,
    pub(crate) priority: Option<Expr>,
    pub(crate) last_modified: Option<Expr>,
    pub(crate) ttl: Option<Expr>,
    pub(crate) public: bool,
}

/// A completion of one argument.
pub(crate) struct Completion {
    pub(crate) function: Function,
    /// Whether it is for a prompt; else it is for a resource.
    pub(crate) of_prompt: bool,
    /// The name of the prompt, or the URI of the resource.
    pub(crate) of: Name,
    /// What it completes.
    pub(crate) argument: Name,
}

/// For whom a resource is meant.
#[derive(Clone, Copy)]
pub(crate) enum Reader {
    User,
    Assistant,
}

/// Whether a call of a tool can become a task.
#[derive(Clone, Copy, Default)]
pub(crate) enum TaskSupport {
    #[default]
    Forbidden,
    Optional,
    Required,
}

/// A name on the wire, and where it is written.
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// Hints for clients; `None` is not said.
#[derive(Clone, Copy, Default)]
pub(crate) struct Annotations {
    pub(crate) read_only: Option<bool>,
    pub(crate) destructive: Option<bool>,
    pub(crate) idempotent: Option<bool>,
    pub(crate) open_world: Option<bool>,
}

/// How a function is run.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Manner {
    Sync,
    Async,
    Blocking,
}

/// A parameter, told by how it is taken.
pub(crate) enum Parameter {
    Argument(Box<Argument>),
    Part(Part),
    /// The type behind the `&`.
    Context(Type),
}

/// An owned parameter.
pub(crate) struct Argument {
    pub(crate) name: Name,
    pub(crate) description: Doc,
    pub(crate) ty: Type,
    pub(crate) default: Option<Default>,
    pub(crate) header: Option<String>,
    /// It is announced as a string of digits.
    pub(crate) as_string: bool,
}

/// The value of an argument that is left out.
pub(crate) enum Default {
    /// That of the type.
    Own,
    /// A text literal, which becomes the type by `From`.
    Text(Expr),
    /// Any other value.
    Value(Expr),
}

/// A borrowed part of the session.
pub(crate) struct Part {
    /// The type behind the `&`.
    pub(crate) ty: Type,
    /// It is `&mut`.
    pub(crate) writes: bool,
}

/// What a function returns.
pub(crate) struct Output {
    /// Elided lifetimes are called `'__mcp`.
    pub(crate) ty: Type,
    /// Whether it has any.
    pub(crate) borrows: bool,
}

/// A type under `#[derive(SessionState)]`.
pub(crate) struct SessionType {
    pub(crate) runtime: Runtime,
    pub(crate) ident: Ident,
    pub(crate) key: String,
    pub(crate) version: u32,
    pub(crate) shape: StateShape,
}

/// What a session type consists of.
pub(crate) enum StateShape {
    Struct(Fields),
    Enum(Vec<(Ident, Fields)>),
}

/// The fields of a struct or variant, by name or number.
pub(crate) struct Fields(pub(crate) Vec<syn::Member>);

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Tool, Self::Prompt, Self::Resource, Self::Completion];

    /// As messages call it.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Resource => "resource",
            Self::Completion => "completion",
        }
    }

    /// The name of its attribute.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Completion => "complete",
            other => other.noun(),
        }
    }
}

impl Function {
    /// The owned parameters.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &Argument> {
        self.parameters.iter().filter_map(|parameter| match parameter {
            Parameter::Argument(argument) => Some(&**argument),
            _ => None,
        })
    }

    /// The borrowed parts of the session.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.parameters.iter().filter_map(|parameter| match parameter {
            Parameter::Part(part) => Some(part),
            _ => None,
        })
    }
}

impl Server {
    /// Every function: tools, prompts, resources, completions, each kind in source order.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &Function> {
        let tools = self.tools.iter().map(|tool| &tool.function);
        let prompts = self.prompts.iter().map(|prompt| &prompt.function);
        let resources = self.resources.iter().map(|resource| &resource.function);
        let completions = self.completions.iter().map(|completion| &completion.function);
        tools.chain(prompts).chain(resources).chain(completions)
    }

    /// Every session type that a function borrows, once each, in the order of [`Self::functions`].
    pub(crate) fn session_types(&self) -> Vec<&Type> {
        let mut known = Vec::new();
        let types = self.functions().flat_map(Function::parts).map(|part| &part.ty);
        types
            .filter(|ty| {
                let text = ty.to_token_stream().to_string();
                let new = !known.contains(&text);
                known.push(text);
                new
            })
            .collect()
    }
}
