//! What a middleware gives back.

use crate::call::{Answered, Outcome, ToolResult};

/// What an operation came to: its result, whatever its kind.
pub struct Answer(Outcome);

impl Answer {
    pub(super) fn new(outcome: Outcome) -> Self {
        Self(outcome)
    }

    /// The result of a tool that says no, for the model to read: an answer to `tools/call` alone.
    #[must_use]
    pub fn tool_error(text: impl Into<String>) -> Self {
        Self(Outcome::of_tool(Answered::Framework, ToolResult::error(text)))
    }

    /// Whether it is the result of a tool that says no.
    #[must_use]
    pub fn is_error(&self) -> bool {
        matches!(&self.0, Outcome::Tool { result, .. } if result.is_error)
    }

    /// Whether it is no result yet but a question to the client: the operation comes again, with the answer.
    #[must_use]
    pub fn is_question(&self) -> bool {
        matches!(self.0, Outcome::Ask(_))
    }

    /// Whether it can answer such an operation: a tool's result answers a tool's call and nothing else, questions may come
    /// instead of either.
    pub(crate) fn answers(&self, call_of_tool: bool) -> bool {
        match self.0 {
            Outcome::Tool { .. } => call_of_tool,
            // What was asked of a task is answered with one, and a tool's call can become one.
            Outcome::Ask(_) | Outcome::Task(_) => true,
            _ => !call_of_tool,
        }
    }

    pub(crate) fn into_outcome(self) -> Outcome {
        self.0
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Answer").field("is_error", &self.is_error()).finish_non_exhaustive()
    }
}
