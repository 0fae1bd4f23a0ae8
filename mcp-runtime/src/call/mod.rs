//! One call: what it carries, what the function sees of it, how it ends.
//!
//! Takes: an operation with its context. Gives: an outcome or a [`Fault`]. Knows: protocol words, sessions,
//! principals. Must not know: which revision the client speaks, where the bytes came from.

mod ask;
mod cancel;
mod context;
mod cookies;
mod error;
mod fault;
mod item;
mod logging;
mod mirrors;
mod offered;
mod operation;
mod outbox;
mod result;
mod shared;
mod task;
mod trace;

pub(crate) use ask::{
    ANSWERS_LIVE, Answer, Answers, Asking, Asks, FormOf, Given, Kinds, Means, NoForm, Question, canonical, digest,
};
pub use ask::{Ask, AskAll, AskError, Elicit, Unsupported};
pub use cancel::Cancelled;
pub(crate) use cancel::Signal;
pub use context::Context;
pub(crate) use context::{Facts, Progress, Session, Undecoded};
pub(crate) use cookies::{CookieState, GivenCookie, Settling};
pub use error::ToolError;
pub(crate) use error::chain;
pub use fault::{Fault, FaultKind};
pub use item::Item;
pub(crate) use item::{Tells, Visible};
pub(crate) use logging::Logging;
pub(crate) use mirrors::Mirrors;
pub(crate) use offered::{Offered, OfferedCookies, Personal};
pub(crate) use operation::{
    Answered, Call, Carrier, Completing, List, NoSession, Operation, Outcome, Page, Reference, SessionCall,
    SessionOutcome, Shown,
};
pub(crate) use outbox::{Importance, Onward, Outbox, Resumable, Said};
pub use result::{Completion, PromptResult, Reply, ResourceResult, ToolResult};
pub(crate) use shared::Shared;
pub(crate) use task::{
    Claim, Claims, Manner, Meanwhile, RELATED, Results, Standing, Task, TaskAction, TaskCall, TaskOutcome, TaskResult,
    Tasking,
};
pub(crate) use trace::TARGET as SPAN_TARGET;
