//! One message, one frame.
//!
//! Takes: JSON. Gives: one line of it, or one SSE event. Knows: that a raw line break in JSON can only be white space.
//! Must not know: what the JSON says.

use bytes::Bytes;

use crate::exchange::Event;

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

/// What stands where events are lost: a comment, for whoever reads the stream to find a fault. Clients skip it.
const GAP: &[u8] = b": gap, events are lost here\n";

/// One event of a stream: its id and its time to come back, if it has them, and one `data:` line.
pub(super) fn event(event: Event) -> Bytes {
    let Event { id, data, retry, gap } = event;
    // A line break or NUL in an id would end the line or make clients ignore it.
    let id = id.filter(|id| !id.contains(['\n', '\r', '\0']));
    let data = one_line(data);
    let mut out = Vec::with_capacity(data.len() + id.as_ref().map_or(0, |id| id.len()) + 48);
    if gap {
        out.extend_from_slice(GAP);
    }
    if let Some(id) = &id {
        out.extend_from_slice(b"id: ");
        out.extend_from_slice(id.as_bytes());
        out.push(b'\n');
    }
    if let Some(retry) = retry {
        out.extend_from_slice(b"retry: ");
        out.extend_from_slice(retry.as_millis().to_string().as_bytes());
        out.push(b'\n');
    }
    // Without a `data:` line there is no event, and the id would be forgotten with it.
    if id.is_some() || !data.is_empty() {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&data);
        out.push(b'\n');
    }
    out.push(b'\n');
    out.into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    // Proves: T-01.
    #[test]
    fn a_line_break_inside_json_never_reaches_the_frame() {
        let framed = event(Event::message(Bytes::from_static(b"{\"a\":\r\n1,\n\"b\":2}")));
        assert_eq!(&framed[..], b"data: {\"a\":  1, \"b\":2}\n\n");
    }

    #[test]
    fn json_on_one_line_is_not_copied() {
        let json = Bytes::from_static(b"{\"a\":\"\\n\"}");
        assert_eq!(one_line(json.clone()).as_ptr(), json.as_ptr());
    }

    #[test]
    fn an_id_stands_before_the_data_and_a_priming_event_is_empty() {
        let priming = Event { id: Some("7-1".into()), ..Event::default() };
        assert_eq!(event(priming.clone()), "id: 7-1\ndata: \n\n");
        let retry = Some(Duration::from_millis(1500));
        assert_eq!(event(Event { retry, ..priming }), "id: 7-1\nretry: 1500\ndata: \n\n");
        assert_eq!(event(Event { id: Some("7\n1".into()), ..Event::message("{}".into()) }), "data: {}\n\n");
    }

    #[test]
    fn a_time_to_come_back_alone_is_no_event_and_a_gap_is_a_comment() {
        let retry = Event { retry: Some(Duration::from_millis(5)), ..Event::default() };
        assert_eq!(event(retry), "retry: 5\n\n");
        let gap = Event { gap: true, id: Some("7-9".into()), ..Event::message("{}".into()) };
        assert_eq!(event(gap), ": gap, events are lost here\nid: 7-9\ndata: {}\n\n");
    }
}
