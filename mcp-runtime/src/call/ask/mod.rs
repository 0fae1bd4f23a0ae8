//! What a function asks of the client while it runs, and the answers with which it runs again.
//!
//! Takes: questions by key, and the answers so far. Gives: an answer, or a run that has stopped with its questions.
//! Knows: what a client may be asked, which answer belongs to which question. Must not know: how a question travels, how
//! the answers so far are kept in between.

mod answers;
mod elicit;
mod error;
mod future;
mod question;
mod run;

pub(crate) use answers::{ANSWERS_LIVE, Answer, Answers, Given};
pub use elicit::Elicit;
pub(crate) use elicit::{FormOf, NoForm};
pub use error::{AskError, Unsupported};
pub use future::{Ask, AskAll};
pub(crate) use question::{Asks, Kinds, Means, Question, canonical, digest};
pub(crate) use run::Asking;
