//! What is asked for, and how it ended, in words that no revision owns.

use super::{Context, ToolResult};
use crate::{session::SessionKey, wire::Raw};

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
    /// The list of tools.
    ListTools,
    /// Call a tool.
    CallTool {
        /// Its name.
        name: Box<str>,
        /// The arguments, an object as JSON text; `{}` when none came.
        arguments: Raw,
    },
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
}

/// How an operation ended.
pub(crate) enum Outcome {
    /// The declared tools.
    Tools {
        /// Handles carry the state: each tool that borrows it names one, and there is a tool that mints them.
        handles: bool,
    },
    /// A tool's result.
    Tool {
        /// The tool's index among the declared ones; `None` for a tool of the framework's own.
        index: Option<usize>,
        /// What it gave back.
        result: ToolResult,
    },
}
