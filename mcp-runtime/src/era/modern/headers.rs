//! Headers that mirror the body, so that proxies can route without reading it.

use std::borrow::Cow;

use base64::Engine;
use http::StatusCode;

use crate::{
    era::{prepared::Mirrored, refuse},
    exchange::{Field, Headers, Outbound},
    wire::{Code, Id, Raw, Request},
};

/// A header is absent, malformed or differs from the body.
pub(super) fn mismatch(id: &Id, message: &str) -> Outbound {
    refuse::error(StatusCode::BAD_REQUEST, Some(id), Code::HEADER_MISMATCH, message, None)
}

/// `Mcp-Name` against the parameter that it mirrors.
pub(super) fn named(request: &Request, headers: &Headers, parameter: &str) -> Result<(), Outbound> {
    let Some(body) = request.params.string(parameter) else {
        // Decoding the parameters says what is wrong with the body.
        return Ok(());
    };
    match &headers.name {
        Field::Absent => Err(mismatch(&request.id, "The Mcp-Name header is missing")),
        Field::Repeated => Err(mismatch(&request.id, "The Mcp-Name header came more than once")),
        Field::Value(value) => match decode(value) {
            Some(value) if value == body => Ok(()),
            Some(_) => Err(mismatch(&request.id, "The Mcp-Name header differs from the body")),
            None => Err(mismatch(&request.id, "The Mcp-Name header is badly encoded")),
        },
    }
}

/// Each `Mcp-Param-…` that a tool declares against the argument that it mirrors; others are ignored.
pub(super) fn mirrored(id: &Id, headers: &Headers, declared: &[Mirrored], arguments: &Raw) -> Result<(), Outbound> {
    if declared.is_empty() {
        return Ok(());
    }
    let members = arguments.members().unwrap_or_default();
    for Mirrored { argument, header } in declared {
        let sent = headers.parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(header));
        let sent = sent.map_or(&Field::Absent, |(_, field)| field);
        // An argument that is null is as good as absent: no header is expected for it.
        let value = members.get(argument).filter(|value| value.as_str() != "null");
        let agrees = match (sent, value) {
            (Field::Absent, None) => true,
            (Field::Value(sent), Some(value)) => decode(sent).is_some_and(|sent| equal(&sent, value)),
            _ => false,
        };
        if !agrees {
            return Err(mismatch(id, &format!("The Mcp-Param-{header} header differs from the argument `{argument}`")));
        }
    }
    Ok(())
}

/// Whether a header's text says the same as a JSON value: integers by their number, without a detour through floats.
fn equal(sent: &str, value: &Raw) -> bool {
    if let Some(text) = value.string() {
        return sent == text;
    }
    match value.as_str() {
        literal @ ("true" | "false") => sent == literal,
        number => integer(sent).is_some_and(|sent| integer(number) == Some(sent)),
    }
}

/// The integer that a decimal text stands for; a fraction of zeros is an integer too.
fn integer(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let canonical = digits == "0" || !digits.starts_with('0');
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let zero = !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
    (canonical && plain && zero).then(|| whole.parse().ok()).flatten()
}

/// The value behind `=?base64?…?=`, or the value itself; `None` for bad base64 or UTF-8.
fn decode(value: &str) -> Option<Cow<'_, str>> {
    let Some(encoded) = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) else {
        return Some(Cow::Borrowed(value));
    };
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abuse_d6_a_sentinel_is_decoded_only_with_both_markers() {
        assert_eq!(decode("=?base64?SGVsbG8=?=").as_deref(), Some("Hello"));
        assert_eq!(decode("=?base64?SGVsbG8=").as_deref(), Some("=?base64?SGVsbG8="));
        assert_eq!(decode("SGVsbG8=").as_deref(), Some("SGVsbG8="));
        assert_eq!(decode("=?BASE64?SGVsbG8=?=").as_deref(), Some("=?BASE64?SGVsbG8=?="));
        assert_eq!(decode("=?base64?SGVsbG8?="), None);
        assert_eq!(decode("=?base64?SGVs!!!bG8=?="), None);
        assert_eq!(decode("=?base64?/w==?="), None);
    }

    #[test]
    fn abuse_d7_integers_are_compared_by_number_and_never_through_floats() {
        assert!(equal("42", &Raw::from("42.0")));
        assert!(equal("9007199254740993", &Raw::from("9007199254740993")));
        assert!(!equal("9007199254740992", &Raw::from("9007199254740993")));
        assert!(!equal("01", &Raw::from("1")));
        assert!(!equal("+1", &Raw::from("1")));
        assert!(!equal("TRUE", &Raw::from("true")));
    }
}
