//! Rust types into JSON Schemas that every client accepts, and arguments checked against them.
//!
//! Takes: the tables of a service. Gives: [`Tool`](crate::protocol::Tool)s, decoded arguments, advice for the model.
//! Knows: JSON Schema, the clients' limits. Must not know: revisions, sessions, transports.

mod argument;

pub use argument::{Argument, ArgumentType, Fill, Slot, argument, decode};

use crate::{protocol::Tool, service::ToolCard};

/// The tool as clients see it: its card with the portable schemas of its arguments and result.
///
/// # Errors
/// A sentence for the developer when a schema can't be made portable (a union at the root, a bad header annotation).
pub fn describe(card: &ToolCard) -> Result<Tool, String> {
    let _ = card;
    todo!()
}
