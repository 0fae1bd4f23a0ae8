//! What sessions weigh that were opened and not used: resident memory before and after.

use std::io;

use crate::{
    contender::{Asks, Contender, Sessions},
    load::{self, Expect, Until},
    request::Request,
    server::Server,
    table::Table,
};

const CONNECTIONS: usize = 16;
const WARM_UP: usize = 2_000;
const SESSIONS: usize = 100_000;
/// Of a server that keeps some 50 KiB for each: the tenth is enough to see, and does not fill the machine.
const FEWER: usize = 10_000;

/// Measures and prints, for each server that opens sessions by a handshake.
///
/// # Errors
/// When a server does not start or answers badly.
pub(crate) fn run(contenders: &[Contender]) -> io::Result<()> {
    println!("\n## Memory of sessions that were opened and not used\n");
    let mut table = Table::new(&["server", "opened", "before, KiB", "after, KiB", "MiB per 100,000"]);
    let mut seen = Vec::new();
    for contender in contenders {
        let by_header = matches!(contender.sessions, Sessions::Header(_));
        if !by_header
            || contender.as_fifty_of.is_some()
            || contender.asks == Asks::List
            || seen.contains(&contender.kind)
        {
            continue;
        }
        seen.push(contender.kind);
        let server = Server::start(contender.kind, &[])?;
        let mint = |answers| {
            let request = Request::initialize(&server.address.to_string(), contender.path);
            load::run(server.address, vec![vec![request]; CONNECTIONS], Expect::Session, Until::Answers(answers))
        };
        mint(WARM_UP)?;
        let before = server.resident()?;
        let sessions = if contender.kind.package == "server-rmcp" { FEWER } else { SESSIONS };
        mint(sessions)?;
        let after = server.resident()?;
        let more = (after as f64 - before as f64) / 1024.0 * 100_000.0 / sessions as f64;
        table.row(vec![
            contender.name.into(),
            sessions.to_string(),
            before.to_string(),
            after.to_string(),
            format!("{more:.1}"),
        ]);
    }
    table.print();
    Ok(())
}
