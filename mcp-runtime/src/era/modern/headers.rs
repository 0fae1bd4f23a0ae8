//! Headers that mirror the body, so that proxies can route without reading it.

use std::borrow::Cow;

use base64::Engine;
use http::StatusCode;

use crate::{
    call::Mirrors,
    era::refuse,
    exchange::{Field, Headers, Outbound},
    wire::{Code, Id, Request},
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

/// Each `Mcp-Param-…`, decoded.
pub(super) fn mirrors(headers: &Headers) -> Mirrors {
    let text = |field: &Field| field.value().and_then(decode).map(|text| text.into());
    Mirrors(headers.parameters.iter().map(|(name, field)| (name.clone(), text(field))).collect())
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

    // Proves: N-04, P-19.
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
}
