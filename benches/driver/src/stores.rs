//! Calls that read and write their session in Redis and in PostgreSQL: this library, and a bare handler with the same client
//! crate, once with the same commands and once with a store of its own.

use std::{io, time::Duration};

use serde_json::json;

use crate::{
    contender::{Asks, Contender, Sessions, exchange},
    engine::{Brand, Engine},
    instructions,
    load::{self, Expect, Until},
    request::{Era, FIRST_ID, Request, Session},
    server::{self, Kind, Server},
    table::{self, Table},
    throughput::{self, Measured, Plan, ratio},
};

/// The packages whose servers take part.
const PACKAGES: [&str; 2] = ["server-axum-state", "server-ours-state"];
/// How many sessions the calls of a throughput are spread over.
const SESSIONS: usize = 64;
/// How many write one session at once.
const WRITERS: [usize; 3] = [1, 10, 100];

/// One of the figures that rounds are compared by.
type Figure = fn(&Measured) -> &[f64];

const SAME: Kind = Kind { package: "server-axum-state", server: "same" };
const OWN: Kind = Kind { package: "server-axum-state", server: "own" };
/// The server of this library.
pub(crate) const OURS: Kind = Kind { package: "server-ours-state", server: "counter" };

/// The rows, the bare handlers first and this library last.
pub(crate) fn contenders(sessions: usize) -> [Contender; 3] {
    let row = |name, kind, path, sessions| Contender {
        name,
        kind,
        path,
        era: Era::Legacy,
        sessions,
        asks: Asks::Call,
        as_fifty_of: None,
    };
    [
        row("axum, the same commands", SAME, "/legacy", Sessions::Named(sessions)),
        row("axum, a store of its own", OWN, "/legacy", Sessions::Named(sessions)),
        row("ours", OURS, "/mcp", Sessions::Header(sessions)),
    ]
}

/// Measures and prints, for each engine that is wanted. With `disk` the engines acknowledge what is on the disk alone.
///
/// # Errors
/// When an engine or a server does not start, an answer is bad, or a call is not counted in its session.
pub(crate) fn run(plan: &Plan, disk: bool, only: &dyn Fn(&str) -> bool) -> io::Result<()> {
    println!("\n## Session state in Redis and PostgreSQL\n");
    let (below_engine, below_server) = throughput::pin(plan)?;
    let safe = if disk { "write to the disk before they acknowledge" } else { "do not wait for the disk" };
    println!("The engines run on the core of the load and {safe}.");
    for brand in [Brand::Redis, Brand::Postgres].into_iter().filter(|brand| only(&format!("{brand:?}").to_lowercase()))
    {
        let engine = Engine::start(brand, &below_engine, disk)?;
        let servers = [SAME, OWN, OURS].map(|kind| Server::over(kind, &below_server, Some(&engine.url())));
        let servers = servers.into_iter().collect::<io::Result<Vec<_>>>()?;
        agree(&servers)?;
        for connections in plan.connections.iter().copied() {
            spread(&engine, &servers, connections, plan)?;
        }
        together(&engine, &servers, plan)?;
        drop(servers);
        instructions(&engine, &below_server)?;
    }
    Ok(())
}

/// What a call takes in the server's own code, which does not depend on how busy the machine is.
fn instructions(engine: &Engine, below: &[String]) -> io::Result<()> {
    println!("\n### {:?}, instructions per call\n", engine.brand);
    println!("Of the server, in user space.\n");
    let mut table = Table::new(&["server", "instructions", "same / this", "own / this"]);
    let contenders = contenders(SESSIONS);
    let each = contenders.iter().map(|contender| instructions::each(contender, Some(&engine.url()), below));
    let each = each.collect::<io::Result<Vec<_>>>()?;
    for (contender, own) in contenders.iter().zip(&each) {
        let share = |other: usize| format!("{:.2}", each[other] as f64 / *own as f64);
        table.row(vec![contender.name.into(), own.to_string(), share(0), share(1)]);
    }
    table.print();
    Ok(())
}

/// Sees to it that all write the same answer.
fn agree(servers: &[Server]) -> io::Result<()> {
    let mut answers = Vec::new();
    for contender in contenders(1) {
        answers.push(contender.answer(throughput::find(servers, &contender)?)?);
    }
    match answers.iter().find(|answer| **answer != answers[0]) {
        Some(other) => Err(io::Error::other(format!("one answers {other}, another {}", answers[0]))),
        None => Ok(()),
    }
}

