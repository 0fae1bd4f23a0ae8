//! A call that failed as protocol.

use serde_json::Value;

use crate::wire::Code;

/// A JSON-RPC error: the call existed and can't be answered with a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The error code.
    pub code: Code,
    /// One sentence for the developer of the client; never holds a secret or an operator's detail.
    pub message: String,
    /// Facts that a program can use.
    pub data: Option<Value>,
    /// The backing store could not answer: HTTP 503 with `Retry-After` instead of 200.
    pub unavailable: bool,
}

impl Fault {
    /// A fault with this code and message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None, unavailable: false }
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

    /// The store could not answer in time; the details are in the log.
    #[must_use]
    pub fn unavailable() -> Self {
        Self { unavailable: true, ..Self::new(Code::INTERNAL_ERROR, "The session store is unavailable, try again") }
    }
}
