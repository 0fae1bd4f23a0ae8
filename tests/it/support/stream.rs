//! Event streams in bytes: what a client hears until it goes away.

use std::{
    io::{BufReader, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Request, Response, http::connect};

/// One event, or what stands alone between two blank lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    pub id: Option<String>,
    pub retry: Option<u64>,
    /// `None` without a `data:` line: then it is no event.
    pub data: Option<String>,
    pub comment: Option<String>,
}

impl Event {
    /// The message in it.
    pub fn json(&self) -> Value {
        let data = self.data.as_deref().unwrap_or_default();
        serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Whether it has the answer to a request.
    pub fn is_answer(&self) -> bool {
        self.data.as_deref().is_some_and(|data| !data.is_empty()) && self.json().get("id").is_some()
    }
}

/// A stream that is being read.
pub struct EventStream {
    pub head: Response,
    connection: TcpStream,
    raw: Vec<u8>,
    text: Vec<u8>,
    /// The body ended as bodies do.
    pub ended: bool,
}

impl EventStream {
    /// Sends a request that is answered with a stream.
    pub fn open(port: u16, request: &Request) -> Self {
        let mut connection = connect(port);
        connection.write_all(&request.bytes(port)).expect("the server reads");
        // One byte at a time, so that nothing of the body is swallowed with the head.
        let mut reader = BufReader::with_capacity(1, connection.try_clone().expect("a socket has two ends"));
        let head = Response::read_head(&mut reader);
        Self { head, connection, raw: Vec::new(), text: Vec::new(), ended: false }
    }

    /// Listens for at most this long, or until enough was heard or the stream ends; gives what was complete.
    pub fn hear(&mut self, limit: Duration, enough: impl Fn(&[Event]) -> bool) -> Vec<Event> {
        let deadline = Instant::now() + limit;
        let mut events = Vec::new();
        let mut buffer = [0; 1 << 16];
        loop {
            self.unwrap_chunks();
            while let Some(end) = self.text.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = self.text.drain(..end + 2).collect();
                events.push(parse(&String::from_utf8(event).expect("streams are UTF-8")));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if self.ended || enough(&events) || left.is_zero() {
                return events;
            }
            self.connection.set_read_timeout(Some(left)).expect("a timeout can be set");
            match self.connection.read(&mut buffer) {
                Ok(0) => return events,
                Ok(read) => self.raw.extend_from_slice(&buffer[..read]),
                Err(_) => {}
            }
        }
    }

    /// Everything up to the end of the stream.
    pub fn hear_all(&mut self) -> Vec<Event> {
        let events = self.hear(Duration::from_secs(20), |_| false);
        assert!(self.ended, "the stream did not end: {events:?}");
        events
    }

    /// The local port of the connection.
    pub fn local_port(&self) -> u16 {
        self.connection.local_addr().expect("it is connected").port()
    }

    fn unwrap_chunks(&mut self) {
        let mut at = 0;
        while let Some(line) = self.raw[at..].windows(2).position(|pair| pair == b"\r\n") {
            let length = std::str::from_utf8(&self.raw[at..at + line]).expect("a length is ASCII");
            let length = usize::from_str_radix(length, 16).expect("a length is a number");
            let begin = at + line + 2;
            if self.raw.len() < begin + length + 2 {
                break;
            }
            self.text.extend_from_slice(&self.raw[begin..begin + length]);
            self.ended |= length == 0;
            at = begin + length + 2;
        }
        self.raw.drain(..at);
    }
}

fn parse(text: &str) -> Event {
    let mut event = Event::default();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.split_once(": ").unwrap_or((line, "")) {
            ("", comment) => event.comment = Some(comment.to_owned()),
            ("id", id) => event.id = Some(id.to_owned()),
            ("retry", retry) => event.retry = Some(retry.parse().expect("milliseconds")),
            ("data", data) => {
                assert_eq!(event.data, None, "a message is on one line: {text}");
                event.data = Some(data.to_owned());
            }
            other => panic!("an unknown field {other:?} in {text:?}"),
        }
    }
    event
}
