//! Messages with undecoded members.

use super::{Code, Id, Params, Raw};

/// What one HTTP body or one line of stdio holds.
#[derive(Debug)]
pub enum Body {
    /// One message.
    Single(Message),
    /// An array that was not looked into, except that it is not empty; where the revision has batches, [`read_batch`](super::read_batch)
    /// does.
    Batch(Raw),
}

/// One JSON-RPC message.
#[derive(Debug)]
pub enum Message {
    /// Expects an answer.
    Request(Request),
    /// Expects none.
    Notification(Notification),
    /// Answers a request of ours.
    Response(Response),
}

impl Message {
    /// Forgets what the message said, whose text would be kept as long as it is.
    pub(crate) fn forget(&mut self) {
        *self = Self::Notification(Notification { method: Box::default(), params: Params::default() });
    }
}

/// A message with a method and an id.
#[derive(Debug)]
pub struct Request {
    /// Its id.
    pub id: Id,
    /// Its method.
    pub method: Box<str>,
    /// Its parameters.
    pub params: Params,
}

/// A message with a method and no id.
#[derive(Debug)]
pub struct Notification {
    /// Its method.
    pub method: Box<str>,
    /// Its parameters.
    pub params: Params,
}

/// A message with a result or an error.
#[derive(Debug)]
pub struct Response {
    /// The request that it answers; `None` for an error without a usable id.
    pub id: Option<Id>,
    /// `result`, or the object in `error`.
    pub outcome: Result<Raw, Raw>,
}

/// Why bytes are no message.
#[derive(Clone, Debug, PartialEq)]
pub struct Malformed {
    /// The id of the request, where it could be read; `None` for responses and for a message with a member twice.
    pub id: Option<Id>,
    /// -32700, -32600, or -32602 for `params` that are no object or have a key twice.
    pub code: Code,
    /// One fixed sentence.
    pub message: &'static str,
}
