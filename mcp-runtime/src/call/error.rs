//! What a tool says when it says no.

use std::{error::Error as StdError, fmt, time::Duration};

use super::Fault;
use crate::protocol::ClientCapabilities;

/// A tool's refusal, which the model reads: say what to do next.
///
/// It becomes a result with `isError: true`, never a protocol error. There is deliberately no blanket `From` for every
/// error type: what the model reads is a choice. [`ToolError::new`] is read as it is; [`ToolError::internal`] is masked.
///
/// # Source
/// 2025-11-25 server/tools §Error Handling.
#[derive(Debug)]
pub struct ToolError {
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
    /// The tool did not refuse: its call failed as protocol, with this.
    fault: Option<Box<Fault>>,
}

impl ToolError {
    /// A refusal with this text for the model.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None, fault: None }
    }

    /// A failure whose details are the operator's alone: the log gets the source, the model a fixed text with an id by
    /// which the operator finds it.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let source = source.into();
        let id = incident_id();
        tracing::error!(incident = %id, error = %chain(&*source), "a tool failed");
        let message = format!("internal error, id {id}: the details are in the server's log");
        Self { message, source: Some(source), fault: None }
    }

    /// A typed result that can't be JSON: the call has no result that a client could be given, so it becomes a
    /// [`Fault`](super::Fault), -32603, and nothing that the model reads.
    pub(crate) fn unencodable(source: serde_json::Error) -> Self {
        tracing::error!(error = %source, "the result of a tool can't be JSON");
        Self {
            message: "internal error".to_owned(),
            source: Some(source.into()),
            fault: Some(Box::new(Fault::internal())),
        }
    }

    /// A function that ran for longer than it may, and was cut off. Not its choice: where no model reads it, it is -32603.
    pub(crate) fn too_late(function: &str, deadline: Duration) -> Self {
        tracing::warn!(function, ?deadline, "a function was cut off at its deadline");
        let message = format!(
            "`{function}` took longer than {deadline:?} and was cut off; what it changed in the session was not kept. Ask \
             for less at once, or try again later"
        );
        let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
        Self { message, source: Some(late.into()), fault: None }
    }

    /// A call that needs what its client did not declare: a [`Fault`](super::Fault), -32021, where the revision has that.
    pub(crate) fn missing_capability(message: String, needed: &ClientCapabilities) -> Self {
        let fault = Fault::missing_capability(message.clone(), needed);
        Self { message, source: None, fault: Some(Box::new(fault)) }
    }

    /// The refusal, or what its call failed with as protocol.
    pub(crate) fn or_fault(self) -> Result<Self, Fault> {
        match self.fault {
            Some(fault) => Err(*fault),
            None => Ok(self),
        }
    }

    /// Whether it is masked: the details are the operator's alone.
    pub(crate) fn is_internal(&self) -> bool {
        self.source.is_some()
    }

    /// The text that the model reads.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl StdError for ToolError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<String> for ToolError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for ToolError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

/// Eight hexadecimal digits that tie a masked answer to its line in the log.
fn incident_id() -> String {
    let mut bytes = [0_u8; 4];
    // Without randomness the id is merely not unique; nothing depends on it.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    format!("{:08x}", u32::from_be_bytes(bytes))
}

/// The error and all its sources, one line.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
