//! Calls that become tasks, and what is asked of tasks, in words that no revision owns.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::Notify;

use super::{Fault, Question, ToolResult};
use crate::{store::TaskId, wire::write_string};

/// `_meta` of what belongs to a task, where tasks are the protocol's own.
pub(crate) const RELATED: &str = "io.modelcontextprotocol/related-task";

/// Whether a call can become a task, before it is looked at which tool it calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tasking {
    /// It can't: there are no tasks in what this client speaks.
    #[default]
    Unavailable,
    /// The client could have asked for it, and did not.
    NotRequested,
    /// The client asks for it.
    Requested {
        /// How long it wants the task to be kept.
        ttl: Option<Duration>,
    },
    /// The server decides, for clients that declare that they know tasks.
    Offered,
}

/// Who decides that a call becomes a task. Tasks of one manner do not exist for clients of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Manner {
    /// The client, call by call.
    ByRequest,
    /// The server, for clients that know tasks.
    ByServer,
}

/// What is asked of tasks.
pub(crate) struct TaskCall {
    /// By which kind of client.
    pub(crate) manner: Manner,
    /// What.
    pub(crate) action: TaskAction,
}

/// What is asked of one task, or of all of a caller's.
pub(crate) enum TaskAction {
    /// How it stands.
    Get(Box<str>),
    /// Its result; waits for it.
    Result {
        /// The task.
        id: Box<str>,
        /// Whether the client can be sent the task's questions meanwhile.
        can_ask: bool,
        /// That this call and no other sends them.
        claim: Option<Claim>,
    },
    /// An end.
    Cancel(Box<str>),
    /// To go on with these answers, by the keys of the questions.
    Update(Box<str>, Results),
    /// All of them, page by page.
    List(Option<Box<str>>),
}

/// Results of methods that were asked of the client, by the keys of the questions.
pub(crate) type Results = Vec<(Box<str>, Box<RawValue>)>;

impl TaskAction {
    /// The method, as it is on the wire.
    pub(crate) const fn method(&self) -> &'static str {
        match self {
            Self::Get(_) => "tasks/get",
            Self::Result { .. } => "tasks/result",
            Self::Cancel(_) => "tasks/cancel",
            Self::Update(..) => "tasks/update",
            Self::List(_) => "tasks/list",
        }
    }
}

/// The tasks whose questions are being asked by some call.
#[derive(Clone, Default)]
pub(crate) struct Claims(Arc<Mutex<HashSet<TaskId>>>);

/// That the questions of a task are this call's to ask.
pub(crate) struct Claim {
    claims: Claims,
    id: TaskId,
}

impl Claims {
    /// Claims the questions of a task; `None` when another call has them.
    pub(crate) fn claim(&self, id: TaskId) -> Option<Claim> {
        let fresh = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        fresh.then(|| Claim { claims: self.clone(), id })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// How something that was asked of tasks ended.
pub(crate) enum TaskOutcome {
    /// A call became this task; what the model is told meanwhile.
    Created(Task, Option<&'static str>),
    /// This is how it stands.
    Got(Task),
    /// This is how it stands after it was told to end.
    Cancelled(Task),
    /// The answers were taken.
    Updated,
    /// A page of the caller's tasks.
    Listed {
        /// The tasks.
        tasks: Vec<Task>,
        /// Where the list goes on; `None` at its end.
        next: Option<Box<str>>,
    },
    /// What the call gave, of which it was made.
    Result {
        /// The task.
        id: TaskId,
        /// The result.
        result: TaskResult,
    },
}

/// What a task's call gave.
pub(crate) type TaskResult = Result<(Option<usize>, ToolResult), Fault>;

/// A task, as its owner may see it.
pub(crate) struct Task {
    pub(crate) id: TaskId,
    pub(crate) standing: Standing,
    /// What goes on, for people.
    pub(crate) message: Option<Box<str>>,
    /// When it was made, in milliseconds since 1970.
    pub(crate) created: u64,
    /// When it last changed, in milliseconds since 1970.
    pub(crate) updated: u64,
    /// How long it is kept, from when it was made.
    pub(crate) ttl: Duration,
    /// How often it is worth looking.
    pub(crate) poll_interval: Duration,
}

/// Where a task stands.
pub(crate) enum Standing {
    /// It runs.
    Working,
    /// It waits for answers to these, whose keys are the task's own.
    InputRequired(Vec<Question>),
    /// Its call gave this, by the index of its tool and the result, or failed as protocol.
    Ended(TaskResult),
    /// It was cancelled.
    Cancelled,
}

/// What a call that is a task says meanwhile, and what is to be known of it outside.
#[derive(Debug)]
pub(crate) struct Meanwhile {
    id: TaskId,
    name: Box<str>,
    message: Mutex<Option<Box<str>>>,
    said: Notify,
    waits: AtomicBool,
}

/// What a function says of its progress is cut to so many bytes.
const MESSAGE_LIMIT: usize = 1024;

impl Meanwhile {
    pub(crate) fn new(id: TaskId) -> Self {
        let name = id.to_string().into();
        Self { id, name, message: Mutex::default(), said: Notify::new(), waits: AtomicBool::new(false) }
    }

    pub(crate) const fn id(&self) -> TaskId {
        self.id
    }

    /// Its id, as the client knows it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Says what goes on; what was said before and not told yet is forgotten.
    pub(super) fn say(&self, message: &str) {
        let end = (0..=message.len().min(MESSAGE_LIMIT)).rev().find(|&end| message.is_char_boundary(end)).unwrap_or(0);
        *self.message.lock().unwrap_or_else(PoisonError::into_inner) = message.get(..end).map(Into::into);
        self.said.notify_one();
    }

    /// Says how far the work is.
    pub(super) fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        match (message, total.filter(|total| total.is_finite())) {
            _ if !progress.is_finite() => {}
            (Some(message), _) => self.say(message),
            (None, Some(total)) => self.say(&format!("{progress} of {total}")),
            (None, None) => self.say(&progress.to_string()),
        }
    }

    /// Writes, as one more member, the `_meta` of what belongs to the task.
    pub(super) fn write_related(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"_meta\":{");
        write_string(out, RELATED);
        out.extend_from_slice(b":{\"taskId\":");
        write_string(out, &self.name);
        out.extend_from_slice(b"}}");
    }

    /// Waits until something is said.
    pub(crate) async fn said(&self) {
        self.said.notified().await;
    }

    /// What was said since this was asked last.
    pub(crate) fn take_message(&self) -> Option<Box<str>> {
        self.message.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The function waits for something that is no answer.
    pub(super) fn set_waits(&self) {
        self.waits.store(true, Ordering::Release);
    }

    /// Whether the function ever waited for something that is no answer.
    pub(crate) fn waits(&self) -> bool {
        self.waits.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_told_once_and_cut_between_characters() {
        let meanwhile = Meanwhile::new(TaskId([7; 16]));
        meanwhile.say("one");
        meanwhile.say("two");
        assert_eq!(meanwhile.take_message().as_deref(), Some("two"));
        assert_eq!(meanwhile.take_message(), None);
        meanwhile.say(&format!("a{}", "ü".repeat(MESSAGE_LIMIT)));
        assert_eq!(meanwhile.take_message().map(|message| message.len()), Some(MESSAGE_LIMIT - 1));
    }
}
