//! Messages with undecoded members.

use std::borrow::Cow;

use super::{Code, Id, Raw};

/// What one HTTP body or one line of stdio holds.
#[derive(Debug)]
pub enum Body {
    /// One message.
    Single(Message),
    /// An array, not empty; whether it is allowed is the revision's business, and its elements are read then.
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
    /// The id of the request, where it could be read.
    pub id: Option<Id>,
    /// -32700, -32600, or -32602 for a duplicate key inside `params`.
    pub code: Code,
    /// One fixed sentence.
    pub message: &'static str,
}

/// The members of one JSON object, undecoded, in the order they came; no key twice.
#[derive(Clone, Debug, Default)]
pub struct Members {
    // TODO(wire)
    entries: Vec<(Box<str>, Raw)>,
}

impl Members {
    /// The value of this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Raw> {
        self.entries.iter().find(|(known, _)| &**known == key).map(|(_, value)| value)
    }

    /// All keys and values, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Raw)> {
        self.entries.iter().map(|(key, value)| (&**key, value))
    }
}

/// `params`, with the members of `params` and of `params._meta` at hand.
#[derive(Clone, Debug, Default)]
pub struct Params {
    members: Members,
    meta: Members,
}

impl Params {
    /// The value of this member of `params`, undecoded.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Raw> {
        self.members.get(key)
    }

    /// The string value of this member of `params`; `None` when it is absent or no string.
    #[must_use]
    pub fn string(&self, key: &str) -> Option<Cow<'_, str>> {
        let _ = key;
        todo!()
    }

    /// The value of this member of `params._meta`, undecoded.
    #[must_use]
    pub fn meta(&self, key: &str) -> Option<&Raw> {
        self.meta.get(key)
    }

    /// All members of `params._meta`.
    #[must_use]
    pub fn meta_members(&self) -> &Members {
        &self.meta
    }
}

/// Reads one body.
///
/// # Errors
/// [`Malformed`], which the peer sees as it is: -32700 for bytes that are no JSON, -32600 for JSON that is no message,
/// -32602 for a duplicate key inside `params`.
pub fn read(bytes: &[u8]) -> Result<Body, Malformed> {
    let _ = bytes;
    todo!()
}
/// TODO(wire)
pub fn read_batch(raw: &Raw, limit: usize) -> Result<Vec<Result<Message, Malformed>>, Malformed> { let _=(raw,limit); todo!() }
