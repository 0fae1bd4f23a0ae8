//! JSON-RPC 2.0 and nothing else.
//!
//! Takes: bytes. Gives: [`Message`]s with undecoded members, and bytes again. Knows: JSON, UTF-8, JSON-RPC. Must not
//! know: MCP's methods, revisions, transports.

mod code;
mod id;
mod members;
mod message;
mod raw;
mod read;
mod scan;
mod write;

#[cfg(test)]
mod tests;

pub use code::Code;
pub use id::Id;
pub use members::{Members, Params};
pub use message::{Body, Malformed, Message, Notification, Request, Response};
pub use raw::Raw;
pub use read::{read, read_batch};
pub(crate) use write::{write_error, write_id, write_notification, write_request, write_result, write_string};
