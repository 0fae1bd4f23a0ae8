//! JSON-RPC 2.0 and nothing else.
//!
//! Takes: bytes. Gives: [`Message`]s with undecoded members, and bytes again. Knows: JSON, UTF-8, JSON-RPC. Must not
//! know: MCP's methods, revisions, transports.

mod code;
mod id;
mod message;
mod raw;
mod scan;
mod write;

pub use code::Code;
pub use id::Id;
pub use message::{Body, Malformed, Members, Message, Notification, Params, Request, Response, read, read_batch};
pub use raw::Raw;
pub(crate) use write::{write_error, write_notification, write_result, write_string};
