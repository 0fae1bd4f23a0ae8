//! The load: connections that each send a request, wait for the answer, check it and send the next.
//!
//! *Takes* an address and the requests of each connection. *Gives* counts and latencies. *Knows* sockets and readiness.
//! *Must not know* who answers. It does two system calls per request, so that the server and not the load is the limit.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

use memchr::memmem;
use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::{
    request::{FIRST_ID, Request, digits},
    response::{self, Response},
};

/// The last of the fifty tools, as it begins in a list.
const LAST_TOOL: &[u8] = b"{\"name\":\"tool_49\"";

/// When a load ends.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// After this time.
    Time(Duration),
    /// After this many answers.
    Answers(usize),
}

/// What answers must look like.
#[derive(Clone, Copy)]
pub(crate) enum Expect {
    /// The id and the message of the request, and no error.
    Echo,
    /// The id of the request, no error, and all tools.
    List,
    /// The id of the request, no error, and a session id.
    Session,
    /// The same as `Echo`, or a refusal of the tool or of the server, which is counted.
    EchoOrRefusal,
}

/// What came of a load.
pub(crate) struct Outcome {
    /// Of each answer that came in time, in nanoseconds.
    pub(crate) latencies: Vec<u32>,
    pub(crate) elapsed: Duration,
    /// How many of the answers were refusals.
    pub(crate) refused: usize,
    /// How many answers came in all, those of the warm-up and those after the time included.
    pub(crate) answers: usize,
    /// How many of these were no refusals.
    pub(crate) served: usize,
}

struct Connection {
    stream: TcpStream,
    requests: Vec<Request>,
    turn: usize,
    sent: Instant,
    id: u64,
    buffer: Vec<u8>,
    filled: usize,
    waiting: bool,
}

/// Runs one load: as many connections as there are lists of requests, each sending its requests in turn. Before the clock
/// starts every connection has had an answer to each of its requests.
///
/// # Errors
/// When a connection breaks or an answer is not what it must be.
pub(crate) fn run(
    address: SocketAddr,
    requests: Vec<Vec<Request>>,
    expect: Expect,
    until: Until,
) -> io::Result<Outcome> {
    let mut poll = Poll::new()?;
    let mut connections = Vec::new();
    for (index, requests) in requests.into_iter().enumerate() {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
        let (sent, buffer) = (Instant::now(), vec![0; 16 * 1024]);
        connections.push(Connection { stream, requests, turn: 0, sent, id: 0, buffer, filled: 0, waiting: false });
    }
    let mut ids = FIRST_ID..;
    let warm_up = connections.iter().map(|connection| connection.requests.len()).max().unwrap_or(1) * connections.len();
    let warm = turn(&mut poll, &mut connections, &mut ids, expect, Until::Answers(warm_up))?;
    let outcome = turn(&mut poll, &mut connections, &mut ids, expect, until)?;
    Ok(Outcome { answers: warm.answers + outcome.answers, served: warm.served + outcome.served, ..outcome })
}

fn turn(
    poll: &mut Poll,
    connections: &mut [Connection],
    ids: &mut std::ops::RangeFrom<u64>,
    expect: Expect,
    until: Until,
) -> io::Result<Outcome> {
    let (time, answers) = match until {
        Until::Time(time) => (time, usize::MAX),
        Until::Answers(answers) => (Duration::from_secs(600), answers),
    };
    let mut latencies = Vec::with_capacity(match until {
        Until::Time(time) => time.as_millis() as usize * 200,
        Until::Answers(answers) => answers,
    });
    let start = Instant::now();
    let end = start + time;
    let (mut open, mut left) = (0, answers);
    let (mut refused, mut came, mut served) = (0, 0, 0);
    for connection in connections.iter_mut().take(answers) {
        connection.send(ids.next().unwrap_or_default())?;
        (open, left) = (open + 1, left - 1);
    }
    let mut events = Events::with_capacity(connections.len().max(16));
    let mut elapsed = Duration::ZERO;
    while open > 0 {
        poll.poll(&mut events, Some(Duration::from_secs(10)))?;
        if events.is_empty() {
            return Err(io::Error::other("no answer for ten seconds"));
        }
        for event in &events {
            let connection = &mut connections[event.token().0];
            let Some(is_fine) = connection.receive(expect)? else { continue };
            let now = Instant::now();
            open -= 1;
            (came, served) = (came + 1, served + usize::from(is_fine));
            if now < end {
                refused += usize::from(!is_fine);
                latencies.push(u32::try_from((now - connection.sent).as_nanos()).unwrap_or(u32::MAX));
                elapsed = now - start;
                if left > 0 {
                    connection.send(ids.next().unwrap_or_default())?;
                    (open, left) = (open + 1, left - 1);
                }
            }
        }
    }
    Ok(Outcome { latencies, elapsed, refused, answers: came, served })
}

impl Connection {
    fn send(&mut self, id: u64) -> io::Result<()> {
        let turn = self.turn;
        self.turn = if turn + 1 == self.requests.len() { 0 } else { turn + 1 };
        let bytes = self.requests[turn].with_id(id);
        (self.id, self.sent, self.filled, self.waiting) = (id, Instant::now(), 0, true);
        if self.stream.write(bytes)? == bytes.len() {
            Ok(())
        } else {
            Err(io::Error::other("the socket took a part only"))
        }
    }

    /// Reads what has come; once it is the whole answer, whether that is no refusal.
    fn receive(&mut self, expect: Expect) -> io::Result<Option<bool>> {
        loop {
            if self.filled == self.buffer.len() {
                self.buffer.resize(self.filled * 2, 0);
            }
            match self.stream.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Err(io::Error::other("the server closed the connection")),
                Ok(count) if self.waiting => {
                    self.filled += count;
                    if let Some(response) = response::read(&self.buffer[..self.filled])? {
                        // Nothing else can be on its way before the next request, so there is no need to read again.
                        let is_fine = check(&response, self.id, expect)?;
                        self.waiting = false;
                        return Ok(Some(is_fine));
                    }
                }
                Ok(_) => return Err(io::Error::other("an answer without a request")),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Checks that a response answers the request with this id, and well; `false` for a refusal that may be.
fn check(response: &Response, id: u64, expect: Expect) -> io::Result<bool> {
    let has = |prefix: &[u8]| {
        let mut needle = [0; 16];
        let length = prefix.len() + 10;
        needle[..prefix.len()].copy_from_slice(prefix);
        needle[prefix.len()..length].copy_from_slice(&digits(id));
        memmem::find(&response.body, &needle[..length]).is_some()
    };
    let fine = response.status == 200
        && has(b"\"id\":")
        && memmem::find(&response.body, b"\"error\":").is_none()
        && memmem::find(&response.body, b"\"isError\":true").is_none()
        && match expect {
            Expect::Echo | Expect::EchoOrRefusal => has(b"hello "),
            Expect::List => memmem::find(&response.body, LAST_TOOL).is_some(),
            Expect::Session => response.header("mcp-session-id").is_some(),
        };
    let may_refuse = matches!(expect, Expect::EchoOrRefusal) && (response.status == 503 || has(b"\"id\":"));
    if fine || may_refuse {
        return Ok(fine);
    }
    Err(io::Error::other(format!("request {id} got {} {}", response.status, String::from_utf8_lossy(&response.body))))
}
