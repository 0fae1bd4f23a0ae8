//! What is compared with what.

use std::{io, io::Read, io::Write, net::TcpStream, time::Duration};

use serde_json::{Value, json};

use crate::{
    load::Expect,
    request::{Era, FIRST_ID, Request, Session, envelope},
    response,
    server::{Kind, Server},
};

/// How the requests of a contender name their sessions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sessions {
    /// Not at all.
    None,
    /// This many, by header.
    Header(usize),
    /// This many, by handle.
    Handle(usize),
    /// The header of this size, that nobody looks at.
    Ignored(usize),
    /// This many by header, whose names are made up here.
    Named(usize),
}

/// What the requests of a contender ask for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    /// A call of `echo`.
    Call,
    /// The list of the tools.
    List,
}

/// One row of the table.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) path: &'static str,
    pub(crate) era: Era,
    pub(crate) sessions: Sessions,
    pub(crate) asks: Asks,
    /// Whether it is part of the comparison of 2 with 50 tools; `Some(name)` where it is the one with 50.
    pub(crate) as_fifty_of: Option<&'static str>,
}

/// As long as the session ids of this server are, so that the bare handler reads as many bytes.
const SESSION_ID_LENGTH: usize = 304;

const AXUM: Kind = Kind { package: "server-axum", server: "both" };

/// The bare handler that reads these bodies and writes what this library answers.
fn reference(era: Era, asks: Asks) -> &'static str {
    match (era, asks) {
        (Era::Modern, Asks::Call) => "axum, 2026-07-28 body",
        (Era::Legacy, Asks::Call) => "axum, 2025-11-25 body",
        (Era::Modern, Asks::List) => "axum, tools/list of 50, 2026-07-28 body",
        (Era::Legacy, Asks::List) => "axum, tools/list of 50, 2025-11-25 body",
    }
}

/// All rows, in the order in which they take turns.
pub(crate) fn all() -> Vec<Contender> {
    let ours = |server| Kind { package: "server-ours", server };
    let rmcp = |server| Kind { package: "server-rmcp", server };
    let row = |name, kind, era, sessions| Contender {
        name,
        kind,
        path: "/mcp",
        era,
        sessions,
        asks: Asks::Call,
        as_fifty_of: None,
    };
    let list = |name, kind, era, sessions| Contender { asks: Asks::List, ..row(name, kind, era, sessions) };
    let fifty = |name, of, kind, era, sessions| Contender { as_fifty_of: Some(of), ..row(name, kind, era, sessions) };
    use Era::{Legacy, Modern};
    vec![
        Contender { path: "/modern", ..row(reference(Modern, Asks::Call), AXUM, Modern, Sessions::None) },
        row("ours, 2026-07-28", ours("echo"), Modern, Sessions::None),
        row("ours, 2026-07-28, &mut state, 64 handles", ours("counter"), Modern, Sessions::Handle(64)),
        row("rmcp, 2026-07-28", rmcp("stateless"), Modern, Sessions::None),
        Contender {
            path: "/legacy",
            ..row(reference(Legacy, Asks::Call), AXUM, Legacy, Sessions::Ignored(SESSION_ID_LENGTH))
        },
        row("ours, 2025-11-25, JWT", ours("echo"), Legacy, Sessions::Header(64)),
        row("ours, 2025-11-25, &mut state, 64 sessions", ours("counter"), Legacy, Sessions::Header(64)),
        row("ours, 2025-11-25, &mut state, 1 session", ours("counter"), Legacy, Sessions::Header(1)),
        row("rmcp, 2025-11-25, stateless", rmcp("stateless"), Legacy, Sessions::None),
        row("rmcp, 2025-11-25, stateful", rmcp("stateful"), Legacy, Sessions::Header(64)),
        fifty("ours, 2026-07-28, 50 tools", "ours, 2026-07-28", ours("echo-50"), Modern, Sessions::None),
        fifty(
            "ours, 2025-11-25, JWT, 50 tools",
            "ours, 2025-11-25, JWT",
            ours("echo-50"),
            Legacy,
            Sessions::Header(64),
        ),
        fifty("rmcp, 2026-07-28, 50 tools", "rmcp, 2026-07-28", rmcp("stateless-50"), Modern, Sessions::None),
        fifty(
            "rmcp, 2025-11-25, stateless, 50 tools",
            "rmcp, 2025-11-25, stateless",
            rmcp("stateless-50"),
            Legacy,
            Sessions::None,
        ),
        fifty(
            "rmcp, 2025-11-25, stateful, 50 tools",
            "rmcp, 2025-11-25, stateful",
            rmcp("stateful-50"),
            Legacy,
            Sessions::Header(64),
        ),
        Contender { path: "/modern/list", ..list(reference(Modern, Asks::List), AXUM, Modern, Sessions::None) },
        list("ours, tools/list of 50, 2026-07-28", ours("echo-50"), Modern, Sessions::None),
        Contender {
            path: "/legacy/list",
            ..list(reference(Legacy, Asks::List), AXUM, Legacy, Sessions::Ignored(SESSION_ID_LENGTH))
        },
        list("ours, tools/list of 50, 2025-11-25, JWT", ours("echo-50"), Legacy, Sessions::Header(64)),
    ]
}

