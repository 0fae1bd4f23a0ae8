//! What is answered when too many calls are under way.
//!
//! Takes: a line for which there is no room. Gives: an error for each request in it. Knows: JSON-RPC. Must not know: MCP.
//!
//! Only requests are refused. Everything else is let through, because it makes room: `notifications/cancelled` ends a call,
//! a client's response lets one go on, and none of them keeps anything waiting itself.

use bytes::Bytes;

use crate::wire::{self, Body, Code, Id, Message};

/// How many messages of a batch are looked at; the engine answers a longer batch with one error anyway.
const BATCH: usize = 1024;

const MESSAGE: &str = "Too many calls under way: try again when one of them has ended, or cancel one";

/// The refusal of the requests in this line; `None` if it has none and may pass.
pub(super) fn refusal(line: &[u8]) -> Option<Bytes> {
    let mut out = Vec::new();
    match wire::read(line).ok()? {
        Body::Single(message) => refuse(&mut out, request(&message)?),
        Body::Batch(batch) => {
            // One refused request refuses the batch, so that its calls are not served in another order than they came in.
            for message in wire::read_batch(&batch, BATCH).ok()?.iter().flatten() {
                let Some(id) = request(message) else { continue };
                out.push(if out.is_empty() { b'[' } else { b',' });
                refuse(&mut out, id);
            }
            if out.is_empty() {
                return None;
            }
            out.push(b']');
        }
    }
    Some(out.into())
}

fn request(message: &Message) -> Option<&Id> {
    match message {
        Message::Request(request) => Some(&request.id),
        _ => None,
    }
}

fn refuse(out: &mut Vec<u8>, id: &Id) {
    wire::write_error(out, Some(id), Code::INTERNAL_ERROR, MESSAGE, None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_are_refused() {
        for passes in [
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            r#"[{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}]"#,
            "[]",
            "{",
        ] {
            assert_eq!(refusal(passes.as_bytes()), None, "{passes}");
        }
        let refused = refusal(br#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#).unwrap();
        let refused: serde_json::Value = serde_json::from_slice(&refused).unwrap();
        assert_eq!((&refused["id"], &refused["error"]["code"]), (&"a".into(), &(-32603).into()));
    }

    #[test]
    fn each_request_of_a_batch_is_refused() {
        let ping = |id: u32| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let batch = format!(r#"[{},{{"jsonrpc":"2.0","method":"notifications/x"}},{}]"#, ping(1), ping(2));
        let refused: serde_json::Value = serde_json::from_slice(&refusal(batch.as_bytes()).unwrap()).unwrap();
        let ids: Vec<_> = refused.as_array().unwrap().iter().map(|error| error["id"].clone()).collect();
        assert_eq!(ids, [1, 2]);
    }
}
