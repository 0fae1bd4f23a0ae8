//! What a call can ask, and how its questions are asked in the era of its request.

use super::{Era, Return, modern};
use crate::{
    call::{Call, Kinds, Means, Operation, Question},
    exchange::{Outbound, Source},
    protocol::version::Facts,
};

/// How an operation can ask, in a revision with these facts.
///
/// # Source
/// 2026-07-28 basic/patterns/mrtr §Supported Requests; the same for older revisions, so that one function means the same
/// in all of them.
pub(super) fn means(facts: &Facts, operation: &Operation) -> Means {
    match operation {
        Operation::CallTool { .. } | Operation::GetPrompt { .. } | Operation::ReadResource { .. } => {
            Means::Questions(Kinds {
                forms: facts.elicitation,
                several_choices: facts.elicitation_modes,
                titled_choices: facts.elicitation_modes,
                defaults: facts.elicitation_modes,
                pages: facts.elicitation_modes,
                model_tools: facts.sampling_tools,
            })
        }
        Operation::List { .. } | Operation::Complete(_) | Operation::Task(_) | Operation::Session(_) => Means::None,
    }
}

/// Whether a client at the other end of this can be sent a question while it waits for an answer.
pub(super) fn can_stream(source: &Source) -> bool {
    match source {
        Source::Http { streams, .. } => *streams,
        Source::Stdio(_) => true,
    }
}

impl Era {
    /// Asks what a call stopped for. `Some` is the answer that carries the questions; with `None` the answers are in the
    /// call, which can go on.
    pub(crate) async fn ask(&self, call: &mut Call, to: &Return, questions: &[Question]) -> Option<Outbound> {
        if to.version.facts().modern {
            return Some(modern::ask(self, call, to, questions));
        }
        self.ask_in_session(call, to, questions).await
    }
}
