//! The answers so far: what a call carries from one run of its function to the next.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Answers of which the client keeps the record are worth nothing after this time.
///
/// Source: our choice, and 2026-07-28 basic/patterns/mrtr: "short expiry". A person fills a form in within it.
pub(crate) const ANSWERS_LIVE: Duration = Duration::from_secs(600);

/// The answers so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Answers {
    /// What was answered, by the question's key.
    pub(crate) given: BTreeMap<Box<str>, Given>,
    /// What `Context::once` keeps, by its key.
    pub(crate) kept: BTreeMap<Box<str>, Box<RawValue>>,
    /// How often the function stopped to ask.
    pub(crate) rounds: u8,
    /// A random name of this record, where the client keeps it: that it was used can be remembered.
    pub(crate) name: Option<[u8; 16]>,
}

/// One answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Given {
    /// The digest of the question that it answers; `None` of an answer that came without one, which fits any question
    /// whose schema it fits.
    pub(crate) question: Option<Box<str>>,
    /// What was answered.
    pub(crate) answer: Answer,
}

/// What a client answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// The method's result, not looked at yet.
    Result(Box<RawValue>),
    /// An error in its place.
    Refused {
        /// The client's code.
        code: i32,
        /// The client's words.
        message: String,
    },
    /// Nothing, for too long.
    Unanswered,
}
