//! What things cost that there are many of – a session, a call, an instance, a stream, a piece of news – in what holds them:
//! the constants of the book's model of growth.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    contender::{Contender, exchange},
    engine::{Brand, Engine},
    load::{self, Expect, Until},
    request::{Era, FIRST_ID, Request, Session},
    server::{self, Server},
    stores::{self, OURS},
    streams,
    table::Table,
};

/// How many sessions are written to see what one weighs.
const SESSIONS: u32 = 100_000;
/// How many streams are opened to see what one asks, and how many instances hear news.
const STREAMS: u32 = 200;
const INSTANCES: usize = 3;
const NEWS: u32 = 20;
/// How long what happens by itself is watched: each session of a stream is looked at once a minute.
const WATCHED: Duration = Duration::from_secs(60);
const SHORTLY: Duration = Duration::from_secs(3);
const CALLS: Duration = Duration::from_secs(3);
const CONNECTIONS: usize = 16;

/// A figure of one engine: what it is of, and its value.
type Figures = Vec<(&'static str, String)>;

/// Measures and prints, about five minutes for each engine.
///
/// # Errors
/// When an engine or a server does not start, or an answer is bad.
pub(crate) fn run() -> io::Result<()> {
    println!("\n## What there are many of\n");
    println!("{SESSIONS} sessions, {STREAMS} streams; nothing waits for the disk, nothing is pinned to a core.\n");
    let redis = Engine::start(Brand::Redis, &[], false).and_then(|engine| figures(&engine))?;
    let postgres = Engine::start(Brand::Postgres, &[], false).and_then(|engine| figures(&engine))?;
    let mut table = Table::new(&["", "Redis", "PostgreSQL"]);
    let mut all: Vec<&str> = redis.iter().map(|(name, _)| *name).collect();
    all.extend(postgres.iter().map(|(name, _)| *name).filter(|name| redis.iter().all(|(other, _)| other != name)));
    for name in all {
        let of = |figures: &Figures| figures.iter().find(|(other, _)| *other == name).map(|(_, figure)| figure.clone());
        table.row(vec![name.into(), of(&redis).unwrap_or_default(), of(&postgres).unwrap_or_default()]);
    }
    table.print();
    Ok(())
}

fn figures(engine: &Engine) -> io::Result<Figures> {
    let mut figures = Figures::new();
    sessions(engine, &mut figures)?;
    calls(engine, &mut figures)?;
    idleness(engine, &mut figures)?;
    news(engine, &mut figures)?;
    Ok(figures)
}

/// Bytes that the engine has of all sessions.
fn size(engine: &Engine) -> io::Result<f64> {
    match engine.brand {
        Brand::Redis => Ok(engine.info("memory", "used_memory")? as f64),
        Brand::Postgres => {
            engine.number("SELECT pg_total_relation_size('mcp.sessions') + pg_total_relation_size('mcp.parts')")
        }
    }
}

fn fill(engine: &Engine, bytes: u32, revision: u32, owned: bool) -> io::Result<()> {
    let mut command = Command::new(std::env::current_exe()?.with_file_name("fill"));
    command.args(["--store", &engine.url(), "--sessions", &SESSIONS.to_string()]);
    command.args(["--bytes", &bytes.to_string(), "--revision", &revision.to_string()]);
    command.args(owned.then_some("--owned"));
    if command.status()?.success() { Ok(()) } else { Err(io::Error::other("the sessions can't be written")) }
}

fn sessions(engine: &Engine, figures: &mut Figures) -> io::Result<()> {
    let each = |total: f64| format!("{:.0}", total / f64::from(SESSIONS));
    for (name, bytes, owned) in [
        ("a session with 16 bytes of state, bytes", 16, false),
        ("a session with 1,024 bytes of state, bytes", 1024, false),
        ("a session with 16 bytes, of a principal with ten, bytes", 16, true),
    ] {
        if engine.brand == Brand::Redis {
            engine.ask("FLUSHALL")?;
        } else {
            engine.ask("DROP SCHEMA IF EXISTS mcp CASCADE")?;
        }
        let before = if engine.brand == Brand::Redis { size(engine)? } else { 0.0 };
        fill(engine, bytes, 0, owned)?;
        figures.push((name, each(size(engine)? - before)));
    }
    if engine.brand == Brand::Postgres {
        engine.ask("CHECKPOINT")?;
        for (name, revision) in [
            ("a commit, its page the first time after a checkpoint, bytes of WAL", 1),
            ("a commit, its page known to the WAL, bytes of WAL", 2),
        ] {
            let before = engine.number(WAL)?;
            fill(engine, 16, revision, true)?;
            figures.push((name, each(engine.number(WAL)? - before)));
        }
        figures.push(("the same session after two more commits, bytes", each(size(engine)?)));
    }
    Ok(())
}

const WAL: &str = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')";

/// Calls that read and write, each in a session of its own, the connections busy.
fn calls(engine: &Engine, figures: &mut Figures) -> io::Result<()> {
    let [.., ours] = stores::contenders(CONNECTIONS);
    let server = Server::over(OURS, &[], Some(&engine.url()))?;
    sleep(SHORTLY);
    figures.push(("an instance at its start, MiB", format!("{:.1}", server.resident()? as f64 / 1024.0)));
    let requests = ours.requests(&server, CONNECTIONS)?;
    let command = stores::command_of(engine.brand, OURS);
    let (own, its, sent) = (server.busy()?, engine.busy()?, engine.commands(command)?);
    let outcome = load::run(server.address, requests, Expect::Echo, Until::Time(CALLS))?;
    let each = |spent: f64| format!("{:.1}", spent / outcome.served as f64);
    let spent = [server.busy()? - own, engine.busy()? - its].map(|spent| spent.as_secs_f64() * 1e6);
    figures.push(("a call that reads and writes, commands", each((engine.commands(command)? - sent) as f64)));
    figures.push(("a call that reads and writes, µs of the engine", each(spent[1])));
    figures.push(("a call that reads and writes, µs of the instance", each(spent[0])));
    Ok(())
}

/// What happens where nobody calls: in an instance, and for each stream that is open there.
fn idleness(engine: &Engine, figures: &mut Figures) -> io::Result<()> {
    // An engine is not idle where nobody is.
    sleep(SHORTLY);
    let nobody = Idle::watch(engine, None)?;
    let server = Server::over(OURS, &[], Some(&engine.url()))?;
    sleep(SHORTLY);
    let alone = Idle::watch(engine, Some(&server))?;
    figures.push(("an idle instance, commands a second", format!("{:.2}", alone.commands)));
    let more = (alone.engine - nobody.engine).max(0.0);
    figures.push(("an idle instance, µs of the engine a second", format!("{more:.0}")));
    figures.push(("an idle instance, its own µs a second", format!("{:.0}", alone.server)));
    let mut open = Vec::new();
    for (name, era) in [
        ("an idle stream of 2026-07-28, commands a second", Era::Modern),
        ("an idle stream of 2025-11-25, commands a second", Era::Legacy),
    ] {
        open.clear();
        for _ in 0..STREAMS {
            open.push(listen(&server, era)?);
        }
        sleep(SHORTLY);
        let busy = Idle::watch(engine, Some(&server))?;
        figures.push((name, format!("{:.3}", (busy.commands - alone.commands).max(0.0) / f64::from(STREAMS))));
    }
    Ok(())
}

/// What is spent in a second.
struct Idle {
    commands: f64,
    engine: f64,
    server: f64,
}

impl Idle {
    fn watch(engine: &Engine, server: Option<&Server>) -> io::Result<Self> {
        let busy = || server.map_or(Ok(Duration::ZERO), Server::busy);
        let (begin, own, its, sent) = (Instant::now(), busy()?, engine.busy()?, sent(engine)?);
        sleep(WATCHED);
        let seconds = begin.elapsed().as_secs_f64();
        let each = |spent: Duration| spent.as_secs_f64() * 1e6 / seconds;
        let (own, its) = (each(busy()? - own), each(engine.busy()?.saturating_sub(its)));
        Ok(Self { commands: (sent_since(engine, sent)?) / seconds, engine: its, server: own })
    }
}

/// What all clients sent so far.
fn sent(engine: &Engine) -> io::Result<u64> {
    engine.commands(if engine.brand == Brand::Redis { "evalsha" } else { "" })
}

fn sent_since(engine: &Engine, before: u64) -> io::Result<f64> {
    // To ask PostgreSQL is a statement, too.
    let asking = u64::from(engine.brand == Brand::Postgres);
    Ok(sent(engine)?.saturating_sub(before + asking) as f64)
}

/// A stream of news that nothing comes on.
fn listen(server: &Server, era: Era) -> io::Result<TcpStream> {
    let address = server.address.to_string();
    if era == Era::Modern {
        let mut open = Vec::new();
        streams::listen(server, &mut open, 1)?;
        return open.pop().ok_or_else(|| io::Error::other("no stream"));
    }
    let [.., ours] = stores::contenders(1);
    let mut opened = ours.open(server)?;
    let Some(Session::Header(id)) = opened.pop() else { return Err(io::Error::other("no session")) };
    let mut stream = TcpStream::connect(server.address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let head = format!(
        "GET /mcp HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\nMCP-Protocol-Version: 2025-11-25\r\n\
         Mcp-Session-Id: {id}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    let mut answer = [0; 512];
    let length = stream.read(&mut answer)?;
    if answer[..length].starts_with(b"HTTP/1.1 200") { Ok(stream) } else { Err(io::Error::other("no stream")) }
}

/// News that one instance tells the others.
fn news(engine: &Engine, figures: &mut Figures) -> io::Result<()> {
    let mut spent = Vec::new();
    let mut instances: Vec<Server> = Vec::new();
    for count in [1, INSTANCES] {
        while instances.len() < count {
            instances.push(Server::over(OURS, &[], Some(&engine.url()))?);
        }
        let [.., ours] = stores::contenders(1);
        let session = ours.open(&instances[0])?.pop().unwrap_or_default();
        sleep(SHORTLY);
        // What they do by themselves meanwhile is not of the news.
        let quiet = during(engine, || Ok(()))?;
        spent.push(during(engine, || announce(&ours, &instances[0], &session))? - quiet);
    }
    let each = (spent[1] - spent[0]) / f64::from(NEWS) / (INSTANCES - 1) as f64;
    figures.push(("a piece of news, commands of each instance that hears it", format!("{each:.1}")));
    Ok(())
}

/// The commands that clients send while this is done `NEWS` times, a while apart.
fn during(engine: &Engine, each: impl Fn() -> io::Result<()>) -> io::Result<f64> {
    let before = sent(engine)?;
    for _ in 0..NEWS {
        each()?;
        sleep(Duration::from_millis(500));
    }
    sent_since(engine, before)
}

fn announce(ours: &Contender, server: &Server, session: &Session) -> io::Result<()> {
    let message = json!({
        "jsonrpc": "2.0", "id": FIRST_ID, "method": "tools/call", "params": { "name": "announce", "arguments": {} },
    });
    let mut request = Request::post(&server.address.to_string(), ours.path, ours.era, session, &message);
    let (status, _, answer) = exchange(server, &mut request)?;
    if status == 200 { Ok(()) } else { Err(io::Error::other(format!("{status} {answer}"))) }
}

/// Builds what takes part.
///
/// # Errors
/// When it can't be built.
pub(crate) fn build() -> io::Result<()> {
    server::build(OURS.package)
}
