//! One call: what it carries, what the function sees of it, how it ends.
//!
//! Takes: an operation with its context. Gives: an outcome or a [`Fault`]. Knows: protocol words, sessions,
//! principals. Must not know: which revision the client speaks, where the bytes came from.

mod context;
mod error;
mod fault;
mod operation;
mod outbox;
mod result;

pub use context::Context;
pub(crate) use context::{Facts, Progress, Session, Undecoded};
pub use error::ToolError;
pub(crate) use error::chain;
pub use fault::{Fault, FaultKind};
pub(crate) use operation::{Call, Carrier, Completing, List, Operation, Outcome, Page, Reference};
pub(crate) use outbox::Outbox;
pub use result::{Completion, PromptResult, Reply, ResourceResult, ToolResult};
