//! The requests, as bytes that are written once and patched for each send.
//!
//! *Takes* a revision, a tool and a session. *Gives* bytes and the places of the id in them. *Knows* headers and bodies of
//! both eras. *Must not know* who answers.

use serde_json::{Value, json};

/// The first id: all ids have ten digits, so that a request never changes its length.
pub(crate) const FIRST_ID: u64 = 1_000_000_000;

/// Which protocol a request speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    /// 2026-07-28: an envelope in `_meta`, mirrored in headers.
    Modern,
    /// 2025-11-25.
    Legacy,
}

/// What names the session of a request.
#[derive(Clone, Default)]
pub(crate) enum Session {
    /// Nothing.
    #[default]
    None,
    /// The header `Mcp-Session-Id`.
    Header(String),
    /// The argument `session`.
    Handle(String),
}

/// A request whose id, and the message that repeats it, can be changed in place.
#[derive(Clone)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Request {
    /// A POST of this message.
    pub(crate) fn post(address: &str, path: &str, era: Era, session: &Session, message: &Value) -> Self {
        let method = message["method"].as_str().unwrap_or_default();
        let mut head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\n"
        );
        match era {
            Era::Modern => {
                head.push_str(&format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\n"));
                if let Some(name) = message["params"]["name"].as_str() {
                    head.push_str(&format!("Mcp-Name: {name}\r\n"));
                }
            }
            Era::Legacy if method == "initialize" => {}
            Era::Legacy => head.push_str("MCP-Protocol-Version: 2025-11-25\r\n"),
        }
        if let Session::Header(id) = session {
            head.push_str(&format!("Mcp-Session-Id: {id}\r\n"));
        }
        let body = message.to_string();
        let mut bytes = format!("{head}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
        let start = bytes.len();
        bytes.extend_from_slice(body.as_bytes());
        let places = memchr::memmem::find_iter(body.as_bytes(), &digits(FIRST_ID)).map(|place| start + place).collect();
        Self { bytes, places }
    }

    /// A call of this tool that says `hello` and the id.
    pub(crate) fn call(address: &str, path: &str, era: Era, session: &Session, tool: &str) -> Self {
        let mut arguments = json!({ "message": format!("hello {FIRST_ID}") });
        if let Session::Handle(handle) = session {
            arguments["session"] = handle.as_str().into();
        }
        let mut params = json!({ "name": tool, "arguments": arguments });
        if era == Era::Modern {
            params["_meta"] = envelope();
        }
        Self::post(
            address,
            path,
            era,
            session,
            &json!({ "jsonrpc": "2.0", "id": FIRST_ID, "method": "tools/call", "params": params }),
        )
    }

    /// A list of the tools.
    pub(crate) fn list(address: &str, path: &str, era: Era, session: &Session) -> Self {
        let mut message = json!({ "jsonrpc": "2.0", "id": FIRST_ID, "method": "tools/list" });
        if era == Era::Modern {
            message["params"] = json!({ "_meta": envelope() });
        }
        Self::post(address, path, era, session, &message)
    }

    /// A stream of what changes in the list of tools.
    pub(crate) fn listen(address: &str, path: &str) -> Self {
        let params = json!({ "_meta": envelope(), "notifications": { "toolsListChanged": true } });
        let message = json!({ "jsonrpc": "2.0", "id": FIRST_ID, "method": "subscriptions/listen", "params": params });
        Self::post(address, path, Era::Modern, &Session::None, &message)
    }

    /// A handshake.
    pub(crate) fn initialize(address: &str, path: &str) -> Self {
        let params = json!({
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "benchmark", "version": "1.0.0" },
        });
        let message = json!({ "jsonrpc": "2.0", "id": FIRST_ID, "method": "initialize", "params": params });
        Self::post(address, path, Era::Legacy, &Session::None, &message)
    }

    /// The bytes with this id.
    pub(crate) fn with_id(&mut self, id: u64) -> &[u8] {
        let digits = digits(id);
        for place in &self.places {
            self.bytes[*place..place + digits.len()].copy_from_slice(&digits);
        }
        &self.bytes
    }
}

/// What 2026-07-28 wants in every `_meta`.
pub(crate) fn envelope() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "benchmark", "version": "1.0.0" },
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

/// The ten digits of an id.
pub(crate) fn digits(mut id: u64) -> [u8; 10] {
    let mut digits = [b'0'; 10];
    for digit in digits.iter_mut().rev() {
        *digit += (id % 10) as u8;
        id /= 10;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_id_is_in_the_message_too_and_changes_no_length() {
        let mut request = Request::call("127.0.0.1:1", "/mcp", Era::Modern, &Session::None, "echo");
        let before = request.with_id(FIRST_ID).len();
        let after = String::from_utf8(request.with_id(FIRST_ID + 4711).to_vec()).unwrap();
        assert_eq!(after.len(), before);
        assert!(after.contains(r#""id":1000004711"#) && after.contains(r#""message":"hello 1000004711""#));
        let (head, body) = after.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
        assert_eq!(serde_json::from_str::<Value>(body).unwrap()["params"]["name"], "echo");
    }
}
