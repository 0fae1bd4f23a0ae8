//! One message, one frame.
//!
//! Takes: JSON. Gives: one line of it, or one SSE event. Knows: that a raw line break in JSON can only be white space.
//! Must not know: what the JSON says.

use bytes::Bytes;

/// What keeps an idle stream alive: a comment, which clients skip.
pub(super) const KEEP_ALIVE: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// The same JSON without raw line breaks, copied only if it has any.
pub(super) fn one_line(json: Bytes) -> Bytes {
    if json.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        json.iter().map(|&byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }).collect::<Vec<u8>>().into()
    } else {
        json
    }
}

/// One event of a stream: its id, if it has one, and one `data:` line.
pub(super) fn event(id: Option<&str>, data: Bytes) -> Bytes {
    let data = one_line(data);
    let mut out = Vec::with_capacity(data.len() + id.map_or(0, str::len) + 16);
    // A line break or NUL in an id would end the line or make clients ignore it.
    if let Some(id) = id.filter(|id| !id.contains(['\n', '\r', '\0'])) {
        out.extend_from_slice(b"id: ");
        out.extend_from_slice(id.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(&data);
    out.extend_from_slice(b"\n\n");
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_inside_json_never_reaches_the_frame() {
        let framed = event(None, Bytes::from_static(b"{\"a\":\r\n1,\n\"b\":2}"));
        assert_eq!(&framed[..], b"data: {\"a\":  1, \"b\":2}\n\n");
    }

    #[test]
    fn json_on_one_line_is_not_copied() {
        let json = Bytes::from_static(b"{\"a\":\"\\n\"}");
        assert_eq!(one_line(json.clone()).as_ptr(), json.as_ptr());
    }

    #[test]
    fn an_id_stands_before_the_data_and_a_priming_event_is_empty() {
        assert_eq!(&event(Some("7-1"), Bytes::new())[..], b"id: 7-1\ndata: \n\n");
        assert_eq!(&event(Some("7\n1"), Bytes::new())[..], b"data: \n\n");
    }
}
