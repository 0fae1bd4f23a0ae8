//! What a client weighs that listens and hears nothing: resident memory before and after.

use std::{
    fs, io,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::{
    request::{FIRST_ID, Request},
    server::{Kind, Server},
    table::Table,
};

/// The server that can be listened to.
pub(crate) const KIND: Kind = Kind { package: "server-ours", server: "announcing" };

/// Enough that the server has all that it needs once.
const WARM_UP: u64 = 200;
const STREAMS: u64 = 5_000;
/// Files that a process has open beside its sockets, generously.
const OTHER_FILES: u64 = 100;
const ACKNOWLEDGED: &[u8] = b"notifications/subscriptions/acknowledged";

/// Opens streams of 2026-07-28, each on a connection of its own, and prints what the server grew by.
///
/// # Errors
/// When the server does not start, refuses a stream or ends one.
pub(crate) fn run() -> io::Result<()> {
    println!("\n## Memory of streams that are open and idle\n");
    let server = Server::start(KIND, &[])?;
    let mut open = Vec::new();
    listen(&server, &mut open, WARM_UP)?;
    let before = settled(&server)?;
    // Each takes a file of this process and one of the server, which has the same limit.
    let streams = STREAMS.min(file_limit()?.saturating_sub(WARM_UP + OTHER_FILES));
    listen(&server, &mut open, streams)?;
    let after = settled(&server)?;
    for stream in &mut open {
        hears_nothing(stream)?;
    }
    let each = (after as f64 - before as f64) / streams as f64;
    let mut table = Table::new(&["server", "streams", "before, KiB", "after, KiB", "KiB per stream"]);
    table.row(vec![
        "ours, subscriptions/listen".into(),
        streams.to_string(),
        before.to_string(),
        after.to_string(),
        format!("{each:.1}"),
    ]);
    table.print();
    if streams < STREAMS {
        println!("\nThe limit of open files allowed no more than {streams} of {STREAMS} streams.");
    }
    Ok(())
}

/// Opens this many more streams, one after the other; each is open once it is acknowledged.
///
/// # Errors
/// When the server refuses one.
pub(crate) fn listen(server: &Server, open: &mut Vec<TcpStream>, streams: u64) -> io::Result<()> {
    let mut request = Request::listen(&server.address.to_string(), "/mcp");
    for _ in 0..streams {
        let mut stream = TcpStream::connect(server.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(request.with_id(FIRST_ID + open.len() as u64))?;
        let (mut head, mut filled) = ([0; 4096], 0);
        while memchr::memmem::find(&head[..filled], ACKNOWLEDGED).is_none() {
            match stream.read(&mut head[filled..])? {
                0 => {
                    let answer = String::from_utf8_lossy(&head[..filled]).into_owned();
                    return Err(io::Error::other(format!("a stream was not opened: {answer}")));
                }
                count => filled += count,
            }
        }
        open.push(stream);
    }
    Ok(())
}

/// The resident memory, when the server has done what it does after the last stream.
fn settled(server: &Server) -> io::Result<u64> {
    std::thread::sleep(Duration::from_secs(1));
    server.resident()
}

/// Sees to it that a stream is still open: the server may have sent what keeps connections alive, but no end.
fn hears_nothing(stream: &mut TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    let mut bytes = [0; 4096];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return Err(io::Error::other("the server ended an idle stream")),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// How many files a process may have open.
fn file_limit() -> io::Result<u64> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    Ok(soft.and_then(|soft| soft.parse().ok()).unwrap_or(u64::MAX))
}
