//! Sockets and lines.
//!
//! Takes: connections. Gives: [`Inbound`](crate::exchange::Inbound)s to the engine and bytes back. Knows: HTTP, SSE
//! framing, header names, limits. Must not know: what a header or message means.

mod frame;
pub(crate) mod http;
pub(crate) mod stdio;
