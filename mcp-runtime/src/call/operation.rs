//! What is asked for, and how it ended, in words that no revision owns.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{Completion, Context, PromptResult, Question, TaskCall, TaskOutcome, ToolResult};
use crate::{
    protocol::{CacheHint, Prompt, Resource, ResourceContents, ResourceTemplate, Tool},
    session::{SessionCookie, SessionKey},
    wire::Raw,
};

/// One request, opened: `era` made it, `dispatch` answers it.
pub(crate) struct Call {
    /// What is asked for.
    pub(crate) operation: Operation,
    /// Where its session state hangs.
    pub(crate) carrier: Carrier,
    /// What the function sees of it.
    pub(crate) context: Context,
}

/// What is asked for.
pub(crate) enum Operation {
    /// A page of one of the lists.
    List {
        /// Which one.
        list: List,
        /// Where it goes on; `None` for the first page.
        cursor: Option<Box<str>>,
    },
    /// Call a tool.
    CallTool {
        /// Its name.
        name: Box<str>,
        /// The arguments, an object as JSON text; `{}` when none came.
        arguments: Raw,
    },
    /// Get a prompt.
    GetPrompt {
        /// Its name.
        name: Box<str>,
        /// The arguments, an object as JSON text; `{}` when none came.
        arguments: Raw,
    },
    /// Read a resource.
    ReadResource {
        /// Its URI.
        uri: Box<str>,
    },
    /// Complete an argument.
    Complete(Box<Completing>),
    /// Something of tasks.
    Task(Box<TaskCall>),
    /// Something of the sessions that cookies carry.
    Session(Box<SessionCall>),
}

impl Operation {
    /// The method, as it is on the wire: `tools/call`.
    pub(crate) fn method(&self) -> &'static str {
        match self {
            Self::List { list: List::Tools, .. } => "tools/list",
            Self::List { list: List::Prompts, .. } => "prompts/list",
            Self::List { list: List::Resources, .. } => "resources/list",
            Self::List { list: List::Templates, .. } => "resources/templates/list",
            Self::CallTool { .. } => "tools/call",
            Self::GetPrompt { .. } => "prompts/get",
            Self::ReadResource { .. } => "resources/read",
            Self::Complete(_) => "completion/complete",
            Self::Task(call) => call.action.method(),
            Self::Session(asked) => asked.method(),
        }
    }
}

/// One of the lists that a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum List {
    /// Tools.
    Tools,
    /// Prompts.
    Prompts,
    /// Resources.
    Resources,
    /// Templates of resources.
    Templates,
}

/// What is to be completed.
pub(crate) struct Completing {
    /// What the argument belongs to.
    pub(crate) reference: Reference,
    /// Its name.
    pub(crate) argument: Box<str>,
    /// What was typed so far.
    pub(crate) value: Box<str>,
    /// The arguments that are known already, by name.
    pub(crate) known: Vec<(Box<str>, Box<str>)>,
}

/// What an argument that is to be completed belongs to.
pub(crate) enum Reference {
    /// The prompt of this name.
    Prompt(Box<str>),
    /// The resource of this URI or template.
    Resource(Box<str>),
}

/// Where a call's session state hangs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// On this session: the header's, the process's or the identity's.
    Session(SessionKey),
    /// On the handle that the call names in its arguments.
    Handle,
    /// Nowhere: tools that borrow session state can't be called.
    None,
    /// On the session that a cookie names, and there is none.
    Refused(NoSession),
}

/// Why a cookie names no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSession {
    /// None came.
    Required,
    /// The one that came is unknown, expired, ended or somebody else's.
    Unknown,
    /// The store has something older than what the client saw, or nothing at all.
    RolledBack,
}

/// What is asked of the sessions that cookies carry.
pub(crate) enum SessionCall {
    /// A new one.
    Create {
        /// What people call it.
        title: Option<Box<str>>,
        /// What else it says.
        data: BTreeMap<String, String>,
    },
    /// All of the caller's.
    List,
    /// The end of one.
    Delete {
        /// Its id; that of the cookie where none is given.
        id: Option<Box<str>>,
    },
}

impl SessionCall {
    /// The method.
    pub(crate) const fn method(&self) -> &'static str {
        match self {
            Self::Create { .. } => "session/create",
            Self::List => "session/list",
            Self::Delete { .. } => "session/delete",
        }
    }
}

/// What became of it.
pub(crate) enum SessionOutcome {
    /// This one was made.
    Created(SessionCookie),
    /// These are the caller's.
    Listed(Vec<SessionCookie>),
    /// Whether there was one to end.
    Deleted(bool),
}

/// How an operation ended.
pub(crate) enum Outcome {
    /// A page of the tools.
    Tools(Page<Tool>),
    /// A page of the prompts.
    Prompts(Page<Prompt>),
    /// A page of the resources.
    Resources(Page<Resource>),
    /// A page of the templates of resources.
    Templates(Page<ResourceTemplate>),
    /// A tool's result.
    Tool {
        /// Which tool.
        by: Answered,
        /// What it gave back.
        result: ToolResult,
    },
    /// A prompt's messages.
    Prompt(Box<PromptResult>),
    /// What was read of a resource.
    Resource {
        /// The contents.
        contents: Vec<ResourceContents>,
        /// How long and by whom they may be kept.
        cache: CacheHint,
    },
    /// How an argument may go on.
    Completion(Box<Completion>),
    /// What was asked of tasks, or the task that a call became.
    Task(Box<TaskOutcome>),
    /// What became of a session that a cookie carries.
    Session(Box<SessionOutcome>),
    /// It stopped: these questions have to be answered first.
    Ask(Vec<Question>),
}

impl Outcome {
    /// Whether it is a result that says that the tool failed.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self, Self::Tool { result, .. } if result.is_error)
    }
}

/// Which tool a result is of.
pub(crate) enum Answered {
    /// The declared one at this index.
    Declared(usize),
    /// One of a provider's.
    Provided {
        /// Its schema of the structured result.
        output_schema: Option<Box<RawValue>>,
    },
    /// One of the framework's own, or none at all.
    Framework,
}

impl Outcome {
    /// A tool's result.
    pub(crate) fn of_tool(by: Answered, result: ToolResult) -> Self {
        Self::Tool { by, result }
    }
}

/// A page of a list: what was declared, encoded at the start, and what was found for this request.
pub(crate) struct Page<T> {
    /// Handles carry the state: whatever borrows it names one, and there is a tool that mints them.
    pub(crate) handles: bool,
    /// What it shows of the declared.
    pub(crate) shown: Shown,
    /// What was found for this request, behind them.
    pub(crate) found: Vec<T>,
    /// Where the list goes on; `None` at its end.
    pub(crate) next: Option<Box<str>>,
}

/// What a page shows of the declared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// All of it.
    All,
    /// What is at these indices, in their order.
    These(Vec<usize>),
}
