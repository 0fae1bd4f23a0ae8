//! Why a question has no answer.

use std::fmt;

use crate::{call::ToolError, protocol::ClientCapabilities};

/// Why a question has no answer.
///
/// With `?` it becomes a [`ToolError`] that the model reads; an [`AskError::Unsupported`] becomes -32021 with
/// `requiredCapabilities` (HTTP 400) on 2026-07-28, and on older revisions what their errors allow: an `isError` result of
/// a tool, -32602 elsewhere.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AskError {
    /// The person said no.
    Declined,
    /// The person went away without a choice.
    Cancelled,
    /// The client can't be asked this.
    Unsupported(Unsupported),
    /// The client answered with an error; on 2026-07-28 it can't.
    Refused {
        /// The client's code, -1 for a person who said no.
        code: i32,
        /// The client's words: untrusted.
        message: String,
    },
    /// No answer came in time; 2026-07-28 waits for none.
    Unanswered,
}

/// Why a client can't be asked.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Unsupported {
    /// What the client would have to declare, in the shape of its capabilities: `{"elicitation": {"form": {}}}`, for
    /// example. Empty where no capability would help.
    pub needed: ClientCapabilities,
    /// One sentence for the developer of the client.
    pub reason: String,
}

impl fmt::Display for AskError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declined => formatter.write_str("The user declined to answer; nothing more was done"),
            Self::Cancelled => formatter.write_str("The user dismissed the question; nothing more was done"),
            Self::Unsupported(unsupported) => formatter.write_str(&unsupported.reason),
            Self::Refused { message, .. } => write!(formatter, "The client did not answer the question: {message}"),
            Self::Unanswered => formatter.write_str("The question was not answered in time; nothing more was done"),
        }
    }
}

impl std::error::Error for AskError {}

impl From<AskError> for ToolError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Unsupported(unsupported) if !unsupported.needed.0.is_empty() => {
                Self::missing_capability(unsupported.reason, &unsupported.needed)
            }
            error => Self::new(error.to_string()),
        }
    }
}
