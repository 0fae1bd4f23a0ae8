//! The doors between transport and the corridor.
//!
//! Takes: bytes with the facts around them. Gives: bytes with a status. Knows: which headers exist. Must not know: what
//! any of them means.

use std::{
    fmt,
    ops::Deref,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::{auth::Principal, session::Process};

/// The headers that the protocol gives a meaning, as they came; a header sent twice is [`Field::Repeated`].
#[derive(Clone, Debug, Default)]
pub struct Headers {
    /// `MCP-Protocol-Version`.
    pub protocol_version: Field,
    /// `Mcp-Session-Id`.
    pub session_id: Field,
    /// `Mcp-Method`.
    pub method: Field,
    /// `Mcp-Name`.
    pub name: Field,
    /// `Last-Event-ID`.
    pub last_event_id: Field,
    /// Each `Mcp-Param-…`: the rest of its name in lower case, and its value.
    pub parameters: Vec<(Box<str>, Field)>,
}

/// The value of one header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Field {
    /// Not sent.
    #[default]
    Absent,
    /// Sent once, outer blanks trimmed.
    Value(Text),
    /// Sent more than once, or not as text.
    Repeated,
}

/// The text of a header: shared with the request it came with, not copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(HeaderValue);

impl Text {
    /// The text of this value without its outer blanks; `None` for bytes that are no visible ASCII.
    #[must_use]
    pub fn of(value: &HeaderValue) -> Option<Self> {
        // A header value has no control characters: what is ASCII in it is visible.
        let bytes = value.as_bytes();
        if !bytes.is_ascii() {
            return None;
        }
        let trimmed = bytes.trim_ascii();
        if trimmed.len() == bytes.len() {
            Some(Self(value.clone()))
        } else {
            HeaderValue::from_bytes(trimmed).ok().map(Self)
        }
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        // Visible ASCII, as `of` made sure.
        std::str::from_utf8(self.0.as_bytes()).unwrap_or_default()
    }
}

impl Field {
    /// The value, if there is exactly one.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// What came in: one HTTP body or one line of stdio.
pub struct Inbound {
    /// The bytes.
    pub body: Bytes,
    /// Who sent it.
    pub principal: Option<Principal>,
    /// How it came.
    pub source: Source,
}

/// How something came.
pub enum Source {
    /// By HTTP POST.
    Http {
        /// The headers with a meaning; boxed, because what surrounds a call lives as long as the call.
        headers: Box<Headers>,
        /// The client can read an event stream as the answer.
        streams: bool,
    },
    /// On a line of stdio.
    Stdio(Arc<Process>),
}

/// What goes out, whole.
#[derive(Debug, Default)]
pub struct Outbound {
    /// The HTTP status; stdio has none and writes the body, if there is one.
    pub status: StatusCode,
    /// A session id to hand out.
    pub session_id: Option<String>,
    /// One JSON value, or nothing.
    pub body: Bytes,
    /// The methods that are allowed, for 405.
    pub allow: Option<&'static str>,
}

impl Outbound {
    /// Nothing but a status.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self { status, session_id: None, body: Bytes::new(), allow: None }
    }

    /// A status with a body of JSON.
    #[must_use]
    pub fn json(status: StatusCode, body: Vec<u8>) -> Self {
        Self { status, session_id: None, body: body.into(), allow: None }
    }
}

/// What an exchange gives next.
#[derive(Debug)]
pub enum Step {
    /// Something before the answer: the answer becomes a stream.
    Message(Event),
    /// The end, with the answer. It is empty where the answer was an event already, or is to be fetched later.
    Done(Outbound),
}

/// One exchange under way: polled in place by the transport, zero or more [`Step::Message`], then one [`Step::Done`].
///
/// Dropping it before its end means that the peer went away; what that means is the corridor's business: the work is
/// either dropped with it or moved to a task of its own.
pub struct Exchange(Pin<Box<dyn Work>>);

/// What an exchange drives. `poll_step` is not called again after [`Step::Done`].
pub(crate) trait Work: Send {
    /// The next step.
    fn poll_step(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Step>;
}

impl Exchange {
    pub(crate) fn new(work: Pin<Box<dyn Work>>) -> Self {
        Self(work)
    }

    /// The next step.
    pub fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        self.0.as_mut().poll_step(cx)
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Exchange")
    }
}

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its id, for resuming.
    pub id: Option<Box<str>>,
    /// One JSON message; empty for a priming event.
    pub data: Bytes,
    /// After how long the client comes back when the connection ends.
    pub retry: Option<Duration>,
    /// Events that came before this one are lost.
    pub gap: bool,
}

impl Event {
    /// A message that can't be resumed from.
    #[must_use]
    pub fn message(data: Bytes) -> Self {
        Self { data, ..Self::default() }
    }
}

/// The stream that a client opened with GET: the transport polls it, `None` ends it.
pub struct EventStream(pub(crate) Pin<Box<dyn futures_util::Stream<Item = Event> + Send>>);

impl EventStream {
    /// The next event.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EventStream")
    }
}
