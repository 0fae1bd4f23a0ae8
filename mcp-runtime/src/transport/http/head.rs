//! One pass over the headers of a request.
//!
//! Takes: the header map. Gives: the headers of the door, borrowed, and those of the protocol, owned. Knows: their names.
//! Must not know: what they mean.

use http::{HeaderMap, HeaderValue, header};

use super::negotiate::Accepted;
use crate::exchange::{Field, Headers, Text};

/// A header of the door.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Once<'a> {
    /// Not sent.
    #[default]
    Absent,
    /// Sent once, in visible ASCII.
    Value(&'a HeaderValue),
    /// Sent more than once, or not as text.
    Unusable,
}

impl<'a> Once<'a> {
    fn add(&mut self, value: &'a HeaderValue) {
        // A header value has no control characters: what is ASCII in it is visible.
        *self = match self {
            Self::Absent if value.as_bytes().is_ascii() => Self::Value(value),
            _ => Self::Unusable,
        };
    }

    /// The text of the only value.
    pub(super) fn text(&self) -> Option<&'a str> {
        match self {
            Self::Value(value) => value.to_str().ok(),
            Self::Absent | Self::Unusable => None,
        }
    }
}

/// The headers of the door.
#[derive(Debug, Default)]
pub(super) struct Head<'a> {
    pub(super) host: Once<'a>,
    pub(super) origin: Once<'a>,
    pub(super) authorization: Once<'a>,
    pub(super) content_type: Once<'a>,
    pub(super) accept: Once<'a>,
}

const PARAMETER: &str = "mcp-param-";

/// Reads all headers.
pub(super) fn read(map: &HeaderMap) -> (Head<'_>, Box<Headers>) {
    let mut head = Head::default();
    // Boxed from the start: it is handed on from room to room.
    let mut headers = Box::<Headers>::default();
    for (name, value) in map {
        match name.as_str() {
            "host" => head.host.add(value),
            "origin" => head.origin.add(value),
            "authorization" => head.authorization.add(value),
            "content-type" => head.content_type.add(value),
            "accept" => head.accept.add(value),
            "mcp-protocol-version" => add(&mut headers.protocol_version, value),
            "mcp-session-id" => add(&mut headers.session_id, value),
            "mcp-method" => add(&mut headers.method, value),
            "mcp-name" => add(&mut headers.name, value),
            "last-event-id" => add(&mut headers.last_event_id, value),
            other => {
                if let Some(parameter) = other.strip_prefix(PARAMETER) {
                    match headers.parameters.iter_mut().find(|(known, _)| **known == *parameter) {
                        Some((_, field)) => *field = Field::Repeated,
                        None => {
                            let mut field = Field::Absent;
                            add(&mut field, value);
                            headers.parameters.push((parameter.into(), field));
                        }
                    }
                }
            }
        }
    }
    (head, headers)
}

impl Head<'_> {
    /// What the client can read; `map` is where this head was read from.
    pub(super) fn accepted(&self, map: &HeaderMap) -> Accepted {
        match self.accept {
            Once::Absent => Accepted::ANYTHING,
            Once::Value(value) => Accepted::read_one(value),
            Once::Unusable => {
                Accepted::read(map.get_all(header::ACCEPT).iter().map(|value| value.to_str().unwrap_or_default()))
            }
        }
    }
}

fn add(field: &mut Field, value: &HeaderValue) {
    *field = match (&*field, Text::of(value)) {
        (Field::Absent, Some(text)) => Field::Value(text),
        _ => Field::Repeated,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in entries {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        map
    }

    #[test]
    fn each_header_of_the_protocol_finds_its_field() {
        let map = map(&[
            ("mcp-protocol-version", " 2025-11-25 "),
            ("mcp-session-id", "s"),
            ("mcp-method", "tools/call"),
            ("mcp-name", "add"),
            ("last-event-id", "7"),
            ("mcp-param-region", "eu"),
            ("x-unknown", "?"),
        ]);
        let (_, headers) = read(&map);
        assert_eq!(headers.protocol_version.value(), Some("2025-11-25"));
        assert_eq!(headers.session_id.value(), Some("s"));
        assert_eq!(headers.method.value(), Some("tools/call"));
        assert_eq!(headers.name.value(), Some("add"));
        assert_eq!(headers.last_event_id.value(), Some("7"));
        assert_eq!(
            headers.parameters,
            [("region".into(), Field::Value(Text::of(&HeaderValue::from_static("eu")).unwrap()))]
        );
    }

    // Proves: N-03.
    #[test]
    fn a_header_sent_twice_or_not_as_text_has_no_value() {
        let map = map(&[
            ("mcp-session-id", "a"),
            ("mcp-session-id", "a"),
            ("mcp-name", "é"),
            ("mcp-param-x", "1"),
            ("mcp-param-x", "2"),
            ("host", "a"),
            ("host", "b"),
            ("accept", "text/event-stream"),
            ("accept", "application/json;q=0.1"),
        ]);
        let (head, headers) = read(&map);
        assert_eq!(headers.session_id, Field::Repeated);
        assert_eq!(headers.name, Field::Repeated);
        assert_eq!(headers.parameters, [("x".into(), Field::Repeated)]);
        assert!(matches!(head.host, Once::Unusable));
        let accepted = head.accepted(&map);
        assert!(accepted.json && accepted.events && accepted.streams);
    }
}
