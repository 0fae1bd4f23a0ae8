//! A call that failed as protocol.

use serde_json::Value;

use crate::{protocol::ClientCapabilities, wire::Code};

/// A JSON-RPC error: the call existed and can't be answered with a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The error code.
    pub code: Code,
    /// One sentence for the developer of the client; never holds a secret or an operator's detail.
    pub message: String,
    /// Facts that a program can use.
    pub data: Option<Value>,
    /// What the answer depends on besides the code.
    pub kind: FaultKind,
}

/// What the answer to a fault depends on besides its code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// Nothing.
    #[default]
    Plain,
    /// The backing store could not answer, or has no room: HTTP 503 with `Retry-After` instead of 200.
    Unavailable,
    /// There is no such resource: revisions before 2026-07-28 have a code of their own for it.
    ResourceNotFound,
    /// The call needs what the client did not declare: -32021 with HTTP 400 on 2026-07-28. Older revisions have no code
    /// for it: a tool's call is answered with `isError`, anything else with -32602.
    MissingCapability,
    /// The call needs a session that a cookie carries: -32002 where there is a handshake, the fault's own code on
    /// 2026-07-28, which forbids that one.
    NoSession,
}

impl Fault {
    /// A fault with this code and message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None, kind: FaultKind::Plain }
    }

    /// The same with `data`.
    #[must_use]
    pub fn with_data(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    /// The fixed answer to whatever went wrong inside; the details are in the log.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(Code::INTERNAL_ERROR, "Internal error")
    }

    /// There is no resource of this URI, or none that the caller may know of.
    ///
    /// # Source
    /// 2026-07-28 server/resources §Error Handling.
    #[must_use]
    pub fn resource_not_found(uri: &str) -> Self {
        let fault = Self::new(Code::INVALID_PARAMS, "Resource not found");
        Self { kind: FaultKind::ResourceNotFound, ..fault }.with_data(serde_json::json!({ "uri": uri }))
    }

    /// The call needs capabilities that the client did not declare.
    ///
    /// # Source
    /// 2026-07-28 basic/index §Error Codes.
    #[must_use]
    pub fn missing_capability(message: impl Into<String>, needed: &ClientCapabilities) -> Self {
        let fault = Self::new(Code::MISSING_CAPABILITY, message);
        Self { kind: FaultKind::MissingCapability, ..fault }
            .with_data(serde_json::json!({ "requiredCapabilities": needed }))
    }

    /// The one answer for every `requestState` that can't be used: forged, foreign, expired, used already.
    #[must_use]
    pub(crate) fn invalid_request_state() -> Self {
        Self::new(Code::INVALID_PARAMS, "Invalid or expired requestState")
    }

    /// The store could not answer in time; the details are in the log.
    #[must_use]
    pub fn unavailable() -> Self {
        Self {
            kind: FaultKind::Unavailable,
            ..Self::new(Code::INTERNAL_ERROR, "The session store is unavailable, try again")
        }
    }

    /// The store has no room for what the call would have written, so that nothing of it was; 503 like a store that is away,
    /// because both are the operator's to mend and pass.
    pub(crate) fn full(what: &str) -> Self {
        tracing::error!("the store is full: {what}");
        Self { message: format!("{what}. Try again later"), ..Self::unavailable() }
    }
}
