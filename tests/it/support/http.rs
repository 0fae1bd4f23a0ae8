//! HTTP/1.1 in bytes: no client library stands between a test and what the server says.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

use crate::official_schema;

/// One request to an MCP endpoint.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The revision whose schema everything that comes back must follow; without one, nothing is held against a schema.
    pub revision: Option<&'static str>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// A POST of JSON text with the headers that every client sends.
    pub fn post(body: impl Into<Vec<u8>>) -> Self {
        Self {
            method: "POST".into(),
            path: "/mcp".into(),
            headers: vec![
                ("Content-Type".into(), "application/json".into()),
                ("Accept".into(), "application/json, text/event-stream".into()),
            ],
            body: body.into(),
            revision: None,
        }
    }

    /// A request without a body.
    pub fn of(method: &str) -> Self {
        Self { method: method.into(), path: "/mcp".into(), headers: Vec::new(), body: Vec::new(), revision: None }
    }

    /// The same, whose answer must follow the official schema of this revision.
    #[must_use]
    pub fn revision(mut self, revision: &'static str) -> Self {
        self.revision = Some(revision);
        self
    }

    /// The same with a header, in place of one of the same name.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same without a header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// The bytes of the request.
    pub fn bytes(&self, port: u16) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += &format!("Host: 127.0.0.1:{port}\r\n");
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        let mut bytes = (head + "\r\n").into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Sends it on a connection of its own and reads the whole answer.
    pub fn send(&self, port: u16) -> Response {
        let mut connection = connect(port);
        connection.write_all(&self.clone().header("Connection", "close").bytes(port)).expect("the server reads");
        self.answer(connection)
    }

    /// Sends it on a connection of its own; an answer that is a stream is left for its reader, anything else is read.
    pub fn open(&self, port: u16) -> (Response, Option<EventReader>) {
        let mut connection = connect(port);
        connection.write_all(&self.clone().header("Connection", "close").bytes(port)).expect("the server reads");
        let mut reader = BufReader::new(connection);
        let mut response = Response::read_head(&mut reader);
        if response.header("content-type").is_some_and(|value| value.starts_with("text/event-stream")) {
            return (response, Some(EventReader { reader, text: String::new() }));
        }
        response.read_body(&mut reader);
        (response, None)
    }

    /// Reads the whole answer to this request from the connection on which it was sent.
    pub fn answer(&self, connection: TcpStream) -> Response {
        let response = Response::read(&mut BufReader::new(connection));
        if let Some(revision) = self.revision {
            let sent = String::from_utf8_lossy(&self.body);
            for message in response.messages() {
                let message = serde_json::from_str(&message).unwrap_or_else(|error| panic!("{message:?}: {error}"));
                official_schema::assert_valid(revision, &sent, &message);
            }
        }
        response
    }
}

/// A connection to a server on loopback.
pub fn connect(port: u16) -> TcpStream {
    let connection = TcpStream::connect(("127.0.0.1", port)).expect("the server accepts");
    connection.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
    connection.set_nodelay(true).expect("the delay can be turned off");
    connection
}

impl Response {
    /// Reads status line, headers and body.
    pub fn read(reader: &mut impl BufRead) -> Self {
        let mut response = Self::read_head(reader);
        response.read_body(reader);
        response
    }

    fn read_body(&mut self, reader: &mut impl BufRead) {
        if self.header("transfer-encoding").is_some_and(|value| value.contains("chunked")) {
            while let Some(chunk) = read_chunk(reader) {
                self.body.extend_from_slice(&chunk);
            }
        } else {
            let length = self.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0_usize);
            self.body = vec![0; length];
            reader.read_exact(&mut self.body).expect("the body is as long as it says");
        }
    }

    /// Reads status line and headers alone; interim responses, of which a server may send any number, are skipped.
    pub fn read_head(reader: &mut impl BufRead) -> Self {
        loop {
            let head = Self::read_any_head(reader);
            if head.status >= 200 {
                return head;
            }
        }
    }

    fn read_any_head(reader: &mut impl BufRead) -> Self {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a status line comes");
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status line: {line:?}"));
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("headers come");
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no header: {line:?}"));
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Self { status, headers, body: Vec::new() }
    }

    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("bodies are UTF-8")
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {:?}", self.text()))
    }

    /// The messages in the body, as JSON text: one, or the events of a stream.
    pub fn messages(&self) -> Vec<String> {
        if self.body.is_empty() {
            return Vec::new();
        }
        if self.header("content-type").is_some_and(|value| value.starts_with("text/event-stream")) {
            let text = self.text();
            return text.split("\n\n").map(data).filter(|data| !data.is_empty()).collect();
        }
        vec![self.text()]
    }
}

/// The data of an event.
fn data(event: &str) -> String {
    let lines = event.lines().filter_map(|line| line.strip_prefix("data:"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// A stream of events that is read one by one.
pub struct EventReader {
    reader: BufReader<TcpStream>,
    text: String,
}

impl EventReader {
    /// The next message; `None` at the end of the stream.
    pub fn next(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (message, rest) = (data(event), rest.to_owned());
                self.text = rest;
                if !message.is_empty() {
                    return Some(message);
                }
            } else {
                let chunk = read_chunk(&mut self.reader)?;
                self.text += std::str::from_utf8(&chunk).expect("events are UTF-8");
            }
        }
    }
}

/// The next chunk of a chunked body; `None` at its end.
pub fn read_chunk(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = String::new();
    reader.read_line(&mut line).expect("a chunk comes");
    let length = usize::from_str_radix(line.trim_end(), 16).unwrap_or_else(|_| panic!("no chunk length: {line:?}"));
    let mut chunk = vec![0; length + 2];
    reader.read_exact(&mut chunk).expect("a chunk is as long as it says");
    chunk.truncate(length);
    (length > 0).then_some(chunk)
}