/// Calls that each have a session of their own.
fn spread(engine: &Engine, servers: &[Server], connections: usize, plan: &Plan) -> io::Result<()> {
    let contenders = contenders(SESSIONS);
    let contenders: Vec<_> = contenders.iter().collect();
    let (mut sessions, mut requests, mut before) = (Vec::new(), Vec::new(), Vec::new());
    for contender in &contenders {
        let server = throughput::find(servers, contender)?;
        let opened = contender.open(server)?;
        before.push(calls(contender, server, &opened)?);
        requests.push(contender.requests_in(server, &opened, connections));
        sessions.push(opened);
    }
    let mut measured = throughput::turns(&contenders, servers, &requests, plan, Some(engine))?;
    for (index, contender) in contenders.iter().enumerate() {
        let counted = calls(contender, throughput::find(servers, contender)?, &sessions[index])? - before[index];
        if counted != measured[index].served {
            let served = measured[index].served;
            return Err(io::Error::other(format!("{}: {served} calls, {counted} counted", contender.name)));
        }
    }
    println!("\n### {:?}, {SESSIONS} sessions, {connections} connections\n", engine.brand);
    let mut table = Table::new(&[
        "server",
        "calls/s",
        "of the same commands",
        "of its own store",
        "p50 µs",
        "p99 µs",
        "server µs/call",
        "engine µs/call",
        "same by server µs",
        "own by server µs",
    ]);
    for (index, contender) in contenders.iter().enumerate() {
        let percentiles = [0.5, 0.99].map(|share| measured[index].percentile(share));
        let against = |other: usize, figure: Figure| {
            let ratio = ratio(figure(&measured[index]), figure(&measured[other]));
            move |recip: bool| format!("{:.2}", if recip { ratio.recip() } else { ratio })
        };
        let (rates, costs): (Figure, Figure) = (|one| &one.rates, |one| &one.costs);
        let [p50, p99] = percentiles;
        table.row(vec![
            contender.name.into(),
            format!("{:.0}", table::median(measured[index].rates.clone())),
            against(0, rates)(false),
            against(1, rates)(false),
            p50,
            p99,
            format!("{:.1}", table::median(measured[index].costs.clone())),
            format!("{:.1}", table::median(measured[index].engines.clone())),
            against(0, costs)(true),
            against(1, costs)(true),
        ]);
    }
    table.print();
    Ok(())
}

/// Calls that all write one session.
fn together(engine: &Engine, servers: &[Server], plan: &Plan) -> io::Result<()> {
    println!("\n### {:?}, one session\n", engine.brand);
    println!("A call takes two commands, and more each time that it loses to another writer.\n");
    let mut table = Table::new(&["server", "writers", "calls/s", "refused", "commands per call", "p50 µs", "p99 µs"]);
    for writers in WRITERS {
        for contender in &contenders(1) {
            let server = throughput::find(servers, contender)?;
            let sessions = contender.open(server)?;
            let requests = contender.requests_in(server, &sessions, writers);
            let name = command_of(engine.brand, contender.kind);
            let (mut all, mut refused, mut answers, mut elapsed) = (Measured::default(), 0, 0, Duration::ZERO);
            let (counted, sent) = (calls(contender, server, &sessions)?, engine.commands(name)?);
            for _ in 0..plan.rounds {
                let outcome =
                    load::run(server.address, requests.clone(), Expect::EchoOrRefusal, Until::Time(plan.turn))?;
                (refused, elapsed) = (refused + outcome.refused, elapsed + outcome.elapsed);
                answers += outcome.answers;
                all.served += outcome.served;
                all.latencies.extend(outcome.latencies);
            }
            let sent = engine.commands(name)? - sent;
            let counted = calls(contender, server, &sessions)? - counted;
            // One that was refused with 503 may have been counted, because nobody knows what became of it.
            if counted < all.served || counted > answers {
                let served = all.served;
                return Err(io::Error::other(format!("{}: {served} calls, {counted} counted", contender.name)));
            }
            let [p50, p99] = [0.5, 0.99].map(|share| all.percentile(share));
            table.row(vec![
                contender.name.into(),
                writers.to_string(),
                format!("{:.0}", (all.latencies.len() - refused) as f64 / elapsed.as_secs_f64()),
                format!("{:.1} %", refused as f64 * 100.0 / all.latencies.len().max(1) as f64),
                format!("{:.2}", sent as f64 / answers.max(1) as f64),
                p50,
                p99,
            ]);
        }
    }
    table.print();
    Ok(())
}

/// What the commands of a server are called, of which a call without rivals sends two.
pub(crate) fn command_of(brand: Brand, kind: Kind) -> &'static str {
    match brand {
        // Its script sends one, too, which stands for the script.
        Brand::Redis if kind == OWN => "hmget",
        Brand::Redis => "evalsha",
        Brand::Postgres => "session",
    }
}

/// How often these sessions were served, as they themselves say.
fn calls(contender: &Contender, server: &Server, sessions: &[Session]) -> io::Result<usize> {
    let message = json!({
        "jsonrpc": "2.0", "id": FIRST_ID, "method": "tools/call", "params": { "name": "calls", "arguments": {} },
    });
    let mut sum = 0;
    for session in sessions {
        let mut request = Request::post(&server.address.to_string(), contender.path, contender.era, session, &message);
        let (status, _, answer) = exchange(server, &mut request)?;
        let text = answer["result"]["content"][0]["text"].as_str().and_then(|text| text.parse::<usize>().ok());
        sum += text.ok_or_else(|| io::Error::other(format!("{}: {status} {answer}", contender.name)))?;
    }
    Ok(sum)
}

/// Builds what takes part.
///
/// # Errors
/// When it can't be built.
pub(crate) fn build() -> io::Result<()> {
    PACKAGES.into_iter().try_for_each(server::build)
}