impl Contender {
    /// The bare handler that it is compared with.
    pub(crate) fn reference(&self) -> &'static str {
        reference(self.era, self.asks)
    }

    /// What its answers must look like.
    pub(crate) fn expect(&self) -> Expect {
        match self.asks {
            Asks::Call => Expect::Echo,
            Asks::List => Expect::List,
        }
    }

    /// The text of the first answer, members in their order.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn answer(&self, server: &Server) -> io::Result<String> {
        let mut requests = self.requests(server, 1)?;
        let request = requests.first_mut().and_then(|requests| requests.first_mut());
        let (_, _, answer) = exchange(server, request.ok_or_else(|| io::Error::other("no request"))?)?;
        Ok(answer.to_string())
    }

    /// The requests of this contender's connections: with fewer connections than sessions each serves several in turn.
    ///
    /// # Errors
    /// When the sessions can't be opened.
    pub(crate) fn requests(&self, server: &Server, connections: usize) -> io::Result<Vec<Vec<Request>>> {
        Ok(self.requests_in(server, &self.open(server)?, connections))
    }

    /// Its sessions, opened.
    ///
    /// # Errors
    /// When they can't be.
    pub(crate) fn open(&self, server: &Server) -> io::Result<Vec<Session>> {
        Ok(match self.sessions {
            Sessions::None => vec![Session::None],
            Sessions::Ignored(length) => vec![Session::Header("x".repeat(length))],
            Sessions::Named(count) => (0..count).map(|number| Session::Header(format!("{number:022}"))).collect(),
            Sessions::Header(count) => (0..count).map(|_| initialize(server, self.path)).collect::<io::Result<_>>()?,
            Sessions::Handle(count) => (0..count).map(|_| open(server, self.path)).collect::<io::Result<_>>()?,
        })
    }

    /// The requests of its connections in these sessions.
    pub(crate) fn requests_in(&self, server: &Server, sessions: &[Session], connections: usize) -> Vec<Vec<Request>> {
        let address = server.address.to_string();
        let requests = |connection: usize| {
            let own = sessions.iter().skip(connection % sessions.len()).step_by(connections);
            own.map(|session| match self.asks {
                Asks::Call => Request::call(&address, self.path, self.era, session, "echo"),
                Asks::List => Request::list(&address, self.path, self.era, session),
            })
            .collect()
        };
        (0..connections).map(requests).collect()
    }
}

/// Opens a session as a client of 2025-11-25 does.
fn initialize(server: &Server, path: &str) -> io::Result<Session> {
    let address = server.address.to_string();
    let mut request = Request::initialize(&address, path);
    let (status, id, _) = exchange(server, &mut request)?;
    let session =
        Session::Header(id.ok_or_else(|| io::Error::other(format!("{:?}: {status}, no session", server.kind)))?);
    let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    exchange(server, &mut Request::post(&address, path, Era::Legacy, &session, &initialized))?;
    Ok(session)
}

/// Has a handle minted as a client of 2026-07-28 does.
fn open(server: &Server, path: &str) -> io::Result<Session> {
    let params = json!({ "name": "open_session", "arguments": {}, "_meta": envelope() });
    let message = json!({ "jsonrpc": "2.0", "id": FIRST_ID, "method": "tools/call", "params": params });
    let mut request = Request::post(&server.address.to_string(), path, Era::Modern, &Session::None, &message);
    let (status, _, answer) = exchange(server, &mut request)?;
    let handle = answer["result"]["structuredContent"]["session"].as_str();
    handle
        .map(|handle| Session::Handle(handle.to_owned()))
        .ok_or_else(|| io::Error::other(format!("{status}, no handle: {answer}")))
}

/// One request and its answer: status, session id and message.
pub(crate) fn exchange(server: &Server, request: &mut Request) -> io::Result<(u16, Option<String>, Value)> {
    let mut stream = TcpStream::connect(server.address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(request.with_id(FIRST_ID))?;
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(response) = response::read(&bytes)? {
            let message = if response.body.is_empty() { Value::Null } else { response.json()? };
            return Ok((response.status, response.header("mcp-session-id").map(str::to_owned), message));
        }
        match stream.read(&mut piece)? {
            0 => return Err(io::Error::other("the server closed the connection")),
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
}
