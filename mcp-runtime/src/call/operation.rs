//! What is asked for, and how it ended, in words that no revision owns.

use super::{Context, ToolResult};
use crate::{session::SessionKey, wire::Raw};

/// One request, opened: `era` made it, `dispatch` answers it.
pub struct Call {
    /// What is asked for.
    pub operation: Operation,
    /// Where its session state hangs.
    pub carrier: Carrier,
    /// What the function sees of it.
    pub context: Context,
}

/// What is asked for.
pub enum Operation {
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
pub enum Carrier {
    /// On this session: the header's, the process's or the identity's.
    Session(SessionKey),
    /// On the handle that the call names in its arguments.
    Handle,
    /// Nowhere: tools that borrow session state can't be called.
    None,
}

/// How an operation ended.
#[non_exhaustive]
pub enum Outcome {
    /// The declared tools; with the handle argument and the minting tool where handles carry the state.
    Tools,
    /// A tool's result.
    Tool(ToolResult),
}
