//! A server declared by hand, whose tools do what the tests of the transports need, and a client that says exact bytes.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use mcp_runtime::{
    ToolError, ToolResult,
    service::{BoxFuture, FunctionCard, ResourceCard, Run, ServerCard, Service, ToolCard},
};

const fn tool(name: &'static str) -> ToolCard {
    let function = FunctionCard {
        name,
        description: "For tests.",
        input_schema: Some(r#"{"type":"object"}"#),
        ..FunctionCard::BLANK
    };
    ToolCard { function, ..ToolCard::BLANK }
}

static CARD: ServerCard = ServerCard {
    name: "transport-test",
    version: "1.2.3",
    tools: &[
        tool("ping_pong"),
        tool("sleepy"),
        tool("endless"),
        tool("talkative"),
        tool("large"),
        tool("blocks_its_thread"),
        tool("announces"),
    ],
    resources: &[ResourceCard {
        function: FunctionCard { name: "board", description: "For tests.", ..FunctionCard::BLANK },
        uri: "test://board",
        ..ResourceCard::BLANK
    }],
    changes: true,
    ..ServerCard::BLANK
};

/// What the tools have done so far.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) started: AtomicUsize,
    pub(crate) finished: AtomicUsize,
    pub(crate) dropped: AtomicUsize,
}

/// The server.
pub(crate) struct Server(pub(crate) Arc<Seen>);

struct OnDrop<'a>(&'a AtomicUsize);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Service for Server {
    fn card(&self) -> &'static ServerCard {
        &CARD
    }

    fn find_tool(&self, name: &str) -> Option<usize> {
        CARD.tools.iter().position(|tool| tool.function.name == name)
    }

    fn call_tool<'a>(&'a self, tool: usize, run: Run<'a>) -> BoxFuture<'a, Result<ToolResult, ToolError>> {
        Box::pin(async move {
            self.0.started.fetch_add(1, Ordering::SeqCst);
            let dropped = OnDrop(&self.0.dropped);
            let text = match CARD.tools[tool].function.name {
                "sleepy" => {
                    tokio::time::sleep(Duration::from_millis(700)).await;
                    "slept".to_owned()
                }
                "endless" => std::future::pending().await,
                "talkative" => {
                    run.cx.progress(1.0, 2.0, Some("half"));
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    "said".to_owned()
                }
                "blocks_its_thread" => {
                    std::thread::sleep(Duration::from_millis(500));
                    "woke".to_owned()
                }
                "announces" => {
                    run.cx.changes().tools_changed();
                    run.cx.changes().resource_updated("test://board");
                    "announced".to_owned()
                }
                "large" => "x".repeat(8 << 20),
                _ => "pong".to_owned(),
            };
            std::mem::forget(dropped);
            self.0.finished.fetch_add(1, Ordering::SeqCst);
            Ok(ToolResult::text(text))
        })
    }
}

/// A call as 2026-07-28 wants it.
pub(crate) fn modern(id: u32, tool: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}","arguments":{{}},"_meta":{{"progressToken":"p","io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{{"name":"test","version":"1"}},"io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
    )
}

/// A call as older revisions have it.
pub(crate) fn legacy(id: u32, tool: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}","arguments":{{}}}}}}"#)
}

/// A POST of this body; `headers` come first, one per line, and may say anything but the length.
pub(crate) fn post(headers: &str, body: &str) -> String {
    let headers: String = headers.lines().map(|line| format!("{}\r\n", line.trim())).collect();
    format!("POST /mcp HTTP/1.1\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// The headers of a client of 2026-07-28 that calls this tool.
pub(crate) fn modern_headers(tool: &str) -> String {
    format!(
        "Host: localhost\nContent-Type: application/json\nAccept: application/json, text/event-stream\n\
         MCP-Protocol-Version: 2026-07-28\nMcp-Method: tools/call\nMcp-Name: {tool}"
    )
}

/// A whole call of 2026-07-28.
pub(crate) fn modern_post(id: u32, tool: &str) -> String {
    post(&modern_headers(tool), &modern(id, tool))
}

pub(crate) const LEGACY_HEADERS: &str =
    "Host: localhost\nContent-Type: application/json\nAccept: application/json, text/event-stream";

/// One connection.
pub(crate) struct Peer(pub(crate) TcpStream);

/// A response as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

impl Peer {
    pub(crate) fn new(address: std::net::SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(stream)
    }

    pub(crate) fn say(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.0.write_all(bytes.as_ref()).unwrap();
        self
    }

    /// Reads one response; interim ones are skipped.
    pub(crate) fn answer(&mut self) -> Answer {
        loop {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                let read = self.0.read(&mut byte).unwrap();
                assert_eq!(read, 1, "the connection ended in a head: {:?}", String::from_utf8_lossy(&head));
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            if status == 100 {
                continue;
            }
            let mut answer = Answer { status, head, body: String::new() };
            answer.body = if let Some(length) = answer.header("content-length") {
                let mut body = vec![0; length.parse().unwrap()];
                self.0.read_exact(&mut body).unwrap();
                String::from_utf8(body).unwrap()
            } else if answer.header("transfer-encoding").is_some() {
                self.chunks()
            } else {
                String::new()
            };
            return answer;
        }
    }

    fn chunks(&mut self) -> String {
        let mut all = Vec::new();
        while let Some(chunk) = self.chunk() {
            all.extend_from_slice(&chunk);
        }
        String::from_utf8(all).unwrap()
    }

    /// One chunk of a chunked body; `None` at its end.
    pub(crate) fn chunk(&mut self) -> Option<Vec<u8>> {
        let mut size = String::new();
        while !size.ends_with("\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            size.push(byte[0] as char);
        }
        let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        self.0.read_exact(&mut chunk).unwrap();
        chunk.truncate(size);
        (size > 0).then_some(chunk)
    }

    /// Reads a head alone.
    pub(crate) fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        String::from_utf8(head).unwrap()
    }

    /// Everything up to the end of the connection.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.0.read_to_end(&mut rest);
        rest
    }
}

/// Waits until this is so, at most `limit`.
pub(crate) fn within(limit: Duration, so: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < limit {
        if so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    so()
}
