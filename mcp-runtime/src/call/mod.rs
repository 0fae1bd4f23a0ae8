//! One call: what it carries, what the function sees of it, how it ends.
//!
//! Takes: an operation with its context. Gives: an [`Outcome`] or a [`Fault`]. Knows: protocol words, sessions,
//! principals. Must not know: which revision the client speaks, where the bytes came from.

mod arguments;
mod context;
mod error;
mod fault;
mod operation;
mod result;

pub use arguments::Arguments;
pub use context::Context;
pub(crate) use context::{Emission, Facts, Outbox};
pub use error::ToolError;
pub use fault::Fault;
pub use operation::{Call, Carrier, Operation, Outcome};
pub use result::{Reply, ToolResult};
