//! Rust types into JSON Schemas that every client accepts, and arguments checked against them.
//!
//! Takes: the tables of a service. Gives: [`Tool`](crate::protocol::Tool)s, decoded arguments, advice for the model.
//! Knows: JSON Schema, the clients' limits. Must not know: revisions, sessions, transports.

mod advice;
mod argument;
mod arguments;
pub mod as_string;
mod build;
mod check;
mod checks;
mod coerce;
mod describe;
mod elicitation;
mod exact;
mod form;
mod formats;
mod header;
mod listed;
mod order;
mod portable;
mod strict;
mod walk;
mod words;
mod write;

#[cfg(test)]
mod tests;

pub use argument::{Argument, ArgumentType, Fill, Slot, argument, decode};
pub use arguments::Arguments;
pub use checks::Checks;
pub(crate) use describe::input_schema;
pub use describe::{Described, ExtraArgument, describe};
pub use elicitation::{ElicitationForm, FormError, FormFeatures, FormProblem};
pub use exact::inexact_integers;
pub(crate) use header::{Mirrored, mirrored};
pub use listed::{DescribedResource, describe_prompt, describe_resource};
pub use portable::{assert_portable, violations};
pub(crate) use strict::{Strict, check_tool};
