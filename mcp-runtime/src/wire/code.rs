//! Error codes.

use std::fmt;

/// A JSON-RPC error code.
///
/// # Source
/// JSON-RPC 2.0 §5.1 and 2026-07-28 basic/index §Error Codes. -32002 and -32042 have no constant on purpose: 2026-07-28
/// forbids both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code(pub i32);

impl Code {
    /// The bytes are no JSON.
    pub const PARSE_ERROR: Self = Self(-32700);
    /// The JSON is no JSON-RPC message, or one that can't be used here.
    pub const INVALID_REQUEST: Self = Self(-32600);
    /// No such method.
    pub const METHOD_NOT_FOUND: Self = Self(-32601);
    /// The method exists, its parameters are wrong.
    pub const INVALID_PARAMS: Self = Self(-32602);
    /// Something went wrong inside; the details are in the log.
    pub const INTERNAL_ERROR: Self = Self(-32603);
    /// No live session has this id (our choice, as the official SDKs answer; HTTP 404).
    pub const SESSION_NOT_FOUND: Self = Self(-32001);
    /// A header is absent, malformed or differs from the body.
    pub const HEADER_MISMATCH: Self = Self(-32020);
    /// The request needs a capability that the client did not declare.
    pub const MISSING_CAPABILITY: Self = Self(-32021);
    /// The call needs a session that a cookie carries (our choice, outside of what JSON-RPC reserves, as 2026-07-28
    /// wants it).
    pub const NO_SESSION: Self = Self(-31002);
    /// The same where there is a handshake: what version 2 of data-layer sessions promises. `data.reason` tells it from a
    /// missing resource.
    pub const NO_SESSION_BEFORE: Self = Self(-32002);
    /// The revision in the envelope is not served.
    pub const UNSUPPORTED_VERSION: Self = Self(-32022);
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
